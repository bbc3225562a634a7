import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ExecutorId } from "../../src/shared/ids.ts";
import { decodeJson } from "../../src/shared/nats.ts";
import { Presence } from "../../src/shared/protocol.ts";
import { subjects } from "../../src/shared/topology.ts";
import { binaryPath } from "../support/binaries.ts";
import { namespace } from "../support/namespace.ts";
import { isAlive, until } from "../support/processes.ts";
import {
  type ExecutorProcess,
  executorEnv,
  openStage,
  type Stage,
  startExecutorProcess,
  temporaryFolder,
} from "./backbone/stage.ts";

/** The real src/executors/main.ts: root at first, the sandbox's launcher, the drop, the self-test. */

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
const main = join(import.meta.dirname, "../../src/executors/main.ts");
const UID = 61_500;
let stage: Stage;
let processes: ExecutorProcess[] = [];

beforeAll(async () => {
  stage = await openStage(natsUrl, topology);
});
afterEach(async () => {
  for (const { child } of processes) child.kill("SIGKILL");
  await Promise.all(processes.map((one) => one.exited));
  processes = [];
});
afterAll(() => stage.close());

const start = async (
  id: string,
  more: Record<string, string> = {},
  uid?: number,
): Promise<ExecutorProcess> => {
  const env = executorEnv(natsUrl, topology, {
    id,
    workDir: join(folder(), "work", id),
    DOCKET_UID: String(UID),
    DOCKET_SLOT_UID_BASE: String(UID + 1),
    DOCKET_BWRAP: binaryPath("bwrap"),
    DOCKET_TOOLCHAIN_DIR: join(folder(), "toolchains"),
    ...more,
  });
  const one = await startExecutorProcess(env, uid === undefined ? { main } : { main, uid });
  processes.push(one);
  return one;
};
const refusal = async (...args: Parameters<typeof start>): Promise<string> => {
  try {
    await start(...args);
  } catch (error) {
    return String(error);
  }
  throw new Error("it started");
};
const uidsOf = async (pid: number): Promise<string | undefined> =>
  /^Uid:\s+(.*)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
/** By its command: what prepares toolchains is a child as well, and an older one. */
const launcherOf = (executor: ExecutorProcess): Promise<number> =>
  until("the launcher", async () => {
    const pid = executor.child.pid ?? 0;
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    for (const child of children.trim().split(" ")) {
      const command = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
      if (command.includes("/sandbox/launcher.ts")) return Number(child);
    }
    return undefined;
  });

test("gives up root for good, answers for its health, and leaves nothing behind", async () => {
  const executor = await start("main-a");
  expect(await uidsOf(executor.child.pid ?? 0)).toBe(Array(4).fill(UID).join("\t"));
  const page = async (path: string) => {
    const answer = await fetch(`${executor.url}${path}`);
    return [answer.status, await answer.text()] as const;
  };
  expect((await page("/livez"))[0]).toBe(200);
  expect(await page("/readyz")).toEqual([200, JSON.stringify({ state: "ready" })]);
  expect((await page("/nothing"))[0]).toBe(404);
  const [, metrics] = await page("/metrics");
  for (const name of ["slots 2", "slots_busy 0", "healthy 1", "heartbeat_age_seconds 0"]) {
    expect(metrics).toContain(`docket_executor_${name}\n`);
  }
  const launcher = await launcherOf(executor);
  expect(executor.url.startsWith("http://127.0.0.1:")).toBe(true);
  executor.kill("SIGTERM");
  expect(await executor.exited).toEqual({ code: 0, signal: null });
  await until("the launcher has ended", async () => !(await isAlive(launcher)));
});

test("a language without its toolchain is not offered, and presence says what to install", async () => {
  const id = ExecutorId.parse("main-b");
  const said: Presence[] = [];
  stage.nats.subscribe(subjects.presence(topology, id), {
    callback: (_error, message) => {
      const presence = decodeJson(Presence, message.data);
      if (presence !== undefined) said.push(presence);
    },
  });
  // Rust is the one language that is found by PATH and home alone on every machine.
  await start(id, { DOCKET_LANGUAGES: "python,rust", PATH: "/nowhere", HOME: "/nowhere" });
  const presence = await until("presence", () => said.find((one) => one.state === "ready"));
  expect(presence.languages).toMatchObject([
    { id: "python", version: expect.stringMatching(/^Python 3/) as string },
  ]);
  expect(presence.notOffered).toMatchObject([
    { id: "rust", reason: expect.stringContaining("apt-get install rustc") as string },
  ]);
  expect(presence).toMatchObject({ executor: id, pool: "test", slots: 2, running: [] });
});

test("an executor whose launcher was killed ends, as it cannot run anything protected", async () => {
  const executor = await start("main-c");
  process.kill(await launcherOf(executor), "SIGKILL");
  expect(await executor.exited).toMatchObject({ code: 1 });
});

test("two executors never share a work folder", async () => {
  await start("main-d");
  expect(await refusal("main-d")).toMatch(/code 1 .*\n.*Another executor uses the work folder/);
});

test("what keeps it from starting is said in plain words", async () => {
  expect(await refusal("main-e", { DOCKET_UID: "0", DOCKET_SLOTS: "none" })).toMatch(
    /code 78 [^]*DOCKET_SLOTS[^]*DOCKET_UID/,
  );
  expect(await refusal("main-f", { DOCKET_BWRAP: "/nowhere/bwrap" })).toMatch(/code 1 [^]*bwrap/);
  expect(
    await refusal("main-g", { DOCKET_WORK_DIR: join("/tmp", `docket-g-${process.pid}`) }, 65_534),
  ).toMatch(/code 1 [^]*root/);
}, 120_000);
