import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LANGUAGE_DEFINITIONS } from "../../../src/executors/languages/languages.ts";

const text = readFileSync(join(import.meta.dirname, "../../../docs/judging.md"), "utf8");

test.each(Object.values(LANGUAGE_DEFINITIONS))("docs/judging.md has the limits of $id", (definition) => {
  const row = text.split("\n").find((line) => line.startsWith(`| \`${definition.id}\` `));
  const cells = row?.split("|").map((cell) => cell.trim());
  expect(cells?.slice(2, 4)).toEqual([String(definition.timeFactor), `${definition.memoryBaseMiB} MiB`]);
});
