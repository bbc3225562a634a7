import type { ManifestTest } from "../../shared/judging.ts";
import type { BlobSource } from "../work.ts";

/** A test with its files at hand: host paths, held until `release`. */
export interface TestData {
  readonly test: ManifestTest;
  /** Among the manifest's tests, from 0. */
  readonly place: number;
  readonly input: string;
  readonly answer: string;
  release(): void;
}

/**
 * The tests in their order, each with its files; those of the next one are fetched while the one before runs. Each is
 * released when the next is asked for; which ones are skipped is asked anew then. Throws as BlobSource.open does.
 */
export async function* testData(
  blobs: BlobSource,
  tests: readonly ManifestTest[],
  isSkipped: (place: number) => boolean,
): AsyncGenerator<TestData, void, undefined> {
  let ahead: { readonly place: number; readonly opening: Promise<TestData> } | undefined;
  const discard = (): void => {
    // What was fetched for nothing, whenever it comes: nobody waits for it.
    void ahead?.opening.then(
      (data) => data.release(),
      () => {},
    );
    ahead = undefined;
  };
  try {
    for (const [place, test] of tests.entries()) {
      if (isSkipped(place)) continue;
      if (ahead?.place !== place) discard();
      const data: TestData = await (ahead?.opening ?? open(blobs, test, place));
      ahead = undefined;
      // Most likely the next one; a rejection of this one may make it another.
      const next = tests[place + 1];
      if (next !== undefined) ahead = { place: place + 1, opening: openAhead(blobs, next, place + 1) };
      try {
        yield data;
      } finally {
        data.release();
      }
    }
  } finally {
    discard();
  }
}

function openAhead(blobs: BlobSource, test: ManifestTest, place: number): Promise<TestData> {
  const opening = open(blobs, test, place);
  // Seen when its turn comes; not an unhandled rejection until then.
  opening.catch(() => {});
  return opening;
}

async function open(blobs: BlobSource, test: ManifestTest, place: number): Promise<TestData> {
  const [input, answer] = await Promise.allSettled([blobs.open(test.input), blobs.open(test.answer)]);
  if (input.status === "fulfilled" && answer.status === "fulfilled") {
    return {
      test,
      place,
      input: input.value.path,
      answer: answer.value.path,
      release: () => {
        input.value.release();
        answer.value.release();
      },
    };
  }
  for (const opened of [input, answer]) if (opened.status === "fulfilled") opened.value.release();
  throw input.status === "rejected" ? input.reason : (answer as PromiseRejectedResult).reason;
}
