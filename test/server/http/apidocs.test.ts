import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

const space = namespace();
const ROOT = new URL("../../../", import.meta.url).pathname;
const run = promisify(execFile);
let server: TestServer;
let folder: string;

/** Accepts the next `count` submissions. */
async function accept(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const held = await server.holder.take("python");
    await held.started();
    await held.finished({ testsTotal: 0, tests: [], verdict: "AC", cpuMs: 0, memoryKiB: 0 });
  }
}

beforeAll(async () => {
  server = await startTestServer(space);
  await server.problem("hello");
  folder = await mkdtemp(join(tmpdir(), "docket-apidocs-"));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

it("the lines of docs/api.md work as they stand there", { timeout: 60_000 }, async () => {
  const text = await readFile(join(ROOT, "docs/api.md"), "utf8");
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  expect(blocks.length).toBe(5);
  const env = {
    PATH: process.env["PATH"],
    URL: server.url,
    KEY: await server.key("alice"),
    JURY_KEY: await server.key("judge", "jury"),
    DIR: folder,
  };
  const judged = accept(2);
  for (const block of blocks) {
    await run("bash", ["-e", "-o", "pipefail", "-c", block], { cwd: ROOT, env });
  }
  await judged;
});
