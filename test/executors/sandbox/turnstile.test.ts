import { expect, test } from "vitest";
import type { MachineLock } from "../../../src/executors/machinelock.ts";
import type { RunRequest, RunResult, Sandbox } from "../../../src/executors/sandbox/sandbox.ts";
import { createTurnstile } from "../../../src/executors/sandbox/turnstile.ts";

const ENDED: RunResult = { status: { type: "exited", code: 0 }, cpuMs: 1, wallMs: 1, memoryKiB: 1 };
const never = new AbortController().signal;
const named = (name: string): RunRequest => ({ box: name }) as RunRequest;

/** A sandbox whose runs end when they are told to. */
function stage(lock?: MachineLock) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const sandbox: Sandbox = {
    run: ({ box }) => {
      started.push(box);
      return new Promise((resolve) => ends.set(box, () => resolve(ENDED)));
    },
    remove: () => Promise.resolve(),
  };
  const clock = { now: () => 1_000 };
  const turnstile = createTurnstile({ sandbox, lock, clock });
  const end = (name: string): void => {
    const resolve = ends.get(name);
    if (resolve === undefined) throw new Error(`${name} does not run`);
    resolve();
  };
  /** Lets everything happen that waits for nothing. */
  const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
  return { turnstile, started, end, settle };
}

test("runs go through as they come", async () => {
  const { turnstile, started, end, settle } = stage();
  const both = Promise.all([turnstile.run(named("a"), never), turnstile.run(named("b"), never)]);
  await settle();
  expect(started).toEqual(["a", "b"]);
  end("a");
  end("b");
  expect(await both).toEqual([ENDED, ENDED]);
});

test("who wants to be alone waits for what runs, and what comes later waits for that", async () => {
  const { turnstile, started, end, settle } = stage();
  const a = turnstile.run(named("a"), never);
  await settle();
  const alone = turnstile.alone(1, (sandbox) => sandbox.run(named("alone"), never), never);
  const b = turnstile.run(named("b"), never);
  await settle();
  const late = turnstile.run(named("late"), never);
  await settle();
  expect(started).toEqual(["a", "b"]);
  end("a");
  end("b");
  await Promise.all([a, b]);
  await settle();
  expect(started).toEqual(["a", "b", "alone"]);
  end("alone");
  expect(await alone).toEqual(ENDED);
  await settle();
  expect(started).toEqual(["a", "b", "alone", "late"]);
  end("late");
  await late;
});

test("two who want to be alone are so one after the other", async () => {
  const { turnstile, started, end, settle } = stage();
  const first = turnstile.alone(1, (sandbox) => sandbox.run(named("first"), never), never);
  const second = turnstile.alone(1, (sandbox) => sandbox.run(named("second"), never), never);
  await settle();
  const held = turnstile.run(named("held"), never);
  end("first");
  await first;
  await settle();
  end("second");
  await second;
  await settle();
  end("held");
  await held;
  expect(started).toEqual(["first", "second", "held"]);
});

test("a failure of who was alone reaches it and lets the others go on", async () => {
  const { turnstile, end, settle } = stage();
  await expect(turnstile.alone(1, () => Promise.reject(new Error("broken")), never)).rejects.toThrow(
    "broken",
  );
  const after = turnstile.run(named("after"), never);
  await settle();
  end("after");
  expect(await after).toEqual(ENDED);
});

test("one that is stopped while it waits is not run", async () => {
  const { turnstile, started, end, settle } = stage();
  const alone = turnstile.alone(1, (sandbox) => sandbox.run(named("alone"), never), never);
  await settle();
  const controller = new AbortController();
  const stopped = turnstile.run(named("stopped"), controller.signal);
  controller.abort();
  expect((await stopped).status).toEqual({ type: "cancelled" });
  end("alone");
  await alone;
  expect(started).toEqual(["alone"]);
});

test("one that is stopped while it waits to be alone waits no longer, and holds nobody back", async () => {
  const { turnstile, started, end, settle } = stage();
  const a = turnstile.run(named("a"), never);
  await settle();
  const stops = [new AbortController(), new AbortController()] as const;
  // The first waits for what runs, the second for the first.
  const waiting = stops.map(({ signal }, i) =>
    turnstile.alone(1, (sandbox) => sandbox.run(named(`alone ${i}`), never), signal),
  );
  const third = turnstile.alone(1, (sandbox) => sandbox.run(named("third"), never), never);
  await settle();
  stops[1].abort(new Error("called back"));
  await expect(waiting[1]).rejects.toThrow("called back");
  stops[0].abort(new Error("called back as well"));
  await expect(waiting[0]).rejects.toThrow("called back as well");
  await settle();
  expect(started).toEqual(["a"]);
  end("a");
  await a;
  await settle();
  end("third");
  await third;
  const late = turnstile.run(named("late"), never);
  await settle();
  end("late");
  await late;
  expect(started).toEqual(["a", "third", "late"]);
});

test("it is quiet while another executor of the machine wants it to be, and no longer", async () => {
  let untilMs = 2_000;
  const lock: MachineLock = {
    take: () => Promise.resolve(undefined),
    quietUntilMs: () => untilMs,
    close: () => {},
  };
  const { turnstile, started, end } = stage(lock);
  const run = turnstile.run(named("a"), never);
  expect(await turnstile.alone(1, () => Promise.resolve("alone"), never)).toBeUndefined();
  expect(started).toEqual([]);
  // Its time has passed.
  untilMs = 999;
  await expect.poll(() => started).toEqual(["a"]);
  end("a");
  await run;
});
