import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createMetrics, type ExecutorMetrics } from "../../../src/executors/backbone/metrics.ts";
import { type BlobCache, openBlobCache } from "../../../src/executors/blobs/cache.ts";
import { Sha256 } from "../../../src/shared/ids.ts";
import { createLog } from "../../../src/shared/log.ts";

const blobs = new Map<string, Buffer>();
const put = (bytes: Buffer): Sha256 => {
  const sha256 = Sha256.parse(createHash("sha256").update(bytes).digest("hex"));
  blobs.set(sha256, bytes);
  return sha256;
};
/** Blobs of 1,000 bytes each, told apart by their first byte. */
const thousand = (first: number): Sha256 => put(Buffer.alloc(1_000, first));

let asked: string[] = [];
let refuse = "";
const server = createServer((request, response) => {
  const sha256 = (request.url ?? "").slice("/blobs/".length);
  asked.push(sha256);
  const bytes = blobs.get(sha256);
  const refused = request.headers.authorization === `Bearer ${refuse}`;
  // Late, so that others can ask meanwhile.
  setTimeout(() => response.writeHead(refused ? 403 : bytes ? 200 : 404).end(refused ? "" : bytes), 20);
});
const never = new AbortController().signal;

let folder: string;
let metrics: ExecutorMetrics;

const open = (maxBytes = 1_000_000): Promise<BlobCache> => {
  metrics = createMetrics(new Registry(), () => 0);
  return openBlobCache({
    folder,
    maxBytes,
    serverUrls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`],
    metrics,
    log: createLog("test", "silent"),
  });
};
const valueOf = async (name: "blobHits" | "blobMisses" | "blobEvictions" | "blobBytes"): Promise<number> =>
  (await metrics[name].get()).values[0]?.value ?? 0;
const files = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => /[0-9a-f]{64}$/.test(name));

beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
afterAll(() => new Promise((resolve) => void server.close(resolve)));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-blobs-"));
  asked = [];
  refuse = "";
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("many that want one blob at once cause one fetch; the file is readable by all and not writable", async () => {
  const cache = await open();
  const sha256 = thousand(1);
  const source = cache.source("cap", never);
  const opened = await Promise.all(Array.from({ length: 10 }, () => source.open(sha256)));
  expect(asked).toEqual([sha256]);
  expect(new Set(opened.map(({ path }) => path)).size).toBe(1);
  const path = opened[0]?.path ?? "";
  expect(await readFile(path)).toEqual(blobs.get(sha256));
  expect((await stat(path)).mode & 0o777).toBe(0o444);
});

test("what was cleaned away by hand is fetched again, once, whether it was in use or of an earlier process", async () => {
  const before = await open();
  const sha256 = thousand(1);
  const { path } = await before.source("cap", never).open(sha256);
  await rm(path);
  const both = await Promise.all([1, 2].map(() => before.source("cap", never).open(sha256)));
  for (const opened of both) expect(await readFile(opened.path)).toEqual(blobs.get(sha256));
  expect(asked).toEqual([sha256, sha256]);
  const after = await open();
  await rm(path);
  await after.source("cap", never).open(sha256);
  expect(await readFile(path)).toEqual(blobs.get(sha256));
});

test("one job's refusal is not another's", async () => {
  const cache = await open();
  refuse = "bad";
  const sha256 = thousand(2);
  const bad = cache.source("bad", never).open(sha256);
  const good = cache.source("good", never).open(sha256);
  await expect(bad).rejects.toMatchObject({ code: "BLOB_UNAVAILABLE", shared: false });
  await expect(good).resolves.toMatchObject({ path: expect.stringContaining(sha256) as string });
});

test("the least recently used blob goes when there is no room, a pinned one stays", async () => {
  const cache = await open(3_000);
  const source = cache.source("cap", never);
  const [a, b, c, d] = [1, 2, 3, 4].map(thousand) as [Sha256, Sha256, Sha256, Sha256];
  const pinned = await source.open(a);
  for (const sha256 of [b, c]) (await source.open(sha256)).release();
  (await source.open(b)).release();
  (await source.open(d)).release();
  expect(cache.bytes()).toBe(3_000);
  const kept = await files();
  expect(kept.some((file) => file.endsWith(c))).toBe(false);
  expect(kept).toHaveLength(3);
  expect(await readFile(pinned.path)).toEqual(blobs.get(a));
  expect([await valueOf("blobEvictions"), await valueOf("blobBytes")]).toEqual([1, 3_000]);
});

test("more pinned bytes than the cache holds are let in, and made good for at release", async () => {
  const cache = await open(1_500);
  const source = cache.source("cap", never);
  const opened = [await source.open(thousand(1)), await source.open(thousand(2))];
  expect(cache.bytes()).toBe(2_000);
  for (const blob of opened) blob.release();
  expect(cache.bytes()).toBe(1_000);
});

test("a new process uses what is there, least recently used first out, and fetches damaged blobs anew", async () => {
  const before = await open();
  const [a, b, c] = [1, 2, 3].map(thousand) as [Sha256, Sha256, Sha256];
  for (const sha256 of [a, b, c]) (await before.source("cap", never).open(sha256)).release();
  const { path: pathOfB } = await before.source("cap", never).open(b);
  await truncate(pathOfB, 500);
  // What a process killed in mid-fetch leaves.
  await writeFile(join(folder, "incoming", thousand(9)), "half");
  asked = [];

  const after = await open();
  expect(await readdir(join(folder, "incoming"))).toEqual([]);
  const source = after.source("cap", never);
  await source.open(a);
  await source.open(c);
  expect(asked).toEqual([]);
  expect(await readFile((await source.open(b)).path)).toEqual(blobs.get(b));
  expect(asked).toEqual([b]);
  expect([await valueOf("blobHits"), await valueOf("blobMisses")]).toEqual([2, 1]);
});

test("a job told to stop waits no longer; the fetch serves the next one", async () => {
  const cache = await open();
  const sha256 = thousand(5);
  const stop = new AbortController();
  const waiting = cache.source("cap", stop.signal).open(sha256);
  stop.abort(new Error("told to stop"));
  await expect(waiting).rejects.toThrow("told to stop");
  await cache.source("cap", never).open(sha256);
  expect(asked).toEqual([sha256]);
});

test("an unreachable server is a shared fault and leaves no file", async () => {
  metrics = createMetrics(new Registry(), () => 0);
  const serverUrls = ["http://127.0.0.1:9"];
  const log = createLog("test", "silent");
  const cache = await openBlobCache({ folder, maxBytes: 1_000, serverUrls, metrics, log });
  await expect(cache.source("cap", never).open(thousand(6))).rejects.toMatchObject({
    code: "BLOB_UNAVAILABLE",
    shared: true,
  });
  expect(await files()).toEqual([]);
});

test("another server is asked when one is down", async () => {
  metrics = createMetrics(new Registry(), () => 0);
  const up = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const log = createLog("test", "silent");
  const serverUrls = ["http://127.0.0.1:9", up];
  const cache = await openBlobCache({ folder, maxBytes: 1_000_000, serverUrls, metrics, log });
  // Whichever of the two is the first for a blob.
  for (const sha256 of [thousand(1), thousand(2), thousand(3), thousand(4)]) {
    const { path } = await cache.source("cap", never).open(sha256);
    expect(await readFile(path)).toEqual(blobs.get(sha256));
  }
});
