import type { ManifestGroup, ManifestTest, SourceFile } from "../../shared/judging.ts";
import type { Limits } from "../../shared/limits.ts";
import { findGroups, type GroupNode } from "./groups.ts";
import {
  type GroupConfig,
  type GroupDeps,
  noGroupConfig,
  readGroupConfig,
  readTestConfig,
} from "./groupconfig.ts";
import { hasByteOrderMark, namesIn } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";

export interface FoundTest {
  readonly name: string;
  readonly sample: boolean;
  readonly input: UnpackedFile;
  readonly answer: UnpackedFile;
  /** Put into the program's folder before it is run, under these names. */
  readonly files: readonly { readonly name: string; readonly file: UnpackedFile }[];
  readonly config: GroupConfig;
  /** The folder whose group it is in. */
  readonly group: string;
}

export interface FoundTests {
  readonly tests: readonly FoundTest[];
  /** Undefined: all tests are one group that the first rejected one ends. */
  readonly groups: ManifestGroup[] | undefined;
}

interface Deps extends GroupDeps {
  readonly limits: Pick<Limits, "problemTests">;
}

/** Endings that belong to a test without meaning anything for judging. */
const ANNOTATIONS =
  /\.(hint|desc|png|jpe?g|svg|interaction|out|in\.statement|ans\.statement|in\.download|ans\.download)$/;
const FILES = ".files";

async function findTest(
  deps: Deps,
  input: { folder: string; fileName: string; sample: boolean; config: GroupConfig; group: string },
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
  const prefix = `${base}${FILES}/`;
  return {
    name: base.slice("data/".length),
    sample: input.sample,
    input: inputFile,
    answer: answerFile,
    files: [...tree.files]
      .filter(([path]) => path.startsWith(prefix))
      .map(([path, file]) => ({ name: path.slice(prefix.length), file })),
    config,
    group: input.group,
  };
}

/** Names the files of a folder that belong to no test. */
function checkStrayFiles({ tree, findings }: Deps, folder: string, bases: ReadonlySet<string>): void {
  const { files, folders } = namesIn(tree, folder);
  for (const name of folders) {
    if (name.endsWith(FILES) && !bases.has(name.slice(0, -FILES.length))) {
      findings.error(`${folder}/${name}`, "the files belong to no test", {
        expected: `${folder}/${name.slice(0, -FILES.length)}.in`,
      });
    }
  }
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
}

interface Walk {
  readonly folder: string;
  readonly sample: boolean;
  readonly above: GroupConfig;
  /** The group that a folder without one of its own belongs to. */
  readonly group: string;
}

/** Tests of one folder and of those in it, in the order of the format: by base name, folders and tests together. */
async function walk(deps: Deps, input: Walk, nodes: GroupNode[]): Promise<FoundTest[]> {
  const { tree, findings, layout } = deps;
  const { folder, sample } = input;
  const isGroup = layout === "legacy" || folder.split("/").length <= (sample ? 2 : 3);
  const config = isGroup ? await readGroupConfig(deps, { folder, above: input.above }) : input.above;
  const group = isGroup ? folder : input.group;
  if (isGroup) nodes.push({ folder, config });
  else {
    for (const name of ["test_group.yaml", "testdata.yaml"].filter((one) =>
      tree.files.has(`${folder}/${one}`),
    )) {
      findings.error(`${folder}/${name}`, "this folder is no group of its own", {
        expected: `${name} in ${input.group}`,
      });
    }
  }
  const { files, folders } = namesIn(tree, folder);
  const inputs = files.filter((name) => name.endsWith(".in"));
  const inner = folders.filter((name) => !name.endsWith(FILES));
  if (layout === "2025-09" && inputs.length > 0 && inner.length > 0 && folder === "data/secret") {
    findings.error(folder, "tests and test groups are mixed", {
      expected: "either tests or groups in data/secret",
    });
  }
  const bases = new Set(inputs.map((name) => name.slice(0, -".in".length)));
  checkStrayFiles(deps, folder, bases);
  const steps = [
    ...inputs.map((name) => ({ key: name.slice(0, -".in".length), name, test: true })),
    ...inner.map((name) => ({ key: name, name, test: false })),
  ].toSorted((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  const tests: FoundTest[] = [];
  for (const step of steps) {
    if (step.test) {
      const test = await findTest(deps, { folder, fileName: step.name, sample, config, group });
      if (test !== undefined) tests.push(test);
    } else {
      const found = await walk(
        deps,
        { folder: `${folder}/${step.name}`, sample, above: config, group },
        nodes,
      );
      if (found.length === 0) findings.warn(`${folder}/${step.name}`, "the group holds no tests");
      tests.push(...found);
    }
  }
  return tests;
}

/** All tests in the order in which they are run: samples first, then secret. */
export async function findTests(deps: Deps): Promise<FoundTests> {
  const { tree, findings, limits } = deps;
  const root = await readGroupConfig(deps, { folder: "data", above: noGroupConfig(deps.scoring) });
  const nodes: GroupNode[] = [{ folder: "data", config: root }];
  const below = { above: root, group: "data" };
  const samples = await walk(deps, { ...below, folder: "data/sample", sample: true }, nodes);
  const secret = await walk(deps, { ...below, folder: "data/secret", sample: false }, nodes);
  const tests = [...samples, ...secret];
  if (tests.length === 0) {
    findings.error("data/secret", "there are no secret tests", { expected: "pairs of .in and .ans files" });
  } else if (secret.length === 0) {
    findings.warn("data/secret", "there are no secret tests: the samples alone decide", {
      expected: "pairs of .in and .ans files",
    });
  }
  if (tests.length > limits.problemTests) {
    findings.error("data", `there are ${tests.length} tests`, { expected: `at most ${limits.problemTests}` });
  }
  const stray = namesIn(tree, "data").files.filter((name) => name.endsWith(".in"));
  for (const name of stray) {
    findings.warn(`data/${name}`, "ignored: tests belong into data/sample or data/secret");
  }
  return { tests, groups: findGroups(deps, nodes, tests) };
}

export const asSourceFile = ({ name, file }: { name: string; file: UnpackedFile }): SourceFile => ({
  name,
  sha256: file.sha256,
  sizeBytes: file.sizeBytes,
});

/** `problemArgs` come before a test's own; the manifest names a test's arguments only where they differ. */
export function manifestTest(
  test: FoundTest,
  problemArgs: readonly string[],
  groups: readonly ManifestGroup[] | undefined,
): ManifestTest {
  const { config, files } = test;
  return {
    name: test.name,
    sample: test.sample,
    input: test.input.sha256,
    answer: test.answer.sha256,
    inputBytes: test.input.sizeBytes,
    answerBytes: test.answer.sizeBytes,
    ...(config.validatorArgs.length === 0
      ? {}
      : { validatorArgs: [...problemArgs, ...config.validatorArgs] }),
    ...(config.programArgs.length === 0 ? {} : { args: [...config.programArgs] }),
    ...(files.length === 0 ? {} : { files: files.map(asSourceFile) }),
    ...(groups === undefined
      ? {}
      : { group: groups.findIndex(({ name }) => name === groupName(test.group)) }),
  };
}

const groupName = (folder: string): string => folder.slice("data/".length);
