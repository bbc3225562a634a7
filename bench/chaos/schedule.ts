import { ACK_WAIT_MS } from "../../src/shared/topology.ts";
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
  /** SIGKILL to a judged program, a compiler, a validator, or what of the sandbox is around it. */
  killProgram: 4,
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
  /** Chooses among the processes of one victim, in the same way. */
  readonly part: number;
  /** How long a stop or a break lasts, milliseconds. An executor's lease: `ACK_WAIT_MS`. */
  readonly forMs: number;
}

const SHORT = { from: 1_000, to: 5_000 };
const PAST_THE_LEASE = { from: ACK_WAIT_MS + 500, to: ACK_WAIT_MS + 6_000 };

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
    const part = random.next();
    // Of the parts that hold a lease, most breaks are longer than it.
    const long = deed.endsWith("Executor") && random.next() < 0.7;
    const { from, to } = long ? PAST_THE_LEASE : SHORT;
    const forMs = Math.round(from + random.next() * (to - from));
    yield { deed, afterMs, victim, part, forMs };
  }
}
