import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../src/cli/client.ts";
import { SUBMIT } from "../../src/cli/operations.ts";
import { createRandom } from "./random.ts";
import type { Work } from "./programs.ts";

/** A submission that a server has confirmed. */
export interface Accepted {
  readonly number: number;
  readonly id: string;
  readonly work: Work;
  /** Of the first request and of the confirmation, milliseconds since 1970. */
  readonly askedAtMs: number;
  readonly atMs: number;
}

export interface SubmittingDeps {
  /** One for each server. */
  readonly clients: readonly Client[];
  readonly workOf: (number: number) => Work;
  /** Submissions that are not final; the next one waits while there are too many. */
  readonly unfinished: () => number;
  readonly onAccepted: (accepted: Accepted) => void;
}

/** So that a server that hangs is left for another one, milliseconds. */
const ANSWER_MS = 5_000;
const AGAIN_MS = 250;

/** Answers that say "not now". */
const PASSING = new Set(["SERVICE_UNAVAILABLE", "RATE_LIMITED", "QUEUE_SATURATED", "TOO_MANY_UNFINISHED"]);

export const keyOf = (seed: number, number: number): string => `chaos-${seed}-${number}`;

/** Hands in one program until somebody confirms it; always under the same key, as an answer may have got lost. */
async function submit(deps: SubmittingDeps, seed: number, number: number): Promise<Accepted> {
  const work = deps.workOf(number);
  const askedAtMs = Date.now();
  const random = createRandom(seed * 7_919 + number);
  const input = {
    problem: work.problem,
    language: work.language,
    entryPoint: work.entryPoint ?? null,
    files: work.files,
    idempotencyKey: keyOf(seed, number),
  };
  for (;;) {
    const asked = random
      .pick(deps.clients)
      .request(SUBMIT, { input })
      .catch(() => undefined);
    const answer = (await Promise.race([asked, sleep(ANSWER_MS)]))?.submitSubmission;
    if (answer !== undefined && "submission" in answer) {
      return { number, id: answer.submission.id, work, askedAtMs, atMs: Date.now() };
    }
    if (answer !== undefined && !PASSING.has(answer.code)) {
      throw new Error(`submission ${number} was refused: ${answer.code} ${answer.message}`);
    }
    await sleep(AGAIN_MS + AGAIN_MS * random.next());
  }
}

/**
 * Hands in `count` programs at a steady rate, whether earlier ones are answered or not, as long as no more than
 * `mostUnfinished` wait for their verdict. Resolves when all are confirmed.
 */
export async function submitAll(
  deps: SubmittingDeps,
  input: {
    readonly seed: number;
    readonly count: number;
    readonly perSecond: number;
    readonly mostUnfinished: number;
    /** No new ones after so long, milliseconds. */
    readonly forMs: number;
  },
): Promise<void> {
  const open = new Set<Promise<void>>();
  const broken: unknown[] = [];
  const until = performance.now() + input.forMs;
  for (let number = 0; number < input.count && broken.length === 0; number++) {
    await sleep(1_000 / input.perSecond);
    const isOver = (): boolean => performance.now() > until;
    while (!isOver() && deps.unfinished() + open.size > input.mostUnfinished) await sleep(50);
    if (isOver()) break;
    const one: Promise<void> = submit(deps, input.seed, number)
      .then(deps.onAccepted)
      .catch((error: unknown) => void broken.push(error))
      .finally(() => open.delete(one));
    open.add(one);
  }
  await Promise.all(open);
  if (broken.length > 0) throw broken[0];
}
