import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { openTestExecutor } from "./inprocess.ts";
import { createSleepKind } from "./sleepkind.ts";
import { executorEnv, openStage, type Stage, temporaryFolder } from "./stage.ts";
import { namespace } from "../../support/namespace.ts";
import { Sha256, type SubmissionId } from "../../../src/shared/ids.ts";

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
let stage: Stage;
let count = 0;

const text = "a test's input";
const sha256 = Sha256.parse(createHash("sha256").update(text).digest("hex"));

/** The server's side of /blobs, to be in any trouble. */
let server: Server;
let answer: { status: number; body: string };
let asked: (string | undefined)[];
let port: number;

const listen = (on: number) =>
  new Promise<void>((resolve) => {
    server = createServer((request, response) => {
      if (request.url === "/readyz") {
        response.writeHead(answer.status >= 500 ? 503 : 200).end();
        return;
      }
      asked.push(request.headers.authorization);
      response.writeHead(answer.status).end(answer.body);
    });
    server.listen(on, "127.0.0.1", resolve);
  });
const close = () =>
  new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

beforeAll(async () => {
  stage = await openStage(natsUrl, topology);
});
afterAll(() => stage.close());
beforeEach(async () => {
  answer = { status: 200, body: text };
  asked = [];
  await listen(0);
  port = (server.address() as AddressInfo).port;
});
afterEach(close);

const open = () => {
  const id = `blobs-${++count}`;
  const workDir = join(folder(), id);
  mkdirSync(workDir);
  const env = { DOCKET_SERVER_URL: `http://127.0.0.1:${port}`, DOCKET_SLOTS: "1" };
  return openTestExecutor(executorEnv(natsUrl, topology, { id, workDir, ...env }), createSleepKind());
};
const fault = (submission: SubmissionId) =>
  stage.until((events) => events.find((e) => e.submission === submission && e.type === "fault"));

test("a job's blob is fetched with its own capability, once for many jobs", async () => {
  await open();
  const first = await stage.putJob({ blob: sha256 }, { capability: "cap-1" });
  expect(await stage.finished(first)).toMatchObject({ result: { text } });
  await stage.finished(await stage.putJob({ blob: sha256 }, { capability: "cap-2" }));
  expect(asked).toEqual(["Bearer cap-1"]);
});

test("a wrong, a missing and a refused blob are faults of that job alone", async () => {
  const executor = await open();
  answer = { status: 200, body: "something else" };
  const corrupt = await stage.putJob({ blob: sha256 });
  expect(await fault(corrupt)).toMatchObject({ fault: { code: "BLOB_CORRUPT", shared: false } });
  answer = { status: 404, body: "" };
  const missing = await stage.putJob({ blob: sha256 });
  expect(await fault(missing)).toMatchObject({ fault: { code: "BLOB_UNAVAILABLE", shared: false } });
  answer = { status: 403, body: "" };
  const refused = await stage.putJob({ blob: sha256 });
  expect(await fault(refused)).toMatchObject({ fault: { code: "BLOB_UNAVAILABLE", shared: false } });
  expect(await executor.ready()).toMatchObject({ state: "ready" });
  answer = { status: 200, body: text };
  for (const submission of [corrupt, missing, refused]) await stage.finished(submission);
});

test.each(["away", "in trouble"])(
  "while the blob store is %s the job waits and none is taken",
  async (how) => {
    const executor = await open();
    if (how === "away") await close();
    else answer = { status: 503, body: "" };
    const held = await stage.putJob({ blob: sha256 });
    const other = await stage.putJob({});
    await expect
      .poll(() => executor.ready(), { timeout: 5_000 })
      .toMatchObject({
        state: "unhealthy",
        reason: expect.stringContaining("Blob") as string,
      });
    expect(stage.ofSubmission(held).map((event) => event.type)).toEqual(["started"]);
    expect(stage.ofSubmission(other)).toEqual([]);
    answer = { status: 200, body: text };
    if (how === "away") await listen(port);
    expect(await stage.finished(held)).toMatchObject({ delivery: 1, result: { text } });
    expect(await stage.finished(other)).toMatchObject({ delivery: 1 });
    expect(await executor.ready()).toMatchObject({ state: "ready" });
  },
);
