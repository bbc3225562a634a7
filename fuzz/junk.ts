import type { Chance } from "./chance.ts";

/** Values that programs stumble over. None of them holds a word that the search for leaks looks for. */
const STRINGS = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\u202eabc",
  "🜁🜂🜃",
  "ÿþ",
  "\r\n\r\n",
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "toString",
  "$where",
  "$gt",
  "a.b.c",
  "a b",
  "*",
  ">",
  "..",
  "../../secret",
  "-1",
  "NaN",
  "1e309",
  "2026-13-45T99:99:99Z",
  "+275760-09-13T00:00:00.001Z",
  "0000-00-00",
  "null",
  "true",
  "{}",
  "[]",
  "'\"`",
  "${1}",
  "{{7*7}}",
  "%00%ff%",
  "AAAA====",
  "x".repeat(300),
  "0".repeat(70_000),
  "(".repeat(2_000),
] as const;

const NUMBERS = [
  0,
  -0,
  -1,
  1,
  0.5,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53,
  2 ** 53 + 2,
  8.64e15 + 1,
  1e308,
  -1e-320,
] as const;

export const junkString = (chance: Chance): string => {
  if (chance.yes(0.7)) return chance.pick(STRINGS);
  return chance.bytes(chance.int(40)).toString(chance.pick(["latin1", "base64url", "hex", "utf8"]));
};

export const junkNumber = (chance: Chance): number => chance.pick(NUMBERS);

/** Any JSON value, at most `depth` deep. */
export function junk(chance: Chance, depth = 3): unknown {
  const kind = chance.int(depth > 0 ? 8 : 5);
  if (kind === 0) return null;
  if (kind === 1) return chance.yes(0.5);
  if (kind === 2) return junkNumber(chance);
  if (kind <= 4) return junkString(chance);
  const count = chance.int(4);
  if (kind === 5) return Array.from({ length: count }, () => junk(chance, depth - 1));
  if (kind === 6) {
    let nested: unknown = 1;
    for (let i = chance.int(500); i > 0; i--) nested = chance.yes(0.5) ? [nested] : { a: nested };
    return nested;
  }
  return Object.fromEntries(
    Array.from({ length: count }, () => [junkString(chance), junk(chance, depth - 1)]),
  );
}
