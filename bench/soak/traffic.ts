import { setTimeout as sleep } from "node:timers/promises";
import { type Client } from "../../src/cli/client.ts";
import { EXECUTORS, LANGUAGES, operation, PROBLEMS, QUEUES } from "../../src/cli/operations.ts";
import { z } from "zod";
import type { Work } from "../chaos/programs.ts";
import { handIn, hearOf, type Person, WAYS } from "./clients.ts";

/** What people do to a stack, and what came of it so far. */
export interface Traffic {
  /**
   * So many submissions under way at once; resolves to how many came to their end per second, warm-up apart, in the best
   * third of the time: what others do on the machine only ever makes it look slower than it is.
   */
  closed(input: { readonly atOnce: number; readonly forMs: number }): Promise<number>;
  /** So many new ones per second, whether earlier ones are done or not, until the signal; then waits for all ends. */
  open(input: { readonly perSecond: number }, until: AbortSignal): Promise<void>;
  readonly counts: Readonly<Counts>;
  unfinished(): number;
  /** From the request to the final state at the client, milliseconds; each is told once. */
  takeLatencies(): number[];
}

export interface Counts {
  submissions: number;
  finished: number;
  /** Without the end they should have had: refused for good, unheard of, FAILED. */
  failed: number;
  wrongVerdict: number;
  /** Answers that said "not now". */
  putOff: number;
  /** Times that the next one had to wait as too many were unfinished. */
  heldBack: number;
  queries: number;
}

export interface TrafficDeps {
  readonly people: readonly Person[];
  readonly jury: Client;
  readonly workOf: (number: number) => Work;
  /** Hears of each one that failed. */
  readonly tell: (line: string) => void;
}

/** Of the closed loop's time: until all slots are busy and the caches are filled. */
const WARM_UP_SHARE = 1 / 3;
const WINDOWS = 3;
/** More are never unfinished: a machine that others slow down must not make it a test of overload. */
export const MOST_UNFINISHED = 48;
const QUERY_MS = 250;

const SUBMISSIONS = operation(
  `query ($first: Int!) { submissions(first: $first) {
    edges { node { id state verdict createdAt problem { name } judgement { generation } } }
    pageInfo { hasNextPage endCursor } } }`,
  z.object({ submissions: z.object({ edges: z.array(z.unknown()) }) }),
);

export function createTraffic(deps: TrafficDeps): Traffic {
  const counts: Counts = {
    submissions: 0,
    finished: 0,
    failed: 0,
    wrongVerdict: 0,
    putOff: 0,
    heldBack: 0,
    queries: 0,
  };
  let latencies: number[] = [];
  let number = 0;
  let open = 0;

  const pick = <T>(from: readonly T[], at: number): T => {
    const picked = from[at % from.length];
    if (picked === undefined) throw new Error("nobody to act for");
    return picked;
  };

  async function one(): Promise<void> {
    const mine = number++;
    const person = pick(deps.people, mine);
    const work = deps.workOf(mine);
    const begun = performance.now();
    counts.submissions += 1;
    open += 1;
    try {
      const id = await handIn(person, work, () => (counts.putOff += 1));
      const view = await hearOf(person, id, pick(WAYS, Math.floor(mine / deps.people.length) + mine));
      latencies.push(performance.now() - begun);
      counts.finished += 1;
      const miss = work.miss(view);
      if (view.state !== "FINISHED") throw new Error(`${id} ended ${view.state}`);
      if (miss !== undefined) {
        counts.wrongVerdict += 1;
        deps.tell(`${id} (${work.problem}, ${work.language}): ${miss}`);
      }
    } catch (error) {
      counts.failed += 1;
      deps.tell(`submission ${mine}: ${String(error)}`);
    } finally {
      open -= 1;
    }
  }

  /** People and the jury look at lists while others submit. */
  async function lookAtLists(until: AbortSignal): Promise<void> {
    for (let turn = 0; !until.aborted; turn++) {
      const { client } = pick(deps.people, turn);
      const asked = pick<() => Promise<unknown>>(
        [
          () => client.request(SUBMISSIONS, { first: 20 }),
          () => deps.jury.request(SUBMISSIONS, { first: 50 }),
          () => client.request(LANGUAGES),
          () => client.request(PROBLEMS, { after: null }),
          () => deps.jury.request(QUEUES),
          () => deps.jury.request(EXECUTORS),
          () => fetch(`${deps.jury.url}/metrics`).then((response) => response.text()),
        ],
        turn,
      );
      await asked().catch((error: unknown) => deps.tell(`a query failed: ${String(error)}`));
      counts.queries += 1;
      await sleep(QUERY_MS);
    }
  }

  return {
    counts,
    unfinished: () => open,
    takeLatencies() {
      const taken = latencies;
      latencies = [];
      return taken;
    },
    async closed({ atOnce, forMs }) {
      const begun = performance.now();
      const warm = begun + forMs * WARM_UP_SHARE;
      const ends = Array.from({ length: WINDOWS }, () => 0);
      const windowMs = (begun + forMs - warm) / WINDOWS;
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          while (performance.now() < begun + forMs) {
            await one();
            const window = Math.floor((performance.now() - warm) / windowMs);
            if (ends[window] !== undefined) ends[window] += 1;
          }
        }),
      );
      return Math.max(...ends) / (windowMs / 1_000);
    },
    async open({ perSecond }, until) {
      const running = new Set<Promise<void>>();
      const lists = lookAtLists(until);
      for (let next = performance.now(); !until.aborted; next += 1_000 / perSecond) {
        const wait = next - performance.now();
        if (wait > 0) await sleep(wait);
        if (open >= MOST_UNFINISHED) {
          counts.heldBack += 1;
          next = performance.now();
          continue;
        }
        const going: Promise<void> = one().finally(() => running.delete(going));
        running.add(going);
      }
      await lists;
      await Promise.all(running);
    },
  };
}
