import { expect, test, vi } from "vitest";
import { createHealth } from "../../../src/executors/backbone/health.ts";
import { runJob } from "../../../src/executors/backbone/run.ts";
import { createLog } from "../../../src/shared/log.ts";
import { Job } from "../../../src/shared/protocol.ts";

const log = createLog("executor", "silent");

/** A job whose slot was lent to another, until `back`. */
function stage(deadlineMs: number) {
  const health = createHealth(log);
  const slot = Promise.withResolvers<void>();
  const begun = vi.fn<() => void>();
  const fail = vi.fn<(error: Error) => void>();
  const stop = new AbortController();
  const job = Job.parse({
    v: 1,
    kind: "sleep",
    submission: "0".repeat(26),
    generation: 1,
    dispatch: 1,
    language: "c",
    lane: "practice",
    capability: "none",
    deadlineMs,
    payload: {},
  });
  const kind = {
    kind: "sleep",
    run: () => {
      begun();
      return Promise.resolve({ type: "finished", result: {} } as const);
    },
  };
  const offer = {
    name: "offer",
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    known: () => [],
    offered: () => [],
    notOffered: () => [],
    has: () => true,
    takenOut: () => false,
    note: () => {},
    reinstate: () => {},
    change: health.change,
  };
  const ran = runJob(
    {
      kinds: [kind],
      offer,
      health,
      blobs: () => ({ open: () => Promise.reject(new Error("no blobs")) }),
      monotonic: () => performance.now(),
      ready: () => slot.promise,
      lendSlot: () => undefined,
      fail,
    },
    {
      job,
      slot: 0,
      stop: stop.signal,
      reporter: { started: () => {}, report: () => {}, final: () => Promise.resolve(true), close: () => {} },
      log,
    },
  );
  return { ran, stop, back: () => slot.resolve(), begun, health, fail };
}

test("a job that is stopped while its slot is not back yet ends at once; the slot is not free before", async () => {
  const { ran, stop, back, begun, health } = stage(600_000);
  stop.abort("cancelled");
  const { outcome, ended } = await ran;
  expect([outcome, health.reason()]).toEqual([{ type: "stopped" }, undefined]);
  let free = false;
  void ended.then(() => (free = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(free).toBe(false);
  back();
  await ended;
  expect(begun).not.toHaveBeenCalled();
});

test("the slot of others does not make an executor broken, however long it takes", async () => {
  vi.useFakeTimers();
  try {
    const { ran, back, health, fail } = stage(50);
    await vi.advanceTimersByTimeAsync(60_000);
    const { outcome, ended } = await ran;
    expect(outcome).toMatchObject({ type: "fault", fault: { code: "DEADLINE_EXCEEDED" } });
    expect([health.reason(), fail.mock.calls]).toEqual([undefined, []]);
    back();
    await ended;
  } finally {
    vi.useRealTimers();
  }
});
