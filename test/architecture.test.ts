import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkArchitecture, longFiles, RULE_NAMES, type RuleName } from "../setup/architecture.ts";
import { parseSource, readSources, type Source } from "../setup/sources.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The rules that a small made-up tree breaks. */
function broken(files: Record<string, string>): RuleName[] {
  const sources: Source[] = Object.entries(files).map(([path, text]) => parseSource(path, text));
  return [...new Set(checkArchitecture(sources).map((violation) => violation.rule))];
}

const lines = (count: number): string => "export {};\n".repeat(count);

/** For each rule a tree that breaks it and no other. */
const PLANTED: Record<RuleName, Record<string, Record<string, string>>> = {
  directions: {
    "shared imports an executor": {
      "src/shared/a.ts": 'import { b } from "../executors/b.ts";\nexport const a = b;\n',
      "src/executors/b.ts": "export const b = 1;\n",
    },
    "an executor imports the server, type only": {
      "src/executors/a.ts": 'import type { B } from "../server/b.ts";\nexport const a: B = 1;\n',
      "src/server/b.ts": "export type B = number;\n",
    },
    "store imports results": {
      "src/server/store/a.ts": 'export { b } from "../results/b.ts";\nexport const a = 1;\n',
      "src/server/results/b.ts": "export const b = 1;\n",
    },
    "intake imports results": {
      "src/server/intake/a.ts": 'export const a = import("../results/b.ts");\n',
      "src/server/results/b.ts": "export const b = 1;\n",
    },
    "results imports graphql": {
      "src/server/results/a.ts": 'import "../graphql/b.ts";\n',
      "src/server/graphql/b.ts": "export const b = 1;\n",
    },
    "the command line goes round the supervisor's door": {
      "src/cli/a.ts": 'import "../supervisor/mongod.ts";\n',
      "src/supervisor/mongod.ts": "export const b = 1;\n",
    },
  },
  packages: {
    "mongodb in intake": {
      "src/server/intake/a.ts": 'import { MongoClient } from "mongodb";\nMongoClient;\n',
    },
    "mongodb's types in an executor": {
      "src/executors/a.ts": 'import type { Db } from "mongodb";\nexport type D = Db;\n',
    },
    "isolated-vm in the executor itself": { "src/executors/a.ts": 'import ivm from "isolated-vm";\nivm;\n' },
    "graphql in results": { "src/server/results/a.ts": 'import { parse } from "graphql";\nparse;\n' },
    "pothos in intake": { "src/server/intake/a.ts": 'import core from "@pothos/core";\ncore;\n' },
  },
  missing: {
    "an import of nothing in JavaScript": { "setup/a.mjs": 'import { b } from "./b.mjs";\nb;\n' },
    "an import of nothing": { "src/shared/a.ts": 'import { b } from "./b.ts";\nexport const a = b;\n' },
  },
  cycles: {
    "three files in a ring": {
      "src/shared/a.ts": 'import "./b.ts";\n',
      "src/shared/b.ts": 'import "./c.ts";\n',
      "src/shared/c.ts": 'import "./a.ts";\n',
    },
  },
  sizes: {
    "one file too long": { "src/shared/a.ts": lines(401), ...tenSmall() },
    "one file in JavaScript too long": { "src/shared/a.js": lines(401), ...tenSmall() },
    "too many long files": { "src/shared/a.ts": lines(251), "src/shared/b.ts": lines(251), ...tenSmall() },
  },
  names: {
    "a utils file": { "src/shared/utils.ts": "export const a = 1;\n" },
    "a helper in JavaScript": { "src/shared/helper.js": "export const a = 1;\n" },
    "a helpers folder": { "src/server/helpers/a.ts": "export const a = 1;\n" },
    "a types file": { "src/server/store/types.ts": "export const a = 1;\n" },
  },
  reexports: {
    "a barrel by another name": {
      "src/shared/all.ts": 'export * from "./a.ts";\n',
      "src/shared/a.ts": "export const a = 1;\n",
    },
    "an index": { "src/shared/index.ts": "export const a = 1;\n" },
  },
  unfinished: {
    "a to-do": { "src/shared/a.ts": "// TODO later\nexport const a = 1;\n" },
    "a fix-me in a block": { "src/shared/a.ts": "/* FIXME */\nexport const a = 1;\n" },
    "a test alone": { "test/a.test.ts": 'it.only("x", () => {});\n' },
    "a test left out": { "test/a.test.ts": 'describe.skip("x", () => {});\n' },
    "a test left out, each": { "test/a.test.ts": 'it.concurrent.skip("x", () => {});\n' },
  },
  ambient: {
    "the environment in the middle": { "src/server/intake/a.ts": "export const a = process.env.A;\n" },
  },
};

function tenSmall(): Record<string, string> {
  return Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`src/shared/small${i}.ts`, lines(250)]));
}

describe("architecture", () => {
  const sources = readSources(root);

  it("sees the whole tree", () => {
    expect(sources.length).toBeGreaterThan(50);
    for (const path of ["src/shared/protocol.ts", "src/executors/sandbox/world/main.js", "setup/run.mjs"]) {
      expect(sources.map((source) => source.path)).toContain(path);
    }
  });

  it("has no broken rule", () => {
    expect(checkArchitecture(sources)).toEqual([]);
  });

  it("keeps half of the files at about a hundred lines", () => {
    const sorted = sources.map((source) => source.lines).toSorted((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(130);
    expect(longFiles(sources).length).toBeLessThan(sources.length / 10);
  });
});

describe("each rule", () => {
  it.each(
    RULE_NAMES.flatMap((rule) =>
      Object.entries(PLANTED[rule]).map(([name, files]) => ({ rule, name, files })),
    ),
  )("$rule: finds $name", ({ rule, files }) => {
    expect(broken(files)).toEqual([rule]);
  });

  it("lets a tree pass that keeps them", () => {
    expect(
      broken({
        "src/shared/a.ts": 'import type { B } from "./b.ts";\nexport const a: B = 1; // not a TO-DO\n',
        "src/shared/b.ts": 'import { a } from "./a.ts";\nexport type B = number;\nexport const b = a;\n',
        "src/server/store/c.ts":
          'import { MongoClient } from "mongodb";\nimport { a } from "../../shared/a.ts";\nMongoClient(a);\n',
        "src/server/graphql/d.ts": 'import { c } from "../results/e.ts";\nimport "@pothos/core";\nc;\n',
        "src/server/results/e.ts": "export const c = 1;\n",
        "test/f.test.ts": 'it("speaks of it.only in words", () => "// TODO");\n',
      }),
    ).toEqual([]);
  });
});
