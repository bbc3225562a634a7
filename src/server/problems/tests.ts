import type { ManifestTest } from "../../shared/judging.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Findings } from "./finding.ts";
import { type GroupConfig, NO_GROUP_CONFIG, readGroupConfig, readTestConfig } from "./groupconfig.ts";
import type { Layout } from "./packagelimits.ts";
import { hasByteOrderMark, namesIn, type PackageTree } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";

export interface FoundTest {
  readonly name: string;
  readonly sample: boolean;
  readonly input: UnpackedFile;
  readonly answer: UnpackedFile;
  readonly config: GroupConfig;
}

export interface FoundTests {
  readonly tests: readonly FoundTest[];
  readonly runAllTests: boolean;
}

interface Deps {
  readonly tree: PackageTree;
  readonly findings: Findings;
  readonly layout: Layout;
  readonly limits: Pick<Limits, "problemTests">;
}

/** Endings that belong to a test without meaning anything for judging. */
const ANNOTATIONS =
  /\.(hint|desc|png|jpe?g|svg|interaction|out|in\.statement|ans\.statement|in\.download|ans\.download)$/;

async function findTest(
  deps: Deps,
  input: { folder: string; fileName: string; sample: boolean; config: GroupConfig },
): Promise<FoundTest | undefined> {
  const { tree, findings } = deps;
  const base = `${input.folder}/${input.fileName.slice(0, -".in".length)}`;
  const inputFile = tree.files.get(`${base}.in`);
  const answerFile = tree.files.get(`${base}.ans`);
  if (inputFile === undefined) return undefined;
  if (answerFile === undefined) {
    findings.error(`${base}.in`, "the test has no answer file", { expected: `${base}.ans` });
    return undefined;
  }
  for (const file of [inputFile, answerFile]) {
    if (await hasByteOrderMark(file)) {
      findings.error(file.path, "the file starts with a byte-order mark, which programs would read as data", {
        line: 1,
        expected: "UTF-8 without a byte-order mark",
      });
    }
  }
  const config = await readTestConfig(deps, { test: base, above: input.config });
  return {
    name: base.slice("data/".length),
    sample: input.sample,
    input: inputFile,
    answer: answerFile,
    config,
  };
}

/** Tests of one folder and of those in it, in the order of the format: by base name, folders and tests together. */
async function walk(
  deps: Deps,
  input: { folder: string; sample: boolean; above: GroupConfig },
): Promise<{ tests: FoundTest[]; continues: boolean }> {
  const { tree, findings, layout } = deps;
  const { folder, sample } = input;
  const config = await readGroupConfig(deps, { folder, above: input.above });
  const { files, folders } = namesIn(tree, folder);
  const inputs = files.filter((name) => name.endsWith(".in"));
  const groups = folders.filter((name) => {
    if (!name.endsWith(".files")) return true;
    findings.error(`${folder}/${name}`, "input files for submissions (.files) are not supported yet");
    return false;
  });
  if (layout === "2025-09" && inputs.length > 0 && groups.length > 0 && folder === "data/secret") {
    findings.error(folder, "tests and test groups are mixed", {
      expected: "either tests or groups in data/secret",
    });
  }
  const bases = new Set(inputs.map((name) => name.slice(0, -".in".length)));
  for (const name of files) {
    const known =
      name.endsWith(".in") ||
      ANNOTATIONS.test(name) ||
      name === "testdata.yaml" ||
      name === "test_group.yaml";
    if (known) continue;
    if (name.endsWith(".ans")) {
      if (!bases.has(name.slice(0, -".ans".length))) {
        findings.error(`${folder}/${name}`, "the answer belongs to no test", {
          expected: `${folder}/${name.slice(0, -".ans".length)}.in`,
        });
      }
    } else if (!(name.endsWith(".yaml") && bases.has(name.slice(0, -".yaml".length)))) {
      findings.warn(`${folder}/${name}`, "ignored: not a file of a test");
    }
  }
  const steps = [
    ...inputs.map((name) => ({ key: name.slice(0, -".in".length), name, test: true })),
    ...groups.map((name) => ({ key: name, name, test: false })),
  ].toSorted((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  const tests: FoundTest[] = [];
  let continues = config.continueOnReject;
  for (const step of steps) {
    if (step.test) {
      const test = await findTest(deps, { folder, fileName: step.name, sample, config });
      if (test !== undefined) tests.push(test);
    } else {
      const inner = await walk(deps, { folder: `${folder}/${step.name}`, sample, above: config });
      if (inner.tests.length === 0) findings.warn(`${folder}/${step.name}`, "the group holds no tests");
      tests.push(...inner.tests);
      continues ||= inner.continues;
    }
  }
  return { tests, continues };
}

/** All tests in the order in which they are run: samples first, then secret. */
export async function findTests(deps: Deps): Promise<FoundTests> {
  const { tree, findings, layout, limits } = deps;
  const root =
    layout === "legacy"
      ? await readGroupConfig(deps, { folder: "data", above: NO_GROUP_CONFIG })
      : NO_GROUP_CONFIG;
  const samples = await walk(deps, { folder: "data/sample", sample: true, above: root });
  const secret = await walk(deps, { folder: "data/secret", sample: false, above: root });
  if (secret.tests.length === 0) {
    findings.error("data/secret", "there are no secret tests", { expected: "pairs of .in and .ans files" });
  }
  const tests = [...samples.tests, ...secret.tests];
  if (tests.length > limits.problemTests) {
    findings.error("data", `there are ${tests.length} tests`, { expected: `at most ${limits.problemTests}` });
  }
  const stray = namesIn(tree, "data").files.filter((name) => name.endsWith(".in"));
  for (const name of stray) {
    findings.warn(`data/${name}`, "ignored: tests belong into data/sample or data/secret");
  }
  return { tests, runAllTests: samples.continues || secret.continues };
}

/** `problemArgs` come before a test's own; the manifest names a test's arguments only where they differ. */
export function manifestTest(test: FoundTest, problemArgs: readonly string[]): ManifestTest {
  return {
    name: test.name,
    sample: test.sample,
    input: test.input.sha256,
    answer: test.answer.sha256,
    inputBytes: test.input.sizeBytes,
    answerBytes: test.answer.sizeBytes,
    ...(test.config.validatorArgs.length === 0
      ? {}
      : { validatorArgs: [...problemArgs, ...test.config.validatorArgs] }),
  };
}
