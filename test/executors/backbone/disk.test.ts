import { afterAll, beforeAll, expect, test } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { openTestExecutor } from "./inprocess.ts";
import { createSleepKind } from "./sleepkind.ts";
import { executorEnv, openStage, type Stage, temporaryFolder } from "./stage.ts";

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
let stage: Stage;
beforeAll(async () => {
  stage = await openStage(natsUrl, topology);
});
afterAll(() => stage.close());

test("an executor with less free disk than executorFreeDiskBytes takes no job, and says why", async () => {
  const none = { DOCKET_LIMIT_EXECUTOR_FREE_DISK_BYTES: String(Number.MAX_SAFE_INTEGER) };
  const env = executorEnv(natsUrl, topology, { id: "full", workDir: folder(), ...none });
  const { executor, ...opened } = await openTestExecutor(env, createSleepKind());
  const reason = expect.stringContaining("too little to take a job") as string;
  expect(await opened.ready()).toMatchObject({ state: "unhealthy", reason });
  await stage.putJob({ ms: 0 });
  const asked = (await fetch(`${executor.url()}/metrics`)).text();
  expect(await asked).toContain("docket_executor_healthy 0");
  expect(await stage.waiting()).toBe(1);
});
