import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  BOUNDS,
  DEFAULT_LIMITS,
  LIMIT_DEFINITIONS,
  limitVariable,
  readLimits,
} from "../../src/shared/limits.ts";
import { createRecent, type MemoryName } from "../../src/shared/recent.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What stands in all files of a folder, without the comments. */
function read(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .filter((entry) => !join(entry.parentPath, entry.name).endsWith("shared/limits.ts"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .map((text) => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ""))
    .join("\n");
}

const uses = (text: string, name: string): boolean => new RegExp(`\\b${name}\\b`).test(text);

const source = read("src");
const tests = read("test");

test.each(Object.keys(LIMIT_DEFINITIONS))("the limit %s is used", (name) => {
  expect(uses(source, name)).toBe(true);
});

test("every limit is tested by its name", () => {
  const unnamed = Object.keys(LIMIT_DEFINITIONS).filter(
    (name) => !uses(tests, name) && !tests.includes(limitVariable(name)),
  );
  expect(unnamed).toEqual([]);
});

test.each(Object.keys(BOUNDS))("the bound %s is used", (name) => {
  expect(source.includes(`BOUNDS.${name}.`) || source.includes(`"${name}"`)).toBe(true);
});

test("limits come from the environment, and all wrong ones are told at once", () => {
  expect(readLimits({ DOCKET_LIMIT_SOURCE_BYTES: "5", DOCKET_LIMIT_TRIES: "" })).toEqual({
    ...DEFAULT_LIMITS,
    sourceBytes: 5,
  });
  const wrong = { DOCKET_LIMIT_TRIES: "0", DOCKET_LIMIT_PAGE_SIZE: "many", DOCKET_LIMIT_LONG_POLL_MS: "1.5" };
  expect(() => readLimits(wrong)).toThrow(
    /DOCKET_LIMIT_PAGE_SIZE.*"many"[\s\S]*DOCKET_LIMIT_LONG_POLL_MS.*"1\.5"[\s\S]*DOCKET_LIMIT_TRIES.*"0"/,
  );
});

test("a bounded memory forgets what was set longest ago, and says so", () => {
  const evicted: MemoryName[] = [];
  const most = BOUNDS.rememberedDeadlines.value;
  const recent = createRecent<number, string>("rememberedDeadlines", (memory) => void evicted.push(memory));
  for (let n = 0; n < most; n++) recent.set(n, String(n));
  recent.set(0, "again");
  expect(evicted).toEqual([]);
  recent.set(most, "one more");
  expect(evicted).toEqual(["rememberedDeadlines"]);
  expect([recent.get(0), recent.get(1), recent.get(2), recent.get(most)]).toEqual([
    "again",
    undefined,
    "2",
    "one more",
  ]);
  recent.delete(2);
  expect([...recent.entries()].length).toBe(most - 1);
});
