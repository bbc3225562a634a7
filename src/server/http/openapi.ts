import { z } from "zod";
import { type ErrorCode, ERRORS } from "../../shared/errors.ts";
import { ProblemDetails, SubmissionRequest, SubmissionResource } from "./resources.ts";
import type { Limits } from "../../shared/limits.ts";

const problem = (codes: readonly ErrorCode[]) => {
  const byStatus = Map.groupBy(codes, (code) => ERRORS[code].httpStatus);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((code) => `${code}: ${ERRORS[code].doc}`).join("\n\n"),
        ...(group.some((code) => "retryable" in ERRORS[code])
          ? { headers: { "Retry-After": { schema: { type: "integer" }, description: "Seconds." } } }
          : {}),
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/ProblemDetails" } } },
      },
    ]),
  );
};

const submission = { "application/json": { schema: { $ref: "#/components/schemas/Submission" } } };

function schemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const whole: object = z.toJSONSchema(schema, { io });
  return Object.fromEntries(Object.entries(whole).filter(([key]) => key !== "$schema" && key !== "id"));
}

/** OpenAPI 3.1 of the REST face, made from the schemas that requests and answers go through. */
export const openApiDocument = ({ longPollMs }: Pick<Limits, "longPollMs">) => ({
  openapi: "3.1.0",
  info: {
    title: "Docket",
    version: "1",
    description: "Hand in a program and ask for its verdict. The whole of Docket is in GraphQL at /graphql.",
  },
  security: [{ apiKey: [] }],
  paths: {
    "/submissions": {
      post: {
        operationId: "submit",
        summary: "Hands in a program",
        parameters: [
          {
            name: "Idempotency-Key",
            in: "header",
            schema: { type: "string" },
            description: "Of your choice: the same key again gives the same submission.",
          },
        ],
        requestBody: {
          required: true,
          content: { "application/json": { schema: { $ref: "#/components/schemas/SubmissionRequest" } } },
        },
        responses: {
          "202": {
            description: "Stored; ask at Location for the verdict.",
            headers: {
              Location: { schema: { type: "string" } },
              "Idempotency-Key": { schema: { type: "string" } },
            },
            content: submission,
          },
          ...problem([
            "INPUT_INVALID",
            "UNAUTHENTICATED",
            "FORBIDDEN",
            "ORIGIN_NOT_ALLOWED",
            "PROBLEM_NOT_FOUND",
            "PROBLEM_TAKEN_OUT",
            "IDEMPOTENCY_CONFLICT",
            "SOURCE_TOO_LARGE",
            "REQUEST_TOO_LARGE",
            "MEDIA_TYPE_UNSUPPORTED",
            "HOST_NOT_ALLOWED",
            "LANGUAGE_NOT_OFFERED",
            "SOURCE_EMPTY",
            "TOO_MANY_FILES",
            "FILE_NAME_INVALID",
            "RATE_LIMITED",
            "TOO_MANY_UNFINISHED",
            "QUEUE_SATURATED",
            "CONTEST_NOT_FOUND",
            "CONTEST_NOT_STARTED",
            "CONTEST_OVER",
            "NOT_A_PARTICIPANT",
            "PROBLEM_NOT_IN_CONTEST",
            "SERVICE_UNAVAILABLE",
          ]),
        },
      },
    },
    "/submissions/{id}": {
      get: {
        operationId: "submission",
        summary: "The submission as it is now",
        parameters: [
          { name: "id", in: "path", required: true, schema: { type: "string" } },
          {
            name: "afterRevision",
            in: "query",
            schema: { type: "integer" },
            description: "With waitMs: wait for a state newer than this revision.",
          },
          {
            name: "waitMs",
            in: "query",
            schema: { type: "integer", minimum: 0, maximum: longPollMs },
            description: "Longest wait; the current state is answered after it.",
          },
          {
            name: "If-None-Match",
            in: "header",
            schema: { type: "string" },
            description: "The ETag of an earlier answer.",
          },
        ],
        responses: {
          "200": {
            description: "The submission.",
            headers: { ETag: { schema: { type: "string" }, description: "The revision in quotes." } },
            content: submission,
          },
          "304": { description: "Nothing newer than If-None-Match." },
          ...problem([
            "INPUT_INVALID",
            "UNAUTHENTICATED",
            "ORIGIN_NOT_ALLOWED",
            "HOST_NOT_ALLOWED",
            "SUBMISSION_NOT_FOUND",
            "TOO_MANY_CONNECTIONS",
            "SERVICE_UNAVAILABLE",
          ]),
        },
      },
    },
  },
  components: {
    securitySchemes: { apiKey: { type: "http", scheme: "bearer" } },
    schemas: {
      SubmissionRequest: schemaOf(SubmissionRequest, "input"),
      Submission: schemaOf(SubmissionResource, "output"),
      ProblemDetails: schemaOf(ProblemDetails, "output"),
    },
  },
});
