import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { artefactKey, openArtefactCache } from "../../../src/executors/judge/artefacts.ts";

/** What an entry counts for at least. */
const SMALL = 64 * 1024;

let root: string;
let folder: string;
let box: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "docket-artefacts-"));
  folder = join(root, "cache");
  box = join(root, "box");
  mkdirSync(join(box, "sub"), { recursive: true });
  writeFileSync(join(box, "program"), "x".repeat(1_000));
  chmodSync(join(box, "program"), 0o700);
  writeFileSync(join(box, "sub", "data"), "y");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = (maxBytes = 1 << 20) => openArtefactCache({ folder, maxBytes });
const key = (name: string) => artefactKey([name]);

test("what was stored is found, readable for a slot's uid, also after a restart", async () => {
  const first = await open();
  (await first.store(key("a"), box)).release();
  for (const cache of [first, await open()]) {
    const found = await cache.find(key("a"));
    if (found === undefined) throw new Error("not found");
    expect(readFileSync(join(found.box, "sub", "data"), "utf8")).toBe("y");
    expect(statSync(join(found.box, "program")).mode & 0o777).toBe(0o755);
    expect(cache.stats).toMatchObject({ hits: 1, misses: 0, entries: 1, bytes: SMALL });
    found.release();
  }
});

test("another key is a miss", async () => {
  const cache = await open();
  (await cache.store(key("a"), box)).release();
  expect(await cache.find(key("b"))).toBeUndefined();
  expect(cache.stats.misses).toBe(1);
});

const corruptions: readonly [string, (entry: string) => void][] = [
  ["a changed byte", (entry) => writeFileSync(join(entry, "box", "program"), `z${"x".repeat(999)}`)],
  ["a cut file", (entry) => truncateSync(join(entry, "box", "program"), 500)],
  ["a missing file", (entry) => rmSync(join(entry, "box", "sub", "data"))],
  ["a file too many", (entry) => writeFileSync(join(entry, "box", "more"), "")],
  ["no list", (entry) => rmSync(join(entry, "entry.json"))],
  ["half a list", (entry) => truncateSync(join(entry, "entry.json"), 20)],
];
test.each(corruptions)("an entry with %s is not used and goes away", async (_name, corrupt) => {
  (await (await open()).store(key("a"), box)).release();
  corrupt(join(folder, key("a")));
  const cache = await open();
  expect(await cache.find(key("a"))).toBeUndefined();
  expect(readdirSync(folder)).toEqual([]);
  expect(cache.stats).toEqual({ hits: 0, misses: 1, evictions: 0, entries: 0, bytes: 0 });
  (await cache.store(key("a"), box)).release();
  expect(await cache.find(key("a"))).toBeDefined();
});

test("an entry that somebody removes is a miss", async () => {
  const cache = await open();
  (await cache.store(key("a"), box)).release();
  rmSync(join(folder, key("a")), { recursive: true });
  expect(await cache.find(key("a"))).toBeUndefined();
  (await cache.store(key("a"), box)).release();
  expect(await cache.find(key("a"))).toBeDefined();
});

test("what a killed executor was making is removed at the next start", async () => {
  mkdirSync(join(folder, "new-0123456789abcdef", "box"), { recursive: true });
  await open();
  expect(readdirSync(folder)).toEqual([]);
});

test("links, pipes and devices are left out, and nothing outside is read", async () => {
  symlinkSync("/etc/passwd", join(box, "passwd"));
  symlinkSync("/etc", join(box, "etc"));
  execFileSync("mkfifo", [join(box, "pipe")]);
  const artefact = await (await open()).store(key("a"), box);
  expect(readdirSync(artefact.box)).toEqual(["program", "sub"]);
});

test("the least recently used goes first, never one that is held", async () => {
  const cache = await open(3.5 * SMALL);
  for (const name of ["a", "b", "c"]) (await cache.store(key(name), box)).release();
  const held = await cache.find(key("b"));
  (await cache.find(key("a")))?.release();
  (await cache.store(key("d"), box)).release();
  expect(existsSync(join(folder, key("c")))).toBe(false);
  (await cache.store(key("e"), box)).release();
  expect(readdirSync(folder).toSorted()).toEqual([key("b"), key("d"), key("e")].toSorted());
  expect(cache.stats).toMatchObject({ entries: 3, bytes: 3 * SMALL, evictions: 2 });
  held?.release();
  (await cache.store(key("f"), box)).release();
  expect(readdirSync(folder).toSorted()).toEqual([key("d"), key("e"), key("f")].toSorted());
});

test("large programs count for what they are", async () => {
  writeFileSync(join(box, "program"), Buffer.alloc(3 * SMALL));
  const cache = await open();
  (await cache.store(key("a"), box)).release();
  expect(cache.stats.bytes).toBe(3 * SMALL + 1);
});

test("a restart with a smaller bound keeps the most recent", async () => {
  const cache = await open();
  for (const name of ["a", "b"]) (await cache.store(key(name), box)).release();
  (await cache.find(key("a")))?.release();
  const smaller = await open(1.5 * SMALL);
  expect(await smaller.find(key("b"))).toBeUndefined();
  expect(await smaller.find(key("a"))).toBeDefined();
});

test("the same program stored by two slots at once is one entry", async () => {
  const cache = await open();
  const artefacts = await Promise.all([cache.store(key("a"), box), cache.store(key("a"), box)]);
  expect(new Set(artefacts.map((artefact) => artefact.box)).size).toBe(1);
  expect(readFileSync(join(artefacts[0].box, "sub", "data"), "utf8")).toBe("y");
  expect(readdirSync(folder)).toEqual([key("a")]);
  expect(cache.stats).toMatchObject({ entries: 1, bytes: SMALL });
});
