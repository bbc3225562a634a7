import { expect, it } from "vitest";
import { considerTakeOut, type TakeOutDeps } from "../../../src/server/problems/takeout.ts";
import type { JudgementDocument, ProblemDocument } from "../../../src/server/store/documents.ts";
import { createLog } from "../../../src/shared/log.ts";

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 24, 8, minute));

/** What is asked of the store, and a problem imported at 08:00 of which `owners` ran into the validator at that minute. */
function stage(owners: Readonly<Record<string, number>>, more: { problem?: object; running?: boolean } = {}) {
  const taken: unknown[] = [];
  const problem = {
    _id: "p",
    manifest: "m",
    importedAt: at(0),
    ...more.problem,
  } as unknown as ProblemDocument;
  const deps: TakeOutDeps = {
    clock: { now: () => at(30).getTime() },
    log: createLog("test", "silent"),
    store: {
      problems: {
        get: () => Promise.resolve(problem),
        takeOut: (input) => {
          taken.push(input);
          return Promise.resolve(true);
        },
      },
      deadLetters: {
        owners: ({ since }) =>
          Promise.resolve(Object.keys(owners).filter((name) => at(owners[name] ?? 0) >= since)),
      },
      contests: { isRunning: () => Promise.resolve(more.running === true) },
    },
  };
  return { deps, taken };
}

const failed = (code = "VALIDATOR_FAILED") =>
  ({ problem: "p", deadLetter: { code, reason: "it exited with 1" } }) as unknown as JudgementDocument;

it("three owners take a problem out, with the reason", async () => {
  const { deps, taken } = stage({ ann: 1, bob: 2, eve: 3 });
  await considerTakeOut(deps, failed());
  const reason = "its output validator failed for 3 owners; the last time: it exited with 1";
  expect(taken).toEqual([{ id: "p", manifest: "m", at: at(30), reason }]);
});

it.each<[string, Parameters<typeof stage>, JudgementDocument]>([
  ["two owners", [{ ann: 1, bob: 2 }], failed()],
  ["one before the last import", [{ ann: 1, bob: 2, eve: 3 }, { problem: { importedAt: at(2) } }], failed()],
  [
    "one before it was put back",
    [{ ann: 1, bob: 2, eve: 3 }, { problem: { reinstatedAt: at(2) } }],
    failed(),
  ],
  ["a contest that is running", [{ ann: 1, bob: 2, eve: 3 }, { running: true }], failed()],
  ["a problem that is out already", [{ ann: 1, bob: 2, eve: 3 }, { problem: { takenOut: {} } }], failed()],
  ["another reason", [{ ann: 1, bob: 2, eve: 3 }], failed("SANDBOX_FAILED")],
])("%s: it stays as it is", async (_what, given, judgement) => {
  const { deps, taken } = stage(...given);
  await considerTakeOut(deps, judgement);
  expect(taken).toEqual([]);
});
