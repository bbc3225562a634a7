import { expect, test } from "vitest";
import { openTestFiles } from "../../../src/executors/judge/testdata.ts";
import { BlobFault, type BlobSource } from "../../../src/executors/work.ts";
import { Sha256 } from "../../../src/shared/ids.ts";
import type { ManifestTest } from "../../../src/shared/judging.ts";

const hash = (n: number): Sha256 => Sha256.parse(n.toString(16).padStart(64, "0"));
const tests = [1, 2, 3].map((n): ManifestTest => ({
  name: `secret/${n}`,
  sample: false,
  input: hash(n),
  answer: hash(n + 100),
  inputBytes: 1,
  answerBytes: 1,
}));

/** Tells what was asked for and what is held; `missing` is refused. */
function source(missing?: Sha256) {
  const asked: Sha256[] = [];
  const held = new Set<Sha256>();
  const blobs: BlobSource = {
    open: (sha256) => {
      asked.push(sha256);
      if (sha256 === missing) return Promise.reject(new BlobFault("BLOB_UNAVAILABLE", "gone", true));
      held.add(sha256);
      return Promise.resolve({ path: `/blobs/${sha256}`, release: () => void held.delete(sha256) });
    },
  };
  return { blobs, asked, held };
}
const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("the next test's files are fetched while one runs, and each is released after its turn", async () => {
  const { blobs, asked, held } = source();
  const files = openTestFiles(blobs, tests);
  for (const [place, one] of tests.entries()) {
    const data = await files.open(place, never);
    expect(data).toMatchObject({ test: one, place, input: `/blobs/${one.input}` });
    await settled();
    expect(asked).toHaveLength(Math.min(place + 2, 3) * 2);
    expect(held.has(data.test.input) && held.has(data.test.answer)).toBe(true);
    expect(held.size).toBeLessThanOrEqual(4);
    data.release();
  }
  files.close();
  expect(held.size).toBe(0);
});

test("stopping early releases what was fetched ahead", async () => {
  const { blobs, held } = source();
  const files = openTestFiles(blobs, tests);
  (await files.open(0, never)).release();
  files.close();
  await settled();
  expect(held.size).toBe(0);
});

test("one that is skipped, or run again, leaves nothing behind", async () => {
  const { blobs, held } = source();
  const files = openTestFiles(blobs, tests);
  for (const place of [0, 2, 1, 0]) (await files.open(place, never)).release();
  files.close();
  await settled();
  expect(held.size).toBe(0);
});

test.each([hash(2), hash(102)])(
  "a missing file is a fault when its test's turn comes, not before",
  async (missing) => {
    const { blobs, held } = source(missing);
    const files = openTestFiles(blobs, tests);
    (await files.open(0, never)).release();
    await settled();
    await expect(files.open(1, never)).rejects.toThrow("gone");
    files.close();
    expect(held.size).toBe(0);
  },
);

test("one that is stopped waits for nothing, and what comes for it later is released", async () => {
  const { blobs, asked, held } = source();
  const store = Promise.withResolvers<void>();
  const hanging: BlobSource = { open: (sha256) => store.promise.then(() => blobs.open(sha256)) };
  const files = openTestFiles(hanging, tests);
  const stop = new AbortController();
  const opened = files.open(0, stop.signal);
  stop.abort(new Error("called back"));
  await expect(opened).rejects.toThrow("called back");
  store.resolve();
  await settled();
  files.close();
  await settled();
  expect(asked).toHaveLength(2);
  expect(held.size).toBe(0);
});
