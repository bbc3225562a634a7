import type { Grading, ManifestGroup } from "../../shared/judging.ts";
import type { GroupConfig, GroupDeps } from "./groupconfig.ts";
import type { FoundTest } from "./tests.ts";

/** A folder below data/ that is a group of tests, before those in it. */
export interface GroupNode {
  readonly folder: string;
  readonly config: GroupConfig;
}

const nameOf = (folder: string): string => folder.slice("data/".length);

const aboveOf = (folder: string): string => folder.slice(0, folder.lastIndexOf("/"));

/** Whether the verdict of the first rejected test, which ends the judging, is all that there is to it. */
function isPlain({ config }: GroupNode): boolean {
  const { grading, breaks } = config;
  if (grading.type === "aggregate" || !breaks) return false;
  return (
    grading.type === "verdict" ||
    (grading.verdict === "first" && !grading.ignoreSample && !grading.acceptIfAnyAccepted)
  );
}

/** Over samples and secret of a scoring problem in the 2025-09 layout: secret is the score. */
const MODERN_ROOT: Grading = {
  type: "legacy",
  verdict: "first",
  score: "sum",
  ignoreSample: true,
  acceptIfAnyAccepted: false,
  acceptScore: 1,
  rejectScore: 0,
};

type Aggregate = Extract<Grading, { type: "aggregate" }>;

/** What the format asks of groups and their scores together. */
function checkAggregates({ findings }: GroupDeps, nodes: readonly GroupNode[]): void {
  const gradingOf = (node: GroupNode | undefined): Aggregate | undefined =>
    node?.config.grading.type === "aggregate" ? node.config.grading : undefined;
  const secretNode = nodes.find(({ folder }) => folder === "data/secret");
  const secret = gradingOf(secretNode);
  if (secret === undefined) return;
  const at = (node: GroupNode, key: string): [string, { line?: number | undefined }] => [
    node.config.yaml?.file ?? `${node.folder}/test_group.yaml`,
    { line: node.config.yaml?.lineOf(key) },
  ];
  const groups = nodes.filter(({ folder }) => folder.startsWith("data/secret/"));
  let sum = 0;
  for (const node of groups) {
    const grading = gradingOf(node);
    if (grading === undefined) continue;
    const [file, line] = at(node, "max_score");
    if (grading.maxScore === null && (secret.maxScore !== null || grading.by === "pass-fail")) {
      findings.error(file, "max_score is missing, and the group may not be unbounded", {
        ...line,
        expected: "max_score: a whole number",
      });
    }
    if (secret.by === "pass-fail" && grading.by !== "pass-fail") {
      const [where, more] = at(node, "score_aggregation");
      findings.error(where, `score_aggregation is ${grading.by} although that of secret is pass-fail`, {
        ...more,
        expected: "pass-fail",
      });
    }
    sum += grading.maxScore ?? 0;
  }
  if (secretNode !== undefined && secret.by === "pass-fail" && secret.maxScore === null) {
    const [file, line] = at(secretNode, "max_score");
    findings.error(file, "max_score is unbounded although the aggregation is pass-fail", {
      ...line,
      expected: "a whole number",
    });
  }
  if (secretNode !== undefined && groups.length > 0 && secret.by === "sum" && secret.maxScore !== null) {
    const [file, line] = at(secretNode, "max_score");
    const message = `the groups can give ${sum} together, but the most for all is ${secret.maxScore}`;
    if (sum > secret.maxScore) findings.error(file, message, { ...line, expected: `max_score: ${sum}` });
    else if (sum < secret.maxScore) findings.warn(file, message, { ...line, expected: `max_score: ${sum}` });
  }
}

/** Places of the groups that a group requires; mistakes become findings. */
function requirementsOf({ findings }: GroupDeps, nodes: readonly GroupNode[], node: GroupNode): number[] {
  const { requires, yaml } = node.config;
  return requires.flatMap((name) => {
    const place = nodes.findIndex(({ folder }) => nameOf(folder) === name);
    const found = nodes[place];
    const passFail = found?.config.grading.type !== "aggregate" || found.config.grading.by === "pass-fail";
    const isEarlier = found !== undefined && found.folder < node.folder;
    const isAllowed = node.folder === "data/secret" ? name === "sample" : true;
    if (found !== undefined && passFail && isEarlier && isAllowed) return [place];
    findings.error(yaml?.file ?? node.folder, `require_pass names ${JSON.stringify(name)}`, {
      line: yaml?.lineOf("require_pass"),
      expected: "sample, or an earlier group of pass-fail aggregation, such as secret/group1",
    });
    return [];
  });
}

function withTestScore(grading: Grading, testCount: number): Grading {
  if (grading.type !== "aggregate" || grading.by === "pass-fail") return grading;
  const { maxScore, by } = grading;
  if (maxScore === null) return { ...grading, testScore: null };
  return { ...grading, testScore: by === "min" ? maxScore : maxScore / Math.max(1, testCount) };
}

/** The groups as the manifest names them; undefined where all tests are one plain group. */
export function findGroups(
  deps: GroupDeps,
  nodes: readonly GroupNode[],
  tests: readonly FoundTest[],
): ManifestGroup[] | undefined {
  if (!deps.scoring && nodes.every(isPlain)) return undefined;
  checkAggregates(deps, nodes);
  return nodes.map((node): ManifestGroup => {
    const { folder, config } = node;
    const isRoot = folder === "data";
    const own = tests.filter((test) => test.group === folder).length;
    const requires = requirementsOf(deps, nodes, node);
    const modern = deps.scoring && isRoot && config.grading.type === "verdict";
    // All samples are run, whatever becomes of them.
    const breaks = deps.scoring && config.grading.type === "verdict" ? false : config.breaks;
    return {
      name: isRoot ? "" : nameOf(folder),
      ...(isRoot ? {} : { parent: nodes.findIndex((one) => one.folder === aboveOf(folder)) }),
      breaks,
      ...(requires.length === 0 ? {} : { requires }),
      grading: modern ? MODERN_ROOT : withTestScore(config.grading, own),
    };
  });
}
