import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, expect, it } from "vitest";
import { worldScript } from "../../../src/executors/sandbox/isolateworld.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "docket-world-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function script(files: Record<string, string>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return worldScript(folder);
}

it("puts what is imported first, and once", () => {
  const said: string[] = [];
  const say = (word: string): unknown => said.push(word);
  const text = script({
    "main.js": 'import { a } from "./a.js";\nimport {\n  b,\n} from "./b.js";\nsay(a + b);\n',
    "a.js": 'import { b } from "./b.js";\nexport const a = `a${b}`;\nsay("a");\n',
    "b.js": 'export let b = "b";\nsay("b");\n',
  });
  runInNewContext(text, { say });
  expect(said).toEqual(["b", "a", "abb"]);
});

it.each([
  ["a default export", { "main.js": "export default 1;\n" }],
  [
    "a renaming import",
    { "main.js": 'import { a as b } from "./a.js";\nb;\n', "a.js": "export const a = 1;\n" },
  ],
  ["an import from elsewhere", { "main.js": 'import { join } from "node:path";\njoin;\n' }],
])("refuses %s", (_, files) => {
  expect(() => script(files)).toThrow(/^main\.js: cannot be made part of one script/);
});
