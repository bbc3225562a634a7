import type { ManifestTest } from "../../shared/judging.ts";
import type { BlobSource } from "../work.ts";

/** A test with its files at hand: host paths, held until `release`. */
export interface TestData {
  readonly test: ManifestTest;
  readonly input: string;
  readonly answer: string;
  release(): void;
}

/**
 * The tests in their order, each with its files; those of the next one are fetched while the one before runs. Each is
 * released when the next is asked for. Throws as BlobSource.open does.
 */
export async function* testData(
  blobs: BlobSource,
  tests: readonly ManifestTest[],
): AsyncGenerator<TestData, void, undefined> {
  let ahead = openAhead(blobs, tests[0]);
  try {
    for (let i = 1; ahead !== undefined; i++) {
      const data: TestData = await ahead;
      ahead = openAhead(blobs, tests[i]);
      try {
        yield data;
      } finally {
        data.release();
      }
    }
  } finally {
    // What was fetched for nothing, whenever it comes: the verdict does not wait for it.
    void ahead?.then(
      (data) => data.release(),
      () => {},
    );
  }
}

function openAhead(blobs: BlobSource, test: ManifestTest | undefined): Promise<TestData> | undefined {
  const opening = test === undefined ? undefined : open(blobs, test);
  // Seen when its turn comes; not an unhandled rejection until then.
  opening?.catch(() => {});
  return opening;
}

async function open(blobs: BlobSource, test: ManifestTest): Promise<TestData> {
  const [input, answer] = await Promise.allSettled([blobs.open(test.input), blobs.open(test.answer)]);
  if (input.status === "fulfilled" && answer.status === "fulfilled") {
    return {
      test,
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
