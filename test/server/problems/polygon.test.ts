import { expect, it } from "vitest";
import { parseXml, XmlMistake } from "../../../src/shared/xml.ts";
import { zipOf } from "./archives.ts";
import { collectImports, lines } from "./importing.ts";

const XML = `<?xml version="1.0" encoding="utf-8" standalone="no"?>
<problem revision="3" short-name="sums" url="https://polygon.example/p">
  <!-- as Polygon writes it -->
  <names><name language="russian" value="Суммы"/><name language="english" value="Sums &amp; more"/></names>
  <judging cpu-name="x" input-file="" output-file="" run-count="1">
    <testset name="tests">
      <time-limit>1500</time-limit>
      <memory-limit>268435456</memory-limit>
      <test-count>2</test-count>
      <input-path-pattern>tests/%02d</input-path-pattern>
      <answer-path-pattern>tests/%02d.a</answer-path-pattern>
      <tests><test method="manual" sample="true"/><test method="generated" cmd="gen 5"/></tests>
    </testset>
  </judging>
  <assets>
    <checker name="std::wcmp.cpp" type="testlib"><source path="files/check.cpp" type="cpp.g++17"/></checker>
    <solutions><solution tag="main"><source path="solutions/ok.cpp" type="cpp.g++17"/></solution></solutions>
  </assets>
</problem>
`;
const full = {
  "problem.xml": XML,
  "tests/01": "1 2\n",
  "tests/01.a": "3\n",
  "tests/02": "3 4\n",
  "tests/02.a": "7\n",
  "files/check.cpp": '#include "testlib.h"\n',
  "files/testlib.h": "// testlib\n",
  "solutions/ok.cpp": "int main(){}\n",
};

it("a full package of Polygon becomes a problem with a checker by testlib's rules", async () => {
  const imports = collectImports();
  const manifest = imports.manifest(await imports.run(zipOf(full)));
  expect(manifest).toMatchObject({
    problem: "echo",
    name: "Sums & more",
    limits: { timeMs: 1500, memoryMiB: 256, outputMiB: 8 },
    tests: [
      { name: "tests/01", sample: true, inputBytes: 4 },
      { name: "tests/02", sample: false },
    ],
    validator: {
      type: "custom",
      language: "cpp",
      testlib: true,
      files: [{ name: "check.cpp" }, { name: "testlib.h" }],
    },
  });
  const { validator, tests } = manifest;
  if (validator.type !== "custom") throw new Error("default");
  for (const sha256 of [
    ...validator.files.map((file) => file.sha256),
    ...tests.map(({ answer }) => answer),
  ]) {
    expect(imports.kept).toContain(sha256);
  }
});

const INTERACTOR = '<interactor><source path="files/interactor.cpp" type="cpp.g++17"/></interactor>';
const interactive = {
  ...full,
  "problem.xml": XML.replace("<solutions>", `${INTERACTOR}<solutions>`),
  "files/interactor.cpp": '#include "testlib.h"\n// talks\n',
};

it("an interactor talks to the program, and the checker judges what it wrote", async () => {
  const imports = collectImports();
  const result = await imports.run(zipOf(interactive));
  const manifest = imports.manifest(result);
  expect(manifest).toMatchObject({
    interactive: true,
    validator: {
      type: "custom",
      language: "cpp",
      testlib: true,
      files: [{ name: "interactor.cpp" }, { name: "testlib.h" }],
    },
    checker: { type: "custom", testlib: true, files: [{ name: "check.cpp" }, { name: "testlib.h" }] },
  });
  const { validator, checker } = manifest;
  if (validator.type !== "custom" || checker === undefined) throw new Error("one is missing");
  for (const { sha256 } of [...validator.files, ...checker.files]) expect(imports.kept).toContain(sha256);
});

it("an interactor without a checker decides alone", async () => {
  const imports = collectImports();
  const xml = interactive["problem.xml"].replace(/<checker.*<\/checker>/, "");
  const result = await imports.run(zipOf({ ...interactive, "problem.xml": xml }));
  expect(imports.manifest(result)).toMatchObject({
    interactive: true,
    validator: { files: [{ name: "interactor.cpp" }, { name: "testlib.h" }] },
  });
  expect(imports.manifest(result).checker).toBeUndefined();
  expect(lines(result, "warning")).toContain(
    "problem.xml:2 there is no checker: the interactor alone decides",
  );
});

/** With six tests, of points and groups as given. */
function scored(tests: readonly (readonly [string, string])[], groups: string) {
  const described = tests.map(([group, points]) => `<test group="${group}" points="${points}"/>`).join("\n");
  const xml = XML.replace(/<tests>.*<\/tests>/, `<tests>${described}</tests>\n<groups>${groups}</groups>`);
  const files = tests.flatMap((_, i) => [
    [`tests/0${i + 1}`, `${i}\n`],
    [`tests/0${i + 1}.a`, "a\n"],
  ]);
  const count = `<test-count>${tests.length}</test-count>`;
  return zipOf({
    ...full,
    ...Object.fromEntries(files),
    "problem.xml": xml.replace(/<test-count>.*<\/test-count>/, count),
  });
}

it("points, groups, policies and dependencies make a scoring problem", async () => {
  const imports = collectImports();
  const archive = scored(
    [
      ["0", "0"],
      ["1", "10"],
      ["1", "20.5"],
      ["2", "15"],
      ["2", "15"],
      ["", "9.5"],
    ],
    `<group name="0" points-policy="complete-group"/>
<group name="1" points-policy="each-test"/>
<group name="2" points-policy="complete-group" points="30.0"><dependencies><dependency group="1"/></dependencies></group>`,
  );
  const result = await imports.run(archive);
  const { tests, groups, scoring } = imports.manifest(result);
  expect(lines(result, "warning").filter((line) => line.includes("points"))).toEqual([]);
  expect(scoring).toBe(true);
  expect(tests.map(({ group, points }) => [group, points])).toEqual([
    [1, 0],
    [2, 10],
    [2, 20.5],
    [3, 30],
    [3, 30],
    [0, 9.5],
  ]);
  expect(groups).toMatchObject([
    { name: "", breaks: false, grading: { score: "sum", most: 70 } },
    { name: "0", parent: 0, breaks: true, grading: { score: "min", most: 0 } },
    { name: "1", parent: 0, breaks: false, grading: { score: "sum", most: 30.5 } },
    { name: "2", parent: 0, breaks: true, requires: [2], grading: { score: "min", most: 30 } },
  ]);
});

it("mistakes in points and groups are named", async () => {
  const archive = scored(
    [
      ["late", "1"],
      ["early", "-1"],
    ],
    `<group name="early" points-policy="some"/>
<group name="late"><dependencies><dependency group="early"/><dependency group="none"/></dependencies></group>`,
  );
  const result = await collectImports().run(archive);
  expect(lines(result, "error").map((line) => line.replace(/^problem.xml:\d+ /, ""))).toEqual([
    'points is "-1"',
    'points-policy of the group early is "some"',
    "the group late depends on early, which has tests after its first one",
    'the group late depends on "none", which has no tests',
  ]);
});

it("what is wrong with one is named together, with lines", async () => {
  const { "tests/02.a": _, "files/check.cpp": __, ...rest } = full;
  const xml = XML.replace("1500", "soon")
    .replace('input-file=""', 'input-file="in.txt"')
    .replace('run-count="1"', 'run-count="2"')
    .replace("<solutions>", '<interactor><source path="files/i.cpp"/></interactor><solutions>');
  const result = await collectImports().run(zipOf({ ...rest, "problem.xml": xml }));
  expect(lines(result, "error").toSorted()).toEqual([
    'problem.xml:16 the checker "files/check.cpp" is no source in the package',
    'problem.xml:17 the interactor "files/i.cpp" is no source in the package',
    "problem.xml:5 input-file is not supported: programs read and write standard streams",
    'problem.xml:5 run-count is "2": programs are run once for each test',
    'problem.xml:7 time-limit is "soon"',
    "tests/02.a the test's file is missing",
  ]);
});

it.each([
  ["<a><b></a>", 1],
  ["<a>\n<!DOCTYPE x>\n</a>", 2],
  ["<a>\n<b x=1/></a>", 2],
  ["<a/>\n<b/>", 2],
  ["", 1],
  ["<a>".repeat(100), 1],
])("%j is refused", (text, line) => {
  try {
    parseXml(text);
  } catch (error) {
    expect(error).toBeInstanceOf(XmlMistake);
    expect((error as XmlMistake).line).toBe(line);
    return;
  }
  throw new Error("taken");
});
