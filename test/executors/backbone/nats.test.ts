import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NatsServer, startNatsServer } from "../../../src/supervisor/natsserver.ts";
import { startWatchdog } from "../../../src/supervisor/watchdog.ts";
import { binaryPath } from "../../support/binaries.ts";
import { openTestExecutor } from "./inprocess.ts";
import { createSleepKind } from "./sleepkind.ts";
import { executorEnv, openStage, type Stage } from "./stage.ts";

const topology = { prefix: "", replicas: 1 };
const folder = mkdtempSync(join(tmpdir(), "docket-nats-"));
const deps = { watchdog: startWatchdog() };
let nats: NatsServer;
let stage: Stage;

beforeAll(async () => {
  nats = await startNatsServer(deps, { binary: binaryPath("nats-server"), folder: join(folder, "nats") });
  stage = await openStage(nats.url, topology);
});
afterAll(async () => {
  await stage.close();
  await nats.child.stop(5_000);
  rmSync(folder, { recursive: true, force: true });
});

const away = async (ms: number): Promise<void> => {
  const { port } = nats;
  nats.child.kill("SIGKILL");
  await nats.child.exited;
  await sleep(ms);
  nats = await startNatsServer(deps, {
    binary: binaryPath("nats-server"),
    folder: join(folder, "nats"),
    port,
  });
};

const open = (id: string, begun: string[]) => {
  const workDir = join(folder, id);
  mkdirSync(workDir);
  return openTestExecutor(
    executorEnv(nats.url, topology, { id, workDir }),
    createSleepKind({ begun: (submission) => begun.push(submission) }),
  );
};

test("NATS away for less than a lease: the job in hand goes on and its result gets through, once", async () => {
  const begun: string[] = [];
  const executor = await open("short", begun);
  const submission = await stage.putJob({ ms: 1_000 });
  await stage.until((events) => events.find((e) => e.submission === submission && e.type === "compiled"));
  const back = away(1_500);
  await expect
    .poll(() => executor.ready())
    .toMatchObject({ state: "unhealthy", reason: "NATS is not connected" });
  await back;
  expect(await stage.finished(submission)).toMatchObject({ delivery: 1 });
  await expect.poll(() => stage.waiting()).toBe(0);
  await expect.poll(() => executor.ready()).toMatchObject({ state: "ready" });
  expect(begun).toEqual([submission]);
});

test("NATS away for longer: the job is stopped, comes again, and is finished by the newer holder", async () => {
  const begun: string[] = [];
  await open("long", begun);
  const submission = await stage.putJob({ ms: 3_000 });
  await stage.until((events) => events.find((e) => e.submission === submission && e.type === "compiled"));
  await away(8_000);
  const finished = await stage.finished(submission, 30_000);
  // A killed broker may have forgotten a delivery and count it again; then the later holder's numbers are higher.
  const newest = stage
    .ofSubmission(submission)
    .toSorted((a, b) => a.delivery - b.delivery || a.seq - b.seq)
    .at(-1);
  expect(newest).toEqual(finished);
  expect(stage.ofSubmission(submission).filter((e) => e.type === "finished")).toHaveLength(1);
  await expect.poll(() => stage.waiting()).toBe(0);
  expect(begun.length).toBe(2);
}, 60_000);
