import type { Grading, ManifestGroup, ManifestTest } from "../../shared/judging.ts";
import { elementsAt, type XmlElement } from "../../shared/xml.ts";
import type { Findings } from "./finding.ts";

/** What the tests of a Polygon package are worth. */
interface PolygonPoints {
  /** The root first. */
  readonly groups: ManifestGroup[];
  /** By test, in the order of problem.xml. */
  readonly tests: readonly Pick<ManifestTest, "group" | "points">[];
}

interface TestPoints {
  readonly group: string;
  readonly points: number;
}

interface Group {
  readonly name: string;
  readonly element: XmlElement | undefined;
  /** Places of its tests. */
  readonly tests: readonly number[];
  /** All tests or nothing. */
  readonly complete: boolean;
  /** Of the group as a whole, where problem.xml gives it. */
  readonly points: number | undefined;
}

interface Deps {
  readonly findings: Findings;
  /** Where findings are. */
  readonly file: string;
}

/** So many thirds make one, whatever the order in which they were added. */
const sumOf = (numbers: readonly number[]): number =>
  Number(numbers.reduce((sum, one) => sum + one, 0).toPrecision(12));

function pointsOf({ findings, file }: Deps, { attributes, line }: XmlElement): number | undefined {
  const text = attributes["points"];
  if (text === undefined || text.trim() === "") return undefined;
  if (/^\s*\d{1,9}(\.\d{1,9})?\s*$/.test(text)) return Number(text);
  findings.error(file, `points is ${JSON.stringify(text)}`, { line, expected: "a number, not negative" });
  return undefined;
}

const graded = (more: Partial<Extract<Grading, { type: "legacy" }>>): Grading => ({
  type: "legacy",
  verdict: "first",
  score: "sum",
  ignoreSample: false,
  acceptIfAnyAccepted: false,
  acceptScore: 0,
  rejectScore: 0,
  ...more,
});

/**
 * Points of tests, and groups with their policies and dependencies, as groups of the manifest; undefined where nothing
 * is worth anything: then it is a pass-fail problem.
 */
export function readPoints(deps: Deps, set: XmlElement, count: number): PolygonPoints | undefined {
  const described = elementsAt(set, "tests", "test").slice(0, count);
  const given = Array.from({ length: count }, (_, i): TestPoints => {
    const element = described[i];
    return {
      group: element?.attributes["group"]?.trim() ?? "",
      points: (element && pointsOf(deps, element)) ?? 0,
    };
  });
  const groups = findGroups(deps, set, given);
  if (![...given, ...groups].some(({ points = 0 }) => points > 0)) return undefined;
  const tests = given.map(({ points }) => ({ group: 0, points }));
  let total = given.filter(({ group }) => group === "").map(({ points }) => points);
  const byName = new Map(groups.map((group, i) => [group.name, { group, place: i + 1 }]));
  const inner = groups.map((group, i): ManifestGroup => {
    const worth = worthIn(
      group,
      group.tests.map((test) => given[test]?.points ?? 0),
    );
    for (const [at, test] of group.tests.entries()) tests[test] = { group: i + 1, points: worth[at] ?? 0 };
    const most = group.complete ? (worth[0] ?? 0) : sumOf(worth);
    total = [...total, most];
    const requires = requirementsOf(deps, byName, group);
    return {
      name: group.name,
      parent: 0,
      // One that is all or nothing is nothing after the first rejected test.
      breaks: group.complete,
      ...(requires.length === 0 ? {} : { requires }),
      grading: graded({ score: group.complete ? "min" : "sum", most }),
    };
  });
  const root: ManifestGroup = { name: "", breaks: false, grading: graded({ most: sumOf(total) }) };
  return { groups: [root, ...inner], tests };
}

/** What its tests give when they are accepted: each its own, or in a complete group all that the group does. */
function worthIn({ complete, points = 0 }: Group, own: readonly number[]): number[] {
  if (complete) return own.map(() => (points > 0 ? points : sumOf(own)));
  // Where only the group has points, its tests share them.
  return own.some((one) => one > 0) ? [...own] : own.map(() => points / own.length);
}

/** Those that have tests, declared ones first. */
function findGroups(deps: Deps, set: XmlElement, tests: readonly TestPoints[]): Group[] {
  const declared = new Map(
    elementsAt(set, "groups", "group").map((element) => [element.attributes["name"]?.trim() ?? "", element]),
  );
  const members = new Map<string, number[]>([...declared.keys()].map((name) => [name, []]));
  for (const [place, { group }] of tests.entries()) {
    const others = members.get(group);
    if (others === undefined) members.set(group, [place]);
    else others.push(place);
  }
  return [...members].flatMap(([name, places]): Group[] => {
    if (name === "" || places.length === 0) return [];
    const element = declared.get(name);
    const policy = element?.attributes["points-policy"] ?? "each-test";
    if (policy !== "each-test" && policy !== "complete-group") {
      deps.findings.error(deps.file, `points-policy of the group ${name} is ${JSON.stringify(policy)}`, {
        line: element?.line,
        expected: "each-test or complete-group",
      });
    }
    const points = element && pointsOf(deps, element);
    return [{ name, element, tests: places, complete: policy === "complete-group", points }];
  });
}

/** Places in the manifest's groups of those on which this one depends. */
function requirementsOf(
  { findings, file }: Deps,
  byName: ReadonlyMap<string, { readonly group: Group; readonly place: number }>,
  group: Group,
): number[] {
  if (group.element === undefined) return [];
  return elementsAt(group.element, "dependencies", "dependency").flatMap(({ attributes, line }): number[] => {
    const name = attributes["group"]?.trim() ?? "";
    const needed = byName.get(name);
    if (needed === undefined) {
      findings.error(file, `the group ${group.name} depends on ${JSON.stringify(name)}, which has no tests`, {
        line,
      });
      return [];
    }
    if ((needed.group.tests.at(-1) ?? 0) > (group.tests[0] ?? 0)) {
      findings.error(
        file,
        `the group ${group.name} depends on ${name}, which has tests after its first one`,
        {
          line,
          expected: "tests in the order in which groups depend on each other",
        },
      );
      return [];
    }
    return [needed.place];
  });
}
