import { afterAll, beforeAll, expect, it } from "vitest";
import { type Judging, openJudging } from "./harness.ts";
import { findLanguages } from "./toolchains.ts";

let judging: Judging;
beforeAll(async () => {
  judging = await openJudging(await findLanguages(["javascript"]));
}, 180_000);
afterAll(async () => await judging.close());

const PLUS_ONE = 'const n = Number(require("fs").readFileSync(0, "utf8"));\nconsole.log(n + 1);\n';
const judge = async (source: string | Record<string, string>) =>
  await judging.judge({ language: "javascript", source, limits: { timeMs: 5_000 } });

it("a program that does not compile gets Node's message, with its line, without our paths", async () => {
  const { verdict, compile } = await judge("const a = 1;\nlet b = a +* 2;\n");
  expect(verdict).toBe("CE");
  expect(compile?.message).toMatch(/^main\.js:2\n/);
  expect(compile?.message).toContain("let b = a +* 2;\n           ^");
  expect(compile?.message).toContain("SyntaxError: Unexpected token '*'");
  expect(compile?.message).not.toContain("/box");
});

it("a program that was checked is found in the cache the next time", async () => {
  expect((await judge(PLUS_ONE)).compile).toMatchObject({ ok: true, cached: false, message: "" });
  expect((await judge(PLUS_ONE)).compile).toMatchObject({ ok: true, cached: true });
});

it.each([
  [
    "a module by its syntax",
    { "main.js": `import fs from "fs";\nconsole.log(Number(fs.readFileSync(0)) + 1);\n` },
  ],
  ["a module by its name", { "main.mjs": `import fs from "fs";\nconsole.log(+fs.readFileSync(0) + 1);\n` }],
  ["files", { "main.js": `console.log(require("./n.js") + 1);\n`, "n.js": "module.exports = 1;\n" }],
  [
    "a package that makes a script a module",
    { "main.js": `console.log(this === undefined ? 2 : 0);\n`, "package.json": '{ "type": "module" }' },
  ],
])("%s is accepted by a real Node", async (_, files) => {
  const before = judging.isolates?.stats.isolate;
  expect((await judge(files)).verdict).toBe("AC");
  expect(judging.isolates?.stats.isolate).toBe(before);
});

it("a broken file beside the first one is a compile error", async () => {
  const { verdict, compile } = await judge({ "main.js": PLUS_ONE, "more.js": "let = = 1;\n" });
  expect(verdict).toBe("CE");
  expect(compile?.message).toMatch(/^more\.js:1\n/);
});
