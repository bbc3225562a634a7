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

export interface TestFiles {
  /** A test with its files; those of the next one are fetched meanwhile. Throws as BlobSource.open does. */
  open(place: number): Promise<TestData>;
  /** Lets go of what was fetched ahead. */
  close(): void;
}

export function openTestFiles(blobs: BlobSource, tests: readonly ManifestTest[]): TestFiles {
  let ahead: { readonly place: number; readonly opening: Promise<TestData> } | undefined;
  const discard = (): void => {
    // What was fetched for nothing, whenever it comes: nobody waits for it.
    void ahead?.opening.then(
      (data) => data.release(),
      () => {},
    );
    ahead = undefined;
  };
  const fetch = (place: number): Promise<TestData> | undefined => {
    const test = tests[place];
    return test === undefined ? undefined : open(blobs, test, place);
  };
  return {
    async open(place) {
      const wanted = ahead?.place === place ? ahead.opening : fetch(place);
      if (wanted === undefined) throw new RangeError(`there is no test ${place}`);
      if (ahead?.place === place) ahead = undefined;
      const data = await wanted;
      // Most likely the next one; a rejection of this one may make it another. A test that is run once more, since it
      // was stopped, has the ones after it under way.
      if (ahead === undefined || ahead.place <= place) {
        discard();
        const opening = fetch(place + 1);
        // Seen when its turn comes; not an unhandled rejection until then.
        opening?.catch(() => {});
        if (opening !== undefined) ahead = { place: place + 1, opening };
      }
      return data;
    },
    close: discard,
  };
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
