import { expect, it } from "vitest";
import { globMatches } from "../../src/cli/glob.ts";

it.each([
  ["accepted", "accepted/a.py", true],
  ["accepted/", "accepted/a.py", true],
  ["accepted/*", "accepted/a.py", true],
  ["*", "accepted/a.py", true],
  ["*/a.py", "accepted/a.py", true],
  ["accepted/{a,b}.py", "accepted/b.py", true],
  ["accepted/{a,b}.{py,cpp}", "accepted/b.cpp", true],
  ["secret/*{ 4 }{2 , 3}", "secret/42", true],
  ["secret/a b", "secret/ab", false],
  ["accepted/a+b.py", "accepted/a+b.py", true],
  ["accepted/a*", "accepted/b.py", false],
  ["accepted/a.py", "accepted/axpy", false],
  ["accept", "accepted/a.py", false],
  ["*.py", "accepted/a.py", false],
  ["accepted/{a,b", "accepted/a", false],
])("%s on %s: %s", (pattern, path, matches) => {
  expect(globMatches(pattern, path)).toBe(matches);
});
