import { type Lane, LANES } from "../../shared/lane.ts";
import { Verdict, VERDICT_NAMES } from "../../shared/verdict.ts";
import type { JudgementState } from "../store/documents.ts";
import { builder } from "./builder.ts";

builder.scalarType("DateTime", {
  description: "A moment as RFC 3339 in UTC, e.g. 2026-11-24T08:00:00.000Z.",
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const date = new Date(typeof value === "string" ? value : Number.NaN);
    if (Number.isNaN(date.getTime())) throw new TypeError("a DateTime is an RFC 3339 string");
    return date;
  },
});

builder.scalarType("JSON", {
  description: "Any JSON value.",
  serialize: (value) => value,
  parseValue: (value) => value,
});

/** By its shape: the HTTP layer has a File class of its own beside Node's. */
const isFile = (value: unknown): value is File =>
  typeof value === "object" &&
  value !== null &&
  "arrayBuffer" in value &&
  typeof value.arrayBuffer === "function" &&
  "name" in value &&
  typeof value.name === "string";

builder.scalarType("File", {
  description: "A file of a multipart request (GraphQL multipart request specification).",
  serialize: () => {
    throw new TypeError("a File is never in an answer");
  },
  parseValue: (value) => {
    if (!isFile(value)) throw new TypeError("a File comes as a part of a multipart request");
    return value;
  },
});

export const VerdictEnum = builder.enumType("Verdict", {
  description: "The result of judging. Never a fault of the judge itself.",
  values: Object.fromEntries(
    Verdict.options.map((verdict) => [verdict, { value: verdict, description: VERDICT_NAMES[verdict] }]),
  ),
});

const STATES: Readonly<Record<JudgementState, string>> = {
  PENDING: "Stored; its job is not in the queue yet.",
  QUEUED: "Its job waits for a free slot.",
  RUNNING: "An executor is judging it.",
  FINISHED: "Judged; `verdict` says how.",
  FAILED:
    "Could not be judged because of repeated faults on our side. The jury can look at it and try again.",
  CANCELLED: "Taken back before it was judged.",
};

export const StateEnum = builder.enumType("SubmissionState", {
  description: "How far the judgement that counts has come. FINISHED, FAILED and CANCELLED are final.",
  values: Object.fromEntries(
    Object.entries(STATES).map(([state, description]) => [
      state,
      { value: state as JudgementState, description },
    ]),
  ),
});

const LANE_WORDS: Readonly<Record<Lane, string>> = {
  contest: "A contest that runs: before everything else.",
  practice: "Where nothing is said.",
  custom: "Runs without a verdict that counts.",
  rejudge: "Judged again: when there is room.",
};

export const LaneEnum = builder.enumType("Lane", {
  description: "Priority class, highest first.",
  values: Object.fromEntries(
    LANES.map((lane) => [lane.toUpperCase(), { value: lane, description: LANE_WORDS[lane] }]),
  ),
});
