import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { namespace } from "../../support/namespace.ts";
import {
  type ExecutorProcess,
  executorEnv,
  openStage,
  type Stage,
  startExecutorProcess,
  temporaryFolder,
} from "./stage.ts";

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
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

const start = async (id: string, more: Record<string, string> = {}): Promise<ExecutorProcess> => {
  const one = await startExecutorProcess(
    executorEnv(natsUrl, topology, { id, workDir: join(folder(), id), ...more }),
  );
  processes.push(one);
  return one;
};

test("a job killed with its executor is finished by another one within 15 s, once", async () => {
  const first = await start("kill-a");
  const submission = await stage.putJob({ ms: 3_000 });
  await stage.until((events) => events.find((e) => e.submission === submission && e.type === "started"));
  await start("kill-b");
  const killedAtMs = Date.now();
  first.kill("SIGKILL");
  const finished = await stage.finished(submission, 15_000);
  expect(finished).toMatchObject({ executor: "kill-b", delivery: 2 });
  expect(Date.now() - killedAtMs).toBeLessThan(15_000);
  expect(stage.ofSubmission(submission).filter((e) => e.type === "finished")).toHaveLength(1);
  await expect.poll(() => stage.waiting()).toBe(0);
});
