import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isAlive, processesWith, until } from "../support/processes.ts";
import { problemtoolsSource } from "../support/problemtools.ts";
import { type CliEnd, lastJson, startCli } from "./running.ts";

const examples = join(import.meta.dirname, "../../examples/problems");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-test-"));
  // The stack's processes run under users of their own and must get through.
  await chmod(folder, 0o711);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Report {
  readonly submissions: number;
  readonly asExpected: number;
  readonly notOffered: number;
  readonly misses: readonly unknown[];
}

/** What a run must leave behind: neither processes nor files. */
async function expectNothingLeft(): Promise<void> {
  await until("no process of the stack is left", async () => (await processesWith(folder)).length === 0);
  expect(await readdir(folder)).toEqual([]);
}

function expectNoMiss(end: CliEnd, atLeast: number): void {
  const report = lastJson(end) as Report;
  expect(report.misses, end.stdout).toEqual([]);
  expect(end.code).toBe(0);
  expect(report.asExpected).toBe(report.submissions - report.notOffered);
  expect(report.submissions).toBeGreaterThanOrEqual(atLeast);
}

it("verify --ephemeral: every program of the example problems does as it says, in every language", async () => {
  const problems = (await readdir(examples)).map((name) => join(examples, name));
  const end = await startCli(["verify", "--ephemeral", "--json", ...problems], { TMPDIR: folder }).end;
  expectNoMiss(end, 140);
  // Ten or more of these need no toolchain beyond what Docket itself brings or requires.
  expect((lastJson(end) as Report).asExpected).toBeGreaterThanOrEqual(40);
  await expectNothingLeft();
}, 400_000);

it("verify --ephemeral: the packages of the format's own tools", async () => {
  const source = await problemtoolsSource();
  const packages = ["hello", "different"].map((name) => join(source, "examples", name));
  const end = await startCli(["verify", "--ephemeral", "--json", ...packages], { TMPDIR: folder }).end;
  expectNoMiss(end, 28);
  await expectNothingLeft();
}, 400_000);

it("Ctrl-C ends it with 130, and its stack with it", async () => {
  const running = startCli(["verify", "--ephemeral", join(examples, "twopiles")], { TMPDIR: folder });
  await running.said("Two Piles");
  running.child.kill("SIGINT");
  expect(await running.end).toMatchObject({ code: 130 });
  expect(await isAlive(running.child.pid ?? 0)).toBe(false);
  await expectNothingLeft();
}, 120_000);

it("Ctrl-C while the stack starts ends it as well", async () => {
  const running = startCli(["problems", "--ephemeral"], { TMPDIR: folder });
  await running.said("Starting a stack");
  running.child.kill("SIGINT");
  expect((await running.end).code).toBe(130);
  await expectNothingLeft();
}, 120_000);
