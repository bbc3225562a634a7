import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../src/cli/client.ts";
import { importProblem } from "../../src/cli/importproblem.ts";
import type { PoolConfig } from "../../src/supervisor/pools.ts";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { writeFiles } from "../cli/packages.ts";
import { graphql } from "../server/http/client.ts";
import { until } from "../support/processes.ts";

/** A program that needs a device, on whole stacks: without one it waits and says why, with one it is judged. */

/** A device of the test's own that gives zeros, as /dev/zero does. */
const DEVICE = `/dev/docket-test-${randomBytes(4).toString("hex")}`;
const PLAIN: PoolConfig = { name: "python", languages: ["python"], slots: 1 };
const GPU: PoolConfig = {
  name: "gpu",
  languages: ["python-gpu"],
  profile: "gpu",
  slots: 1,
  gpu: { devices: [DEVICE], probe: ["test", "-c", DEVICE] },
};
const PROGRAM = `print(open("${DEVICE}", "rb").read(1)[0] + int(input()))\n`;

let folder: string;
let stack: Stack;
const start = async (): Promise<void> => {
  stack = await startStack({ dataFolder: join(folder, "data"), pools: [PLAIN, GPU], env: process.env });
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-gpu-"));
  await chmod(folder, 0o755);
  await start();
}, 180_000);
afterAll(async () => {
  await stack.stop();
  await rm(DEVICE, { force: true });
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

async function put(problem: string, more: string): Promise<void> {
  const path = join(folder, problem);
  await writeFiles(path, {
    "problem.yaml": `problem_format_version: 2025-09\nname: ${problem}\nuuid: x\nlimits: {time_limit: 2.0, memory: 64}\n${more}`,
    "statement/problem.en.md": "Print it.\n",
    "data/secret/1.in": "7\n",
    "data/secret/1.ans": "7\n",
  });
  const client = createClient({ url: stack.url, token: stack.keys.jury });
  try {
    expect(await importProblem(client, { path })).toMatchObject({ type: "imported" });
  } finally {
    await client.close();
  }
}

interface Seen {
  readonly state: string;
  readonly verdict: string | null;
  readonly waitReason: string | null;
  readonly language: { readonly id: string };
  readonly judgement: { readonly tries: readonly { readonly executor: string }[] };
}

async function submit(problem: string, language: string) {
  const query = `mutation ($input: SubmitSubmissionInput!) { submitSubmission(input: $input) {
    ... on SubmitSubmissionSuccess { submission { id } } ... on UserError { code message } } }`;
  const input = { problem, language, source: PROGRAM };
  const { data } = await graphql(stack.url, stack.keys.participant, query, { input });
  return data?.["submitSubmission"] as {
    readonly submission?: { readonly id: string };
    readonly code?: string;
    readonly message?: string;
  };
}

const see = async (id: string | undefined): Promise<Seen> => {
  const query = `query ($id: ID!) { submission(id: $id) {
    state verdict waitReason language { id } judgement { tries { executor } } } }`;
  const { data, errors } = await graphql(stack.url, stack.keys.jury, query, { id });
  if (data === undefined) throw new Error(JSON.stringify(errors));
  return data["submission"] as Seen;
};

const ended = (id: string | undefined): Promise<Seen> =>
  until("its final state", async () => {
    const seen = await see(id);
    return seen.state === "FINISHED" ? seen : undefined;
  });

test(
  "it waits for a device, is not lost, and is judged where one is proved",
  { timeout: 240_000 },
  async () => {
    await put("needs", "resource: gpu\n");
    await put("plain", "");
    const { submission: waiting } = await submit("needs", "python");
    const why = await until(
      "it says why it waits",
      async () => (await see(waiting?.id)).waitReason ?? undefined,
    );
    expect(why).toBe("no executor with a gpu is there for python-gpu");
    // The executor that is there goes on with what it may take: the device is not there for it.
    expect(await ended((await submit("plain", "python")).submission?.id)).toMatchObject({ verdict: "RTE" });
    expect(await see(waiting?.id)).toMatchObject({ state: "QUEUED", language: { id: "python-gpu" } });
    expect(await submit("needs", "java")).toEqual({
      code: "LANGUAGE_NOT_OFFERED",
      message: expect.stringContaining("needs a gpu, which Java has not; there is: python-gpu."),
    });

    await stack.stop();
    execFileSync("mknod", ["-m", "666", DEVICE, "c", "1", "5"]);
    await start();
    const judged = await ended(waiting?.id);
    expect(judged).toMatchObject({ verdict: "AC" });
    expect(judged.judgement.tries.map(({ executor }) => executor.replace(/-[^-]*$/, ""))).toEqual(["gpu-1"]);
    // Beside it, what is no work for a device sees none, and is another pool's.
    const plain = await ended((await submit("plain", "python")).submission?.id);
    expect(plain).toMatchObject({ verdict: "RTE" });
    expect(plain.judgement.tries[0]?.executor).toMatch(/^python-1-/);
  },
);
