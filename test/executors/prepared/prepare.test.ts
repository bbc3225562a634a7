import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Prepared } from "../../../src/executors/languages/language.ts";
import { COMPLETE, preparedFolder } from "../../../src/executors/prepared/folder.ts";
import { prepare, type PrepareDeps, type PrepareStep } from "../../../src/executors/prepared/prepare.ts";
import { isAlive, until } from "../../support/processes.ts";

let cacheDir: string;
let steps: PrepareStep[];
let built: string[];
beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "docket-prepared-"));
  steps = [];
  built = [];
});
afterEach(() => rmSync(cacheDir, { recursive: true }));

const wanted = (name: string, stamp = 1): Prepared => ({
  name,
  script: "true",
  files: { in: name },
  keep: ["out/x"],
  stamp: [stamp],
});
/** Leaves ten bytes. */
const run: PrepareDeps["run"] = (prepared, folder) => {
  built.push(prepared.name);
  mkdirSync(join(folder, "out"));
  writeFileSync(join(folder, "out/x"), readFileSync(join(folder, "in"), "utf8").padEnd(10));
  return Promise.resolve();
};
const make = async (all: readonly Prepared[], maxBytes = 100, how = run): Promise<string[]> => {
  steps = [];
  for (const one of all) mkdirSync(preparedFolder(cacheDir, one), { recursive: true });
  await prepare({ run: how, onStep: (step) => steps.push(step) }, { cacheDir, maxBytes, wanted: all });
  return steps.map((step) => `${step.type} ${step.name.replace(/-.*/, "")}`);
};
const fileOf = (one: Prepared): string => join(preparedFolder(cacheDir, one), "out/x");
/** As if last wanted so long ago. */
const age = (one: Prepared, hours: number): void =>
  utimesSync(join(preparedFolder(cacheDir, one), COMPLETE), 0, Date.now() / 1_000 - hours * 3_600);

it("is made once, and anew when anything that goes into it is another", async () => {
  expect(await make([wanted("a")])).toEqual(["miss a"]);
  expect(readFileSync(fileOf(wanted("a")), "utf8")).toBe("a         ");
  expect(await make([wanted("a"), wanted("b")])).toEqual(["hit a", "miss b"]);
  expect(await make([wanted("a", 2)])).toEqual(["miss a"]);
  expect(built).toEqual(["a", "b", "a"]);
});

it("what was not wanted for the longest time goes first; what is wanted now stays", async () => {
  await make([wanted("a"), wanted("b"), wanted("c")], 30);
  age(wanted("a"), 1);
  age(wanted("b"), 2);
  age(wanted("c"), 3);
  expect(await make([wanted("c"), wanted("d")], 30)).toEqual(["hit c", "evicted b", "miss d"]);
  expect([existsSync(fileOf(wanted("a"))), existsSync(fileOf(wanted("b")))]).toEqual([true, false]);
  expect(await make([wanted("d"), wanted("e"), wanted("f")], 20)).toEqual([
    "hit d",
    "evicted a",
    "evicted c",
    "miss e",
    "failed f",
  ]);
  expect(steps.at(-1)).toMatchObject({ reason: expect.stringContaining("toolchainCacheBytes") });
});

it("a failure leaves nothing half made and keeps nothing else from being made", async () => {
  const broken: PrepareDeps["run"] = async (prepared, folder) => {
    await run(prepared, folder);
    if (prepared.name === "a") throw new Error("no compiler");
  };
  expect(await make([wanted("a"), wanted("b")], 100, broken)).toEqual(["failed a", "miss b"]);
  expect(existsSync(fileOf(wanted("a")))).toBe(false);
  // Another start tries again, and what a killed one left is no hindrance.
  mkdirSync(`${preparedFolder(cacheDir, wanted("a"))}.making/out`, { recursive: true });
  expect(await make([wanted("a")])).toEqual(["miss a"]);
});

it("two at once make it once", async () => {
  mkdirSync(preparedFolder(cacheDir, wanted("a")), { recursive: true });
  const input = { cacheDir, maxBytes: 100, wanted: [wanted("a")] };
  const deps: PrepareDeps = { run, onStep: (step) => steps.push(step) };
  await Promise.all([prepare(deps, input), prepare(deps, input)]);
  expect(steps.map((step) => step.type).toSorted()).toEqual(["hit", "miss"]);
  expect(built).toEqual(["a"]);
});

it("the preparer ends with its executor, and the compiler that it runs with it", async () => {
  const slow: Prepared = { ...wanted("a"), script: `echo $$ > ${cacheDir}/pid; sleep 600` };
  mkdirSync(preparedFolder(cacheDir, slow), { recursive: true });
  const program = join(import.meta.dirname, "../../../src/executors/prepared/preparer.ts");
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "ignore", "inherit"] });
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.stdin.write(`${JSON.stringify({ cacheDir, maxBytes: 100, wanted: [slow] })}\n`);
  const pid = await until("its compiler runs", () => {
    const file = join(cacheDir, "pid");
    return existsSync(file) && Number(readFileSync(file, "utf8"));
  });
  child.stdin.destroy();
  await closed;
  await until("its compiler has gone", async () => !(await isAlive(pid)));
});
