import { expect, test } from "vitest";
import { boundedPresence } from "../../../src/executors/backbone/presence.ts";
import { ExecutorId, newSubmissionId } from "../../../src/shared/ids.ts";
import { BOUNDS } from "../../../src/shared/limits.ts";
import { Presence } from "../../../src/shared/protocol.ts";

const long = "w".repeat(BOUNDS.presenceCharacters.value + 1);

const presence: Presence = {
  executor: ExecutorId.parse("e1"),
  pool: "all",
  languages: [{ id: "python", version: long }],
  notOffered: [{ id: "rust", reason: long }],
  lanes: ["practice"],
  slots: 1,
  running: Array.from({ length: BOUNDS.presenceEntries.value + 1 }, () => ({
    submission: newSubmissionId(1_700_000_000_000),
    language: "python",
    sinceMs: 1,
  })),
  state: "unhealthy",
  reason: long,
  version: "1",
  startedAtMs: 1,
};

test("nobody takes an executor's word beyond the bounds, so it keeps to them itself", () => {
  expect(Presence.safeParse(presence).success).toBe(false);
  const bounded = boundedPresence(presence);
  expect(Presence.parse(bounded)).toEqual(bounded);
  expect(bounded.notOffered[0]?.reason).toBe(long.slice(1));
  expect(bounded.running).toHaveLength(BOUNDS.presenceEntries.value);
});
