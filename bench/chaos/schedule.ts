import { createRandom } from "./random.ts";

/** Kinds of harm, and how often each comes. */
const DEEDS = {
  /** SIGKILL. */
  killExecutor: 6,
  killServer: 3,
  killBroker: 2,
  killDatabase: 2,
  /** SIGKILL to what runs programs for an executor. */
  killSandbox: 3,
  /** SIGSTOP, and SIGCONT later. */
  stopExecutor: 3,
  stopServer: 1,
  stopBroker: 1,
  stopDatabase: 1,
  /** Its connection to the broker goes silent, then comes back. */
  muteExecutor: 2,
  /** Its connection to the broker breaks and cannot be made anew for a while. */
  cutExecutor: 2,
};
export type Deed = keyof typeof DEEDS;

export interface Strike {
  readonly deed: Deed;
  /** Pause before it, milliseconds. */
  readonly afterMs: number;
  /** Chooses the victim: a share of the list of those that can be. */
  readonly victim: number;
  /** How long a stop or a break lasts, milliseconds. An executor's lease is 8,000. */
  readonly forMs: number;
}

const SHORT = { from: 1_000, to: 6_000 };
const PAST_THE_LEASE = { from: 8_500, to: 14_000 };

/** The endless list of what is done, the same for the same seed. On average one every `everyMs`. */
export function* strikes(input: {
  readonly seed: number;
  readonly everyMs: number;
}): Generator<Strike, never> {
  const random = createRandom(input.seed);
  for (;;) {
    const deed = random.weighted(DEEDS);
    const afterMs = Math.round(input.everyMs * (0.5 + random.next()));
    const victim = random.next();
    // Of the parts that hold a lease, most breaks are longer than it.
    const long = deed.endsWith("Executor") && random.next() < 0.7;
    const { from, to } = long ? PAST_THE_LEASE : SHORT;
    const forMs = Math.round(from + random.next() * (to - from));
    yield { deed, afterMs, victim, forMs };
  }
}
