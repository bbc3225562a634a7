import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { z } from "zod";
import { compareFence, Fence } from "../../src/shared/fence.ts";
import { LANES } from "../../src/shared/lane.ts";
import { LANGUAGE_IDS } from "../../src/shared/language.ts";
import { decodeJson, encodeJson } from "../../src/shared/nats.ts";
import {
  Announcement,
  Control,
  FaultCode,
  FenceAnswer,
  FenceCheck,
  Job,
  JudgeEvent,
  Presence,
} from "../../src/shared/protocol.ts";

/** What both sides may be given, by the words of the schema. */
const base32 = "0123456789abcdefghjkmnpqrstvwxyz";
const submission = fc.string({
  unit: fc.constantFrom(...base32.split("")),
  minLength: 26,
  maxLength: 26,
});
const executor = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/);
const counter = fc.integer({ min: 1, max: 2 ** 40 });
const atMs = fc.integer({ min: 0, max: 2 ** 45 });
/** JSON has no -0 and drops undefined; payloads come from JSON and go to JSON. */
const payload = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)));
const language = fc.constantFrom(...LANGUAGE_IDS);
const lane = fc.constantFrom(...LANES);

const fence = { generation: counter, dispatch: counter, delivery: counter };

const capability = fc.stringMatching(/^[\w.-]{0,2048}$/);

const job = fc.record({
  v: fc.constant(1 as const),
  kind: fc.string({ minLength: 1, maxLength: 32 }),
  submission,
  generation: counter,
  dispatch: counter,
  language,
  lane,
  capability,
  deadlineMs: counter,
  payload,
});

const eventBase = {
  v: fc.constant(1 as const),
  kind: fc.string({ minLength: 1, maxLength: 32 }),
  submission,
  ...fence,
  executor,
  seq: counter,
  atMs,
  capability,
};
const fault = fc.record(
  {
    code: fc.constantFrom(...FaultCode.options),
    message: fc.string({ maxLength: 2000 }),
    log: fc.string({ maxLength: 8000 }),
    retry: fc.boolean(),
    shared: fc.boolean(),
  },
  { requiredKeys: ["code", "message", "retry", "shared"] },
);
const event = fc.oneof(
  ...(["started", "released"] as const).map((type) => fc.record({ ...eventBase, type: fc.constant(type) })),
  ...(["compiled", "progress", "finished"] as const).map((type) =>
    fc.record({ ...eventBase, type: fc.constant(type), result: payload }),
  ),
  fc.record({ ...eventBase, type: fc.constant("fault" as const), fault }),
);

const presence = fc.record(
  {
    executor,
    pool: fc.string(),
    languages: fc.array(fc.record({ id: language, version: fc.string() })),
    notOffered: fc.array(fc.record({ id: language, reason: fc.string() })),
    lanes: fc.array(lane),
    slots: fc.integer({ min: 0, max: 256 }),
    running: fc.array(fc.record({ submission, language, sinceMs: atMs })),
    state: fc.constantFrom("starting", "ready", "unhealthy", "draining"),
    reason: fc.string(),
    version: fc.string(),
    startedAtMs: atMs,
  },
  {
    requiredKeys: [
      ...(["executor", "pool", "languages", "notOffered", "lanes", "slots", "running", "state"] as const),
      ...(["version", "startedAtMs"] as const),
    ],
  },
);

const messages: readonly [name: string, schema: z.ZodType, values: fc.Arbitrary<unknown>][] = [
  ["Job", Job, job],
  ["JudgeEvent", JudgeEvent, event],
  ["FenceCheck", FenceCheck, fc.array(fc.record({ submission, ...fence }), { minLength: 1, maxLength: 64 })],
  ["FenceAnswer", FenceAnswer, fc.record({ current: fc.array(fc.boolean()) })],
  ["Announcement", Announcement, fc.record({ revision: counter, final: fc.boolean() })],
  ["Control", Control, fc.record({ type: fc.constant("cancel"), submission, generation: counter })],
  ["Presence", Presence, presence],
];

describe.each(messages)("%s", (_name, schema, values) => {
  test("is the same after the wire", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decodeJson(schema, encodeJson(value))).toEqual(value);
      }),
    );
  });

  test("junk is undefined and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeJson(schema, bytes)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decodeJson(schema, encodeJson(value))).toBeUndefined();
      }),
    );
  });

  test("a message cut short or with a field missing is refused", () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, at) => {
        const bytes = encodeJson(value);
        expect(decodeJson(schema, bytes.subarray(0, at % bytes.length))).toBeUndefined();
      }),
    );
  });
});

test("an event without its result's place, or with a fence of zero, is refused", () => {
  fc.assert(
    fc.property(event, fc.constantFrom("generation", "dispatch", "delivery", "seq"), (value, field) => {
      expect(decodeJson(JudgeEvent, encodeJson({ ...value, [field]: 0 }))).toBeUndefined();
    }),
  );
});

test("fences are in one total order: newer generation, then dispatch, then delivery", () => {
  const small = fc.record({
    generation: fc.integer({ min: 1, max: 3 }),
    dispatch: fc.integer({ min: 1, max: 3 }),
    delivery: fc.integer({ min: 1, max: 3 }),
  });
  const placeOf = (f: Fence) => f.generation * 100 + f.dispatch * 10 + f.delivery;
  fc.assert(
    fc.property(small, small, (a, b) => {
      expect(Math.sign(compareFence(a, b))).toBe(Math.sign(placeOf(a) - placeOf(b)));
      expect(Fence.safeParse(a).success).toBe(true);
    }),
  );
});
