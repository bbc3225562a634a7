import type { ManifestTest } from "../../shared/judging.ts";
import { unlessAborted } from "../../shared/unlessaborted.ts";
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
  /**
   * A test with its files; those of the next one are fetched meanwhile. Throws as BlobSource.open does, and the signal's
   * reason as soon as it aborts.
   */
  open(place: number, signal: AbortSignal): Promise<TestData>;
  /** Lets go of what was fetched ahead. */
  close(): void;
}

export function openTestFiles(blobs: BlobSource, tests: readonly ManifestTest[]): TestFiles {
  let ahead: { readonly place: number; readonly opening: Promise<TestData> } | undefined;
  const discard = (): void => {
    if (ahead !== undefined) letGo(ahead.opening);
    ahead = undefined;
  };
  const fetch = (place: number): Promise<TestData> | undefined => {
    const test = tests[place];
    return test === undefined ? undefined : open(blobs, test, place);
  };
  return {
    async open(place, signal) {
      signal.throwIfAborted();
      const wanted = ahead?.place === place ? ahead.opening : fetch(place);
      if (wanted === undefined) throw new RangeError(`there is no test ${place}`);
      if (ahead?.place === place) ahead = undefined;
      const data = await heldUnlessAborted(wanted, signal);
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

/** The same blobs for somebody who can be stopped before the job is. */
export const stoppable = (blobs: BlobSource, signal: AbortSignal): BlobSource => ({
  open: (sha256) => heldUnlessAborted(blobs.open(sha256), signal),
});

interface Held {
  release(): void;
}

async function heldUnlessAborted<What extends Held>(
  opening: Promise<What>,
  signal: AbortSignal,
): Promise<What> {
  try {
    return await unlessAborted(opening, signal);
  } catch (error) {
    letGo(opening);
    throw error;
  }
}

/** What was fetched for nothing, whenever it comes: nobody waits for it. */
function letGo(opening: Promise<Held>): void {
  void opening.then(
    (held) => held.release(),
    () => {},
  );
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
