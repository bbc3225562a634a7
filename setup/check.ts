import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { checkArchitecture, longFiles } from "./architecture.ts";
import { readSources } from "./sources.ts";

/** `npm run check`: everything that can be told without running the product, in parallel, as one short table. */

const root = fileURLToPath(new URL("..", import.meta.url));

interface Answer {
  readonly ok: boolean;
  /** What to mend, or a warning when ok. */
  readonly output: string;
}

interface Check {
  readonly name: string;
  readonly run: () => Promise<Answer>;
  /** What puts it right, where a command does. */
  readonly mend?: string;
}

/** Exit code 0 is the only good one; output is shown when it is another. */
const command =
  (program: string, ...args: string[]): Check["run"] =>
  async () =>
    await new Promise((resolve) => {
      const path = `${root}node_modules/.bin/${program}`;
      const child = spawn(path, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
      const chunks: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
      child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
      child.on("error", (error) => resolve({ ok: false, output: `${path}: ${error.message}` }));
      child.on("close", (code) =>
        resolve({ ok: code === 0, output: code === 0 ? "" : Buffer.concat(chunks).toString() }),
      );
    });

/** In the process itself, so that it needs no test runner; test/architecture.test.ts proves each rule. */
async function architecture(): Promise<Answer> {
  const sources = readSources(root);
  const broken = checkArchitecture(sources);
  const words = broken.map(({ rule, path, message }) => `${path}: ${message} [${rule}]`);
  const long = longFiles(sources).map(
    (source) => `${source.path}: ${source.lines} lines, split it before 400`,
  );
  return await Promise.resolve({ ok: broken.length === 0, output: [...words, ...long].join("\n") });
}

/** The longest first, so that the end waits for none of them alone. */
const CHECKS: readonly Check[] = [
  { name: "lint", run: command("oxlint", "--type-aware", "--deny-warnings") },
  { name: "unused", run: command("knip", "--no-progress") },
  { name: "generated", run: command("node", "codegen.ts", "--check"), mend: "npm run codegen" },
  { name: "types", run: command("tsc", "--noEmit", "-p", ".") },
  { name: "architecture", run: architecture },
  { name: "format", run: command("oxfmt", "--check", "."), mend: "npx oxfmt ." },
];

const started = performance.now();
const seconds = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;

const queue = [...CHECKS];
const failed: (readonly [Check, Answer])[] = [];

async function work(): Promise<void> {
  for (let check = queue.shift(); check; check = queue.shift()) {
    const answer = await check
      .run()
      .catch((error: unknown): Answer => ({ ok: false, output: String(error) }));
    if (!answer.ok) failed.push([check, answer]);
    console.log(`${answer.ok ? "ok  " : "FAIL"}  ${check.name.padEnd(13)} ${seconds()}`);
    if (answer.ok && answer.output !== "") console.log(answer.output.replaceAll(/^/gm, "      "));
  }
}

await Promise.all(Array.from({ length: availableParallelism() + 1 }, work));

for (const [{ name, mend }, { output }] of failed) {
  console.log(`\n── ${name}${mend === undefined ? "" : ` (mend with: ${mend})`}\n${output.trimEnd()}`);
}
console.log(`\n${CHECKS.length - failed.length} of ${CHECKS.length} checks passed in ${seconds()}`);
process.exitCode = failed.length === 0 ? 0 : 1;
