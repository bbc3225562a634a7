import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NatsServer, startNatsServer } from "../../../src/supervisor/natsserver.ts";
import { startWatchdog } from "../../../src/supervisor/watchdog.ts";
import type { SubmissionId } from "../../../src/shared/ids.ts";
import { decodeJson } from "../../../src/shared/nats.ts";
import { JudgeEvent } from "../../../src/shared/protocol.ts";
import { eventStreamOf } from "../../../src/shared/topology.ts";
import { until } from "../../support/processes.ts";
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

/**
 * Every event about a submission, from the stream: a plain subscription may be back later than the executor and miss some.
 */
async function stored(submission: SubmissionId): Promise<JudgeEvent[]> {
  const { streams } = await jetstreamManager(stage.nats);
  const name = eventStreamOf(topology);
  const { first_seq: first, last_seq: last } = (await streams.info(name)).state;
  const found: JudgeEvent[] = [];
  for (let seq = first; seq <= last; seq++) {
    const message = await streams.getMessage(name, { seq });
    const event = message === null ? undefined : decodeJson(JudgeEvent, message.data);
    if (event?.submission === submission) found.push(event);
  }
  return found;
}
/** Resolves when the job has left its stream: acknowledged after its final event. */
const acknowledged = () =>
  until("the job is acknowledged", async () => (await stage.waiting().catch(() => 1)) === 0, 30_000);

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
  await acknowledged();
  expect((await stored(submission)).filter((e) => e.type === "finished")).toMatchObject([{ delivery: 1 }]);
  await expect.poll(() => executor.ready()).toMatchObject({ state: "ready" });
  expect(begun).toEqual([submission]);
});

test("NATS away for longer: the job is stopped, comes again, and is finished by the newer holder", async () => {
  const begun: string[] = [];
  await open("long", begun);
  const submission = await stage.putJob({ ms: 3_000 });
  await stage.until((events) => events.find((e) => e.submission === submission && e.type === "compiled"));
  await away(8_000);
  await acknowledged();
  // A killed broker may have forgotten a delivery and count it again; then the later holder's numbers are higher.
  const events = await stored(submission);
  const finished = events.filter((event) => event.type === "finished");
  const newest = events.toSorted((one, other) => one.delivery - other.delivery || one.seq - other.seq).at(-1);
  expect(finished).toEqual([newest]);
  expect(begun.length).toBe(2);
}, 60_000);
