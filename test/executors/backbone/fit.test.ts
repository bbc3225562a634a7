import * as fc from "fast-check";
import { expect, test } from "vitest";
import { fitEvent } from "../../../src/executors/backbone/fit.ts";
import { ExecutorId, SubmissionId } from "../../../src/shared/ids.ts";
import { decodeJson } from "../../../src/shared/nats.ts";
import { JudgeEvent } from "../../../src/shared/protocol.ts";

const finished = (result: unknown): JudgeEvent => ({
  v: 1,
  kind: "judge",
  submission: SubmissionId.parse("0123456789abcdefghjkmnpqrs"),
  generation: 1,
  dispatch: 1,
  delivery: 1,
  executor: ExecutorId.parse("e"),
  seq: 1,
  atMs: 0,
  capability: "c",
  type: "finished",
  result,
});
const report = fc.record({
  name: fc.string({ maxLength: 60 }),
  verdict: fc.constantFrom("AC", "WA", "TLE"),
  cpuMs: fc.nat(),
  judgeMessage: fc.string({ maxLength: 3_000 }),
});
const result = fc.record({
  verdict: fc.constantFrom("AC", "WA"),
  compile: fc.record({ message: fc.string({ maxLength: 9_000 }) }),
  tests: fc.array(report, { maxLength: 20 }),
});

const MAX_BYTES = 8_000;
const withoutTexts = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, item: unknown) => (/message$/i.test(key) ? "" : item)));

test("an event fits, can be read, and keeps all but its long texts", () => {
  fc.assert(
    fc.property(result, (given) => {
      const event = finished(given);
      const bytes = fitEvent(event, MAX_BYTES);
      expect(bytes?.length).toBeLessThanOrEqual(MAX_BYTES);
      const read = decodeJson(JudgeEvent, bytes ?? new Uint8Array());
      expect(withoutTexts(read)).toEqual(withoutTexts(event));
    }),
  );
});

test("an event that fits is not touched, and one that cannot be made to fit is none", () => {
  const small = finished({ tests: [{ judgeMessage: "x".repeat(5_000) }] });
  expect(decodeJson(JudgeEvent, fitEvent(small, MAX_BYTES) ?? new Uint8Array())).toEqual(small);
  const names = finished(Array.from({ length: 1_000 }, (_, i) => `secret/${i}`));
  expect(fitEvent(names, MAX_BYTES)).toBeUndefined();
});
