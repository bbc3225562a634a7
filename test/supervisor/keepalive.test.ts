import { afterEach, expect, test } from "vitest";
import { startChild } from "../../src/supervisor/child.ts";
import { keepAlive, type Kept, type ProcessEvent, type StartOnce } from "../../src/supervisor/keepalive.ts";
import { startWatchdog } from "../../src/supervisor/watchdog.ts";
import { isAlive, until } from "../support/processes.ts";

const watchdog = startWatchdog();
const kept: Kept[] = [];
afterEach(async () => {
  for (const process of kept.splice(0)) await process.stop(100);
});

const sleeper: StartOnce = async (born) => {
  born(await startChild(watchdog, { name: "sleeper", command: "/bin/sleep", args: ["1000"] }));
};

async function keepSleeper(events: ProcessEvent[]): Promise<Kept> {
  const process = await keepAlive("sleeper", sleeper, (event) => events.push(event));
  kept.push(process);
  return process;
}

test("a process that dies is started again, and said to be", async () => {
  const events: ProcessEvent[] = [];
  const process = await keepSleeper(events);
  const first = process.pid();
  expect(process.kill("SIGKILL")).toBe(true);
  await until("it died", () => events.some((event) => event.type === "died"));
  await process.ready();
  expect(process.pid()).not.toBe(first);
  expect(events.map((event) => event.type)).toEqual(["starting", "ready", "died", "restarting", "ready"]);
  expect(events[2]?.detail).toBe("signal SIGKILL");
});

test("a wished restart is no death and waits for nothing", async () => {
  const events: ProcessEvent[] = [];
  const process = await keepSleeper(events);
  const first = process.pid();
  await process.restart(1_000);
  expect(process.pid()).not.toBe(first);
  expect(events.map((event) => event.type)).toEqual(["starting", "ready", "restarting", "ready"]);
  expect(events[2]?.detail).toBe("in 0 s");
});

test("one that lives long and never gets ready is tried less and less often, until it has been ready for long", async () => {
  const events: ProcessEvent[] = [];
  const HEALTHY_MS = 20;
  let starts = 0;
  const stubborn: StartOnce = async (born) => {
    starts += 1;
    const child = await startChild(watchdog, {
      name: "stubborn",
      command: "/bin/sleep",
      // Longer than a healthy life, and then it gives up.
      args: [starts === 1 || starts > 3 ? "1000" : "0.1"],
    });
    born(child);
    if (starts === 1 || starts > 3) return;
    await child.exited;
    throw new Error("never ready");
  };
  const process = await keepAlive("stubborn", stubborn, (event) => events.push(event), HEALTHY_MS);
  kept.push(process);
  const delays = (): (string | undefined)[] =>
    events.filter(({ type }) => type === "restarting").map(({ detail }) => detail);
  process.kill("SIGKILL");
  await until("it was started again", () => delays().length > 0);
  await process.ready();
  expect(delays()).toEqual(["in 0.25 s", "in 0.5 s", "in 1 s"]);
  const readyAt = performance.now();
  await until("it was healthy", () => performance.now() - readyAt > 2 * HEALTHY_MS);
  process.kill("SIGKILL");
  await until("it was started again", () => delays().length > 3);
  expect(delays().at(-1)).toBe("in 0.25 s");
});

test("a first start that fails is thrown", async () => {
  const failing: StartOnce = () => Promise.reject(new Error("no such thing"));
  await expect(keepAlive("failing", failing, () => {})).rejects.toThrow("no such thing");
});

test("a stop while it starts again leaves no process behind", async () => {
  const events: ProcessEvent[] = [];
  const born: number[] = [];
  const slow: StartOnce = async (tell) => {
    const child = await startChild(watchdog, { name: "slow", command: "/bin/sleep", args: ["1000"] });
    tell(child);
    born.push(child.pid);
    // The second one never becomes ready.
    if (born.length > 1) {
      await child.exited;
      throw new Error("ended before it was ready");
    }
  };
  const process = await keepAlive("slow", slow, (event) => events.push(event));
  process.kill("SIGKILL");
  await until("the second life", () => born[1] !== undefined);
  await process.stop(1_000);
  for (const pid of born) expect(await isAlive(pid)).toBe(false);
  expect(events.at(-1)?.type).toBe("stopped");
});

test("a stop just before the next life begins ends that, too", async () => {
  const gate = Promise.withResolvers<void>();
  const born: number[] = [];
  let starts = 0;
  const gated: StartOnce = async (tell) => {
    starts += 1;
    if (starts > 1) await gate.promise;
    const child = await startChild(watchdog, { name: "gated", command: "/bin/sleep", args: ["1000"] });
    born.push(child.pid);
    tell(child);
  };
  const process = await keepAlive("gated", gated, () => {});
  process.kill("SIGKILL");
  await until("the second start", () => starts > 1);
  const stopped = process.stop(1_000);
  gate.resolve();
  await stopped;
  expect(born.length).toBe(2);
  for (const pid of born) expect(await isAlive(pid)).toBe(false);
});
