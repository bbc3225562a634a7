import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { graphql, socketClient } from "../server/http/client.ts";

/** A program on its owner's own input, on a whole stack: by subscription, by query, from the command line. */

const LIMITS = {
  DOCKET_LIMIT_CODE_RUN_TIME_MS: "400",
  DOCKET_LIMIT_CODE_RUN_MEMORY_MIB: "64",
  DOCKET_LIMIT_CODE_RUN_OUTPUT_KIB: "64",
  DOCKET_LIMIT_CODE_RUN_SHOWN_BYTES: "1000",
  DOCKET_LIMIT_CODE_RUN_INPUT_BYTES: "2000",
  DOCKET_LIMIT_CODE_RUN_KEEP_MS: "3600000",
};

let stack: Stack;
let folder: string;
beforeAll(async () => {
  stack = await startStack({
    pools: [{ name: "scripts", languages: ["python"], executors: 1, slots: 1 }],
    env: process.env,
    extraEnv: { server: LIMITS },
  });
  folder = await mkdtemp(join(tmpdir(), "docket-coderun-"));
}, 120_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await stack.stop();
}, 60_000);

const FIELDS = `id state revision outcome createdAt expiresAt compile { ok message }
  run { exitCode stdout stdoutTruncated stderr }`;
const View = z.object({
  id: z.string(),
  state: z.string(),
  revision: z.int(),
  outcome: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
  run: z.looseObject({ exitCode: z.int().nullable(), stdout: z.string(), stderr: z.string() }).nullable(),
});
const Answer = z.object({
  code: z.string().optional(),
  message: z.string().optional(),
  replayed: z.boolean().optional(),
  codeRun: View.optional(),
});

async function runCode(input: object, key = stack.keys.participant) {
  const query = `mutation ($input: RunCodeInput!) { runCode(input: $input) {
    ... on RunCodeSuccess { replayed codeRun { ${FIELDS} } } ... on UserError { code message } } }`;
  const { data, errors } = await graphql(stack.url, key, query, { input });
  if (data === undefined) throw new Error(JSON.stringify(errors));
  return Answer.parse(data["runCode"]);
}

async function ended(id: string) {
  const client = socketClient(stack.url, { Authorization: `Bearer ${stack.keys.participant}` });
  try {
    const query = `subscription ($id: ID!) { codeRunUpdated(codeRunId: $id) { ${FIELDS} } }`;
    let last: z.infer<typeof View> | undefined;
    for await (const { data, errors } of client.iterate({ query, variables: { id } })) {
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      const next = View.parse(data?.["codeRunUpdated"]);
      expect(next.revision).toBeGreaterThan(last?.revision ?? 0);
      last = next;
    }
    return last;
  } finally {
    await client.dispose();
  }
}

const find = async (id: string, key: string) => {
  const { data } = await graphql(stack.url, key, `query ($id: ID!) { codeRun(id: $id) { ${FIELDS} } }`, {
    id,
  });
  return data?.["codeRun"];
};

const ECHO = "import sys\nprint(input()[::-1])\nprint('noted', file=sys.stderr)\n";

test("its output comes by subscription and stays to be asked for by its owner", async () => {
  const asked = { language: "python3", source: ECHO, stdin: "abc\n", idempotencyKey: "one" };
  const { codeRun, replayed } = await runCode(asked);
  expect(replayed).toBe(false);
  const id = codeRun?.id ?? "";
  const last = await ended(id);
  expect(last).toMatchObject({
    state: "FINISHED",
    outcome: "OK",
    run: { exitCode: 0, stdout: "cba\n", stderr: "noted\n" },
  });
  expect(await find(id, stack.keys.participant)).toEqual(expect.objectContaining({ outcome: "OK" }));
  // The same key is the same run; with another input it is a mistake.
  expect(await runCode(asked)).toMatchObject({ replayed: true, codeRun: { id, outcome: "OK" } });
  expect((await runCode({ ...asked, stdin: "xyz\n" })).code).toBe("IDEMPOTENCY_CONFLICT");
  // It is no submission, and is removed in time.
  const { data } = await graphql(
    stack.url,
    stack.keys.jury,
    "query ($id: ID!) { submission(id: $id) { id } }",
    {
      id,
    },
  );
  expect(data?.["submission"]).toBeNull();
  const hours = (Date.parse(last?.expiresAt ?? "") - Date.parse(last?.createdAt ?? "")) / 3_600_000;
  expect(hours).toBe(1);
}, 120_000);

test.each([
  [{ language: "cobol", source: "x" }, "LANGUAGE_NOT_OFFERED"],
  [{ language: "python", source: "" }, "SOURCE_EMPTY"],
  [{ language: "python" }, "INPUT_INVALID"],
  [{ language: "python", source: "x", entryPoint: "../x" }, "INPUT_INVALID"],
  [{ language: "python", source: "x", stdin: "x".repeat(2_001) }, "SOURCE_TOO_LARGE"],
])("refused with a code: %#", async (input, code) => {
  expect((await runCode(input)).code).toBe(code);
});

test.each([
  ["TLE", "while True: pass\n"],
  ["MLE", "a = []\nwhile True: a.append(bytearray(1 << 20))\n"],
  ["OLE", "while True: print('too much of this' * 1000)\n"],
  ["CE", "print(1 +\n"],
])("%s within the limits of code runs", { timeout: 120_000 }, async (outcome, source) => {
  const { codeRun } = await runCode({ language: "python", source });
  expect(await ended(codeRun?.id ?? "")).toMatchObject({ state: "FINISHED", outcome });
});

test("of much output the beginning is kept", { timeout: 120_000 }, async () => {
  const { codeRun } = await runCode({ language: "python", source: "print('x' * 5000)\n" });
  const last = await ended(codeRun?.id ?? "");
  expect(last?.run).toMatchObject({ stdout: "x".repeat(1_000), stdoutTruncated: true });
});

test("docket run shows what the program wrote, and ends as it did", async () => {
  const file = join(folder, "echo.py");
  await writeFile(file, ECHO);
  await writeFile(join(folder, "in"), "docket\n");
  const cli = join(import.meta.dirname, "../../src/cli/main.ts");
  const run = async (args: readonly string[]) =>
    await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, DOCKET_URL: stack.url, DOCKET_TOKEN: stack.keys.participant };
      execFile(process.execPath, [cli, "run", ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
      );
    });
  const good = await run([file, "--input", join(folder, "in")]);
  expect([good.code, good.stdout]).toEqual([0, "tekcod\n"]);
  expect(good.stderr).toMatch(/^noted\nOK, exit code 0, /);
  // Without input it fails at reading.
  const bad = await run([file]);
  expect([bad.code, bad.stdout]).toEqual([1, ""]);
  expect(bad.stderr).toContain("EOFError");
}, 120_000);
