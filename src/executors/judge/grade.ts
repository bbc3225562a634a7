import type {
  Grading,
  GroupReport,
  ManifestGroup,
  ProblemManifest,
  TestReport,
} from "../../shared/judging.ts";
import type { Verdict } from "../../shared/verdict.ts";
import { JudgeFault } from "./faults.ts";

/** What of a test's report decides. */
export type Graded = Pick<TestReport, "verdict" | "score">;

/** What a judging comes to, as far as its tests were run. */
interface Grade {
  readonly verdict: Verdict;
  readonly score?: number;
  readonly groups?: GroupReport[];
}

/** How the tests of a problem lie in groups; pure. Tests are known by their place in the manifest. */
interface Grader {
  /** Whether this test need not be run, after all before it in the same groups were run or skipped. */
  isSkipped(test: number, reports: ReadonlyMap<number, Graded>): boolean;
  /** Throws JudgeFault when a score is not what the problem says it can be. */
  grade(reports: ReadonlyMap<number, Graded>): Grade;
}

interface Node {
  readonly group: ManifestGroup;
  /** In the order of the format: tests by place, and groups. */
  readonly children: (number | Node)[];
}

/** From bad to worse, as the format's default grader orders them. CE never meets a test. */
const WORST: readonly Verdict[] = ["RTE", "MLE", "TLE", "OLE", "WA"];

const rootOf = (manifest: ProblemManifest): ManifestGroup => ({
  name: "",
  breaks: !manifest.runAllTests,
  grading: { type: "verdict" },
});

/** Throws JudgeFault when groups and tests do not fit together. */
export function createGrader(manifest: ProblemManifest): Grader {
  const nodes = (manifest.groups ?? [rootOf(manifest)]).map((group): Node => ({ group, children: [] }));
  const root = nodes[0];
  const malformed = (what: string): JudgeFault =>
    new JudgeFault({
      code: "JOB_MALFORMED",
      message: `the manifest of ${manifest.problem}: ${what}`,
      retry: false,
    });
  const nodeAt = (place: number): Node => {
    const node = nodes[place];
    if (node === undefined) throw malformed(`there is no group ${place}`);
    return node;
  };
  if (root === undefined) throw malformed("no groups");
  const parentOf = ({ group }: Node): Node | undefined =>
    group.parent === undefined ? undefined : nodeAt(group.parent);
  const attached = new Set<Node>([root]);
  const attach = (node: Node): void => {
    if (attached.has(node)) return;
    attached.add(node);
    const parent = parentOf(node);
    if (parent === undefined) throw malformed(`the group ${node.group.name} is in none`);
    attach(parent);
    parent.children.push(node);
  };
  const homes = manifest.tests.map((test, place) => {
    const home = manifest.groups === undefined ? root : nodeAt(test.group ?? 0);
    attach(home);
    home.children.push(place);
    return home;
  });

  return {
    isSkipped(test, reports) {
      for (let node = homes[test]; node !== undefined; node = parentOf(node)) {
        if (node.group.breaks && isRejectedBefore(node, test, reports)) return true;
        if (!meetsRequirements(node, nodeAt, reports)) return true;
      }
      return false;
    },
    grade(reports) {
      const groups: GroupReport[] = [];
      const { verdict, score } = gradeNode(root, reports, groups);
      if (manifest.groups === undefined) return { verdict };
      if (manifest.scoring !== true) {
        return { verdict, groups: groups.map((group) => ({ name: group.name, verdict: group.verdict })) };
      }
      return { verdict, score, groups };
    },
  };
}

function* testsIn(node: Node): Generator<number> {
  for (const child of node.children) {
    if (typeof child === "number") yield child;
    else yield* testsIn(child);
  }
}

/** A child of the node that lies wholly before the test was rejected. */
function isRejectedBefore(node: Node, test: number, reports: ReadonlyMap<number, Graded>): boolean {
  for (const child of node.children) {
    if (child === test) return false;
    if (typeof child === "number") {
      const report = reports.get(child);
      if (report !== undefined && report.verdict !== "AC") return true;
    } else {
      const places = [...testsIn(child)];
      if (places.includes(test)) return false;
      if (verdictOf(child, reports) !== "AC") return true;
    }
  }
  return false;
}

const isAccepted = (node: Node, reports: ReadonlyMap<number, Graded>): boolean =>
  [...testsIn(node)].every((place) => reports.get(place)?.verdict === "AC");

const meetsRequirements = (
  { group }: Node,
  nodeAt: (place: number) => Node,
  reports: ReadonlyMap<number, Graded>,
): boolean => (group.requires ?? []).every((place) => isAccepted(nodeAt(place), reports));

const verdictOf = (node: Node, reports: ReadonlyMap<number, Graded>): Verdict =>
  gradeNode(node, reports, []).verdict;

/** Children that were run, as one result each. */
interface Part {
  readonly verdict: Verdict;
  readonly score: number;
}

/** Adds the node's groups, its own first, to `into`. */
function gradeNode(node: Node, reports: ReadonlyMap<number, Graded>, into: GroupReport[]): Part {
  const parts: Part[] = [];
  const inner: GroupReport[] = [];
  for (const child of node.children) {
    if (typeof child !== "number") {
      // A group of which nothing was run counts as one that was skipped, whatever its verdict.
      if ([...testsIn(child)].some((place) => reports.has(place)))
        parts.push(gradeNode(child, reports, inner));
      continue;
    }
    const report = reports.get(child);
    if (report !== undefined) parts.push({ verdict: report.verdict, score: report.score ?? 0 });
  }
  const graded = aggregate(node, parts, isAccepted(node, reports));
  const { grading, name } = node.group;
  const scored = grading.type === "verdict" ? {} : { score: graded.score };
  const maxScore = mostOf(grading);
  into.push(
    { name, verdict: graded.verdict, ...scored, ...(maxScore === undefined ? {} : { maxScore }) },
    ...inner,
  );
  return graded;
}

function mostOf(grading: Grading): number | undefined {
  if (grading.type === "legacy") return grading.most;
  return grading.type === "aggregate" ? (grading.maxScore ?? undefined) : undefined;
}

function aggregate({ group, children }: Node, parts: readonly Part[], allAccepted: boolean): Part {
  const { grading } = group;
  const verdicts = parts.map(({ verdict }) => verdict);
  if (grading.type === "verdict") return { verdict: verdictBy("first", verdicts), score: 0 };
  if (grading.type === "legacy") {
    const counted = grading.ignoreSample ? parts.slice(-1) : parts;
    const seen = counted.map(({ verdict }) => verdict);
    const accepted = grading.acceptIfAnyAccepted && seen.includes("AC");
    return {
      verdict: accepted ? "AC" : verdictBy(grading.verdict, seen),
      score: inRange(
        group,
        scoreBy(
          grading.score,
          counted.map(({ score }) => score),
        ),
        grading.least,
        grading.most,
      ),
    };
  }
  const all = parts.length === children.length;
  const score = inRange(
    group,
    aggregateScore(grading, parts, { all, allAccepted }),
    0,
    grading.maxScore ?? undefined,
  );
  const verdict = verdictBy("first", verdicts);
  return { verdict: score > 0 || allAccepted ? "AC" : verdict, score };
}

function aggregateScore(
  grading: Extract<Grading, { type: "aggregate" }>,
  parts: readonly Part[],
  { all, allAccepted }: { readonly all: boolean; readonly allAccepted: boolean },
): number {
  if (grading.by === "pass-fail") return allAccepted ? (grading.maxScore ?? 0) : 0;
  const scores = parts.map(({ score }) => score);
  if (grading.by === "sum") return scoreBy("sum", scores);
  // What was not run has nought.
  return all ? scoreBy("min", scores) : 0;
}

function verdictBy(rule: "first" | "worst" | "accept", verdicts: readonly Verdict[]): Verdict {
  if (rule === "accept") return "AC";
  const failed: readonly Verdict[] = verdicts.filter((verdict) => verdict !== "AC");
  if (rule === "worst") return WORST.find((verdict) => failed.includes(verdict)) ?? failed[0] ?? "AC";
  return failed[0] ?? "AC";
}

function scoreBy(rule: "sum" | "avg" | "min" | "max", scores: readonly number[]): number {
  if (scores.length === 0) return 0;
  const sum = scores.reduce((total, score) => total + score, 0);
  const by = { sum, avg: sum / scores.length, min: Math.min(...scores), max: Math.max(...scores) };
  // So many thirds make one, whatever the order in which they were added.
  return Number(by[rule].toPrecision(12));
}

function inRange(
  { name }: ManifestGroup,
  score: number,
  least: number | undefined,
  most: number | undefined,
): number {
  if (score >= (least ?? -Infinity) && score <= (most ?? Infinity)) return score;
  throw new JudgeFault({
    code: "VALIDATOR_FAILED",
    message: `the score ${score} of the group ${JSON.stringify(name)} is not within ${least ?? "-inf"} and ${most ?? "inf"}, as the problem says it is`,
    retry: false,
  });
}

/** What a validator had to say about the score of a test that it accepted. */
export type GivenScore = { readonly type: "score" | "multiplier"; readonly value: number };

/** The score of a test; undefined where tests have none. Throws JudgeFault when the validator may not give such a score. */
export function testScore(
  manifest: ProblemManifest,
  test: { readonly name: string; readonly group?: number | undefined; readonly points?: number | undefined },
  verdict: Verdict,
  given: GivenScore | undefined,
): number | undefined {
  if (manifest.scoring !== true) return undefined;
  const grading = manifest.groups?.[test.group ?? 0]?.grading;
  // Samples of the 2025-09 layout: what the validator says is passed over.
  if (grading === undefined || grading.type === "verdict") return undefined;
  const refuse = (what: string): JudgeFault =>
    new JudgeFault({
      code: "VALIDATOR_FAILED",
      message: `the output validator of ${manifest.problem} ${what} on test ${test.name}`,
      retry: false,
    });
  if (grading.type === "legacy") {
    if (verdict !== "AC") return grading.rejectScore;
    if (given?.type === "multiplier")
      throw refuse("gave score_multiplier.txt, which the legacy layout does not have");
    if (given === undefined && manifest.validatorScores === true) throw refuse("gave no score.txt");
    if (given !== undefined && given.value > (test.points ?? Infinity))
      throw refuse(`gave the score ${given.value}, above the test's ${test.points},`);
    return given?.value ?? test.points ?? grading.acceptScore;
  }
  const most = grading.testScore;
  if (most === undefined) {
    if (given !== undefined) throw refuse("gave a score in a group that has none but its own");
    return undefined;
  }
  if (verdict !== "AC") return 0;
  if (most === null) {
    if (given?.type !== "score") throw refuse("gave no score.txt in a group without a largest score");
    return given.value;
  }
  if (given === undefined) return most;
  if (given.type === "multiplier") {
    if (given.value > 1) throw refuse(`gave the score multiplier ${given.value}, above 1,`);
    return Number((most * given.value).toPrecision(12));
  }
  if (given.value > most) throw refuse(`gave the score ${given.value}, above the test's ${most},`);
  return given.value;
}
