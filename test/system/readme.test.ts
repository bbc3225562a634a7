import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createClient } from "../../src/cli/client.ts";
import { importProblem } from "../../src/cli/importproblem.ts";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";

/** What README.md tells a newcomer to type does what it says, as it stands there. */

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

let stack: Stack;
let readme: string;
let folder: string;

beforeAll(async () => {
  stack = await startStack({
    pools: [{ name: "scripts", languages: ["python"], slots: 1 }],
    env: process.env,
  });
  const jury = createClient({ url: stack.url, token: stack.keys.jury });
  const hello = join(root, "examples/problems/hello");
  expect(await importProblem(jury, { path: hello })).toMatchObject({ type: "imported" });
  await jury.close();
  readme = (await readFile(join(root, "README.md"), "utf8")).replaceAll(
    "127.0.0.1:4000",
    new URL(stack.url).host,
  );
  folder = await mkdtemp(join(tmpdir(), "docket-readme-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
}, 120_000);
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

/** The README's code blocks in `language` that contain `text`. */
function block(language: string, text: string): string {
  const blocks = [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const found = blocks.find(([, marked, code]) => marked === language && code?.includes(text) === true);
  if (found?.[2] === undefined) throw new Error(`README.md has no ${language} block with ${text}`);
  return found[2];
}

const shell = async (script: string): Promise<string> => {
  const env = { ...process.env, TOKEN: stack.keys.participant, DOCKET_TOKEN: stack.keys.participant };
  return (await run("bash", ["-euc", script], { env, cwd: folder, timeout: 60_000 })).stdout;
};

const Submitted = z.object({
  data: z.object({
    submitSubmission: z.object({ submission: z.object({ id: z.string(), state: z.string() }) }),
  }),
});

describe("README.md", () => {
  it("submits with curl, and follows with graphql-ws up to the verdict", async () => {
    const answer = Submitted.parse(JSON.parse(await shell(block("sh", "mutation"))));
    const { id, state } = answer.data.submitSubmission.submission;
    expect(state).toBe("PENDING");

    const program = block("js", "createClient");
    const script = join(folder, "follow.mjs");
    const before = `const submissionId = ${JSON.stringify(id)};\nconst lastRevision = null;\n`;
    await writeFile(script, `${before}${program}\nawait client.dispose();\n`);
    const output = await shell(`${process.execPath} ${script}`);
    expect(output).toContain("verdict: 'AC'");
  });

  it("submits over REST: 202 with the address to ask at, and the same again for the same key", async () => {
    const script = block("sh", "idempotency-key");
    const first = await shell(script);
    expect(first).toMatch(/^HTTP\/1.1 202/);
    const location = /^location: (.+?)\r?$/im.exec(first)?.[1];
    expect(location).toBeDefined();
    expect(/^location: (.+?)\r?$/im.exec(await shell(script))?.[1]).toBe(location);
  });
});
