import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { bearer } from "../http/client.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

const space = namespace();
let server: TestServer;
let alice: string;

beforeAll(async () => {
  server = await startTestServer(space);
  alice = await server.key("alice");
  await server.problem("sum");
});
afterAll(() => server.stop());

async function send(accept: string, body: unknown, key?: string) {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept,
      ...(key === undefined ? {} : bearer(key)),
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    wwwAuthenticate: response.headers.get("www-authenticate"),
    type: response.headers.get("content-type")?.split(";")[0],
    answer: (await response.json()) as Record<string, unknown>,
  };
}

/** Answered by our own short way. */
const SHORT = "application/json";
/** Left to Yoga's HTTP handler, which answers by JSON too. */
const LONG = "application/json, text/x-nothing";

const QUERY = "query P($id: ID!) { problem(id: $id) { id name } }";

describe("a JSON request", () => {
  it.each([
    ["a query", { query: QUERY, variables: { id: "sum" } }],
    ["a null", { query: QUERY, variables: { id: "nothing" } }],
    ["a choice of operations", { query: `${QUERY} query Q { languages { offered } }`, operationName: "Q" }],
    ["a missing variable", { query: QUERY }],
    ["a wrong variable", { query: QUERY, variables: { id: [] } }],
    ["a syntax error", { query: "{ problem(" }],
    ["an unknown field", { query: "{ nothing }" }],
    ["a field that is not allowed", { query: "{ executors { name } }" }],
    ["too large a page", { query: "{ problems(first: 1000) { edges { cursor } } }" }],
    [
      "a mutation's error",
      { query: 'mutation { cancelSubmission(input: { id: "x" }) { __typename ... on UserError { code } } }' },
    ],
    ["introspection", { query: '{ __type(name: "Submission") { fields { name } } }' }],
  ])("is answered as Yoga answers it: %s", async (_name, body) => {
    const short = await send(SHORT, body, alice);
    const long = await send(LONG, body, alice);
    expect(short.type).toBe("application/json");
    expect(short.status).toBe(long.status);
    // Yoga adds codes of its own to errors of documents; the words and places are graphql's in both.
    expect(strip(short.answer)).toEqual(strip(long.answer));
  });

  it("is answered without a key as Yoga answers it", async () => {
    const body = { query: QUERY, variables: { id: "sum" } };
    const short = await send(SHORT, body);
    const long = await send(LONG, body);
    expect(short).toEqual({ ...long, type: "application/json" });
    expect(short.status).toBe(401);
  });

  it("that is none is told what is expected", async () => {
    for (const body of [
      "",
      "{",
      "[]",
      "7",
      '{"query":7}',
      '{"variables":{}}',
      '{"query":"{a}","variables":[]}',
    ]) {
      const { status, answer } = await send(SHORT, body, alice);
      expect(status, body).toBe(400);
      expect(answer, body).toMatchObject({ errors: [{ extensions: { code: "INPUT_INVALID" } }] });
    }
  });

  it("with several operations is told to choose", async () => {
    const query = "query A { languages { offered } } query B { languages { offered } }";
    for (const operationName of [undefined, "C"]) {
      const { status, answer } = await send(SHORT, { query, operationName }, alice);
      expect(status).toBe(400);
      expect(JSON.stringify(answer)).toContain("operationName");
    }
  });

  it("for a subscription is told to ask for a stream", async () => {
    const query = 'subscription { verdictUpdated(submissionId: "x") { id } }';
    const { status, answer } = await send(SHORT, { query }, alice);
    expect(status).toBe(400);
    expect(JSON.stringify(answer)).toContain("text/event-stream");
  });

  it("does not show what only the server is to know of an error", async () => {
    const { answer } = await send(SHORT, { query: "{ executors { name } }" }, alice);
    expect(answer).toEqual({
      data: null,
      errors: [
        {
          message: "This needs the role jury or admin.",
          locations: [{ line: 1, column: 3 }],
          path: ["executors"],
          extensions: { code: "FORBIDDEN" },
        },
      ],
    });
  });
});

function strip(answer: Record<string, unknown>): unknown {
  const errors = answer["errors"] as { message: string; locations?: unknown; path?: unknown }[] | undefined;
  return {
    data: answer["data"] ?? null,
    errors: errors?.map(({ message, locations, path }) => ({ message, locations, path })),
  };
}
