import type { Chance } from "./chance.ts";
import { junk } from "./junk.ts";

const PIECES = [
  "{",
  "}",
  "(",
  ")",
  "[",
  "]",
  "$",
  "@",
  "!",
  "...",
  '"',
  '"""',
  "\\",
  "#",
  ":",
  ",",
  "\u0000",
  "\ufeff",
  "fragment F on Query { ...F }",
] as const;

/** A few small wounds: pieces cut, doubled, moved, put in. */
export function mutateText(chance: Chance, text: string): string {
  let now = text;
  for (let times = 1 + chance.int(4); times > 0; times--) {
    const at = chance.int(now.length + 1);
    const end = Math.min(now.length, at + 1 + chance.int(20));
    const piece = now.slice(at, end);
    const kind = chance.int(5);
    if (kind === 0) now = now.slice(0, at) + now.slice(end);
    else if (kind === 1) now = now.slice(0, end) + piece.repeat(1 + chance.int(30)) + now.slice(end);
    else if (kind === 2) now = now.slice(0, at) + chance.pick(PIECES) + now.slice(at);
    else if (kind === 3) now = now.slice(0, at);
    else now = now.slice(end) + now.slice(0, end);
  }
  return now;
}

export function mutateBytes(chance: Chance, bytes: Uint8Array): Buffer {
  let now = Buffer.from(bytes);
  for (let times = 1 + chance.int(6); times > 0; times--) {
    const at = chance.int(Math.max(1, now.length));
    const kind = chance.int(4);
    if (kind === 0 && now.length > 0) now[at] = chance.int(256);
    else if (kind === 1 && now.length > 0) now[at] = (now[at] ?? 0) ^ (1 << chance.int(8));
    else if (kind === 2) now = now.subarray(0, chance.yes(0.5) ? at : now.length - chance.int(8));
    else now = Buffer.concat([now.subarray(0, at), chance.bytes(chance.int(16)), now.subarray(at)]);
  }
  return now;
}

/** The value with some of its parts replaced, removed or added, at any depth. */
export function mutateJson(chance: Chance, value: unknown, share = 0.15): unknown {
  if (chance.yes(share / 3)) return junk(chance);
  if (Array.isArray(value)) {
    const parts: unknown[] = value.flatMap((part: unknown) =>
      chance.yes(share / 3) ? [] : [mutateJson(chance, part, share)],
    );
    return chance.yes(share) ? [...parts, ...parts, junk(chance)] : parts;
  }
  if (typeof value !== "object" || value === null) return chance.yes(share) ? junk(chance) : value;
  const entries = Object.entries(value).flatMap(([key, part]): [string, unknown][] =>
    chance.yes(share / 3) ? [] : [[key, mutateJson(chance, part, share)]],
  );
  if (chance.yes(share / 2))
    entries.push([chance.pick(["__proto__", "$set", "a.b", "", "id"]), junk(chance)]);
  return Object.fromEntries(entries);
}
