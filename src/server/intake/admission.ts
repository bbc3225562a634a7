import type { SubmissionId } from "../../shared/ids.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import type { Service } from "../../shared/lifecycle.ts";
import type { Allowance, AllowanceOf, Admission as Allowances, Reserved } from "../store/admission.ts";
import type { ContestDocument, Role } from "../store/documents.ts";
import { groupCommit } from "../store/groupcommit.ts";
import { passed, type Refusal, refuse } from "./outcome.ts";

/** A place that a submission-to-be has; whoever got it says what became of it, once. */
export interface Admitted {
  readonly type: "admitted";
  /** Unfinished submissions of the owner at most, this one included. */
  readonly unfinished: number;
  /** It is stored, or nobody knows. */
  done(outcome: "stored" | "unknown"): void;
  /** It will never be: it costs nothing. */
  back(): void;
}

export interface AdmitInput {
  readonly id: SubmissionId;
  readonly owner: string;
  readonly role: Role;
  readonly contest: ContestDocument | undefined;
}

export interface Admission extends Service {
  /**
   * Asks for a place: one round trip, shared by all that ask at the same time, and exact over all servers. Throws
   * StoreUnavailable.
   */
  admit(input: AdmitInput): Promise<Admitted | Refusal>;
}

interface Asked {
  readonly of: AllowanceOf;
  readonly id: SubmissionId;
  readonly allowance: Allowance;
}

type Answer = Omit<Reserved, "granted"> & { readonly granted: boolean };

/** Most that share a round trip, and most round trips at once. */
const GROUPS = { items: 128, writesAtOnce: 2 };
/** What became of reservations is told together, a little later, milliseconds. */
const RELEASE_MS = 50;
/** An owner near a limit is counted so often at most by one server, milliseconds. */
const RECOUNT_MS = 250;
/** A count goes wrong only when a reservation comes in between. */
const RECOUNT_TRIES = 5;
/** One that finishes frees a place for the next: look again soon, milliseconds. */
const FINISH_MS = 1_000;

/** The jury is not bounded: it verifies packages and judges anew. It waits in line like everybody. */
const UNBOUNDED: Allowance = { perSecond: 1e9, burst: 1e9, unfinished: 1e9 };

const keyOf = (of: AllowanceOf): string => ("owner" in of ? `owner:${of.owner}` : `contest:${of.contest}`);

export function createAdmission(deps: {
  readonly allowances: Allowances;
  readonly limits: Limits;
  /** Above so many unfinished submissions an owner's count is looked after, so that it does not stay too high. */
  readonly recountAbove: number;
  readonly log: Log;
}): Admission {
  const { allowances, limits, log } = deps;
  const bounded: Allowance = {
    perSecond: limits.ownerPerSecond,
    burst: limits.ownerBurst,
    unfinished: limits.ownerUnfinished,
  };
  const allowanceOf = (role: Role): Allowance => (role === "participant" ? bounded : UNBOUNDED);

  const reserve = groupCommit<Asked, Answer>(GROUPS, async (asked) => {
    const answers = new Map<Asked, Answer>();
    const groups = Map.groupBy(asked, ({ of, allowance }) => `${allowance.burst} ${keyOf(of)}`);
    await Promise.all(
      [...groups.values()].map(async (group) => {
        const [first] = group;
        if (first === undefined) return;
        const ids = group.map((one) => one.id);
        const { granted, ...rest } = await allowances.reserve({ ...first, ids });
        for (const [i, one] of group.entries()) answers.set(one, { ...rest, granted: i < granted });
      }),
    );
    return asked.map((one) => {
      const value = answers.get(one);
      return value === undefined ? { error: new Error("a reservation got lost") } : { value };
    });
  });

  /** By owner and how far: the count under way, or the last one. */
  const counts = new Map<string, { readonly atMs: number; readonly done: Promise<void> }>();

  async function count(owner: string, upTo: number): Promise<void> {
    for (let go = 0; go < RECOUNT_TRIES; go++) if (await allowances.recount(owner, upTo)) return;
  }

  /** Counts what an owner has unfinished; calls at once, and soon after, share a count. */
  function recount(owner: string, upTo: number): Promise<void> {
    const now = performance.now();
    const key = `${upTo} ${owner}`;
    const known = counts.get(key);
    if (known !== undefined && now - known.atMs < RECOUNT_MS) return known.done;
    for (const [other, { atMs }] of counts) {
      if (now - atMs < RECOUNT_MS) break;
      counts.delete(other);
    }
    counts.delete(key);
    const done = count(owner, upTo);
    counts.set(key, { atMs: now, done });
    done.catch(() => counts.delete(key));
    return done;
  }

  let released: { readonly of: AllowanceOf; readonly id: SubmissionId; readonly back: boolean }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let releasing: Promise<void> = Promise.resolve();

  async function releaseAll(): Promise<void> {
    const all = released;
    released = [];
    const groups = Map.groupBy(all, ({ of, back }) => `${back} ${keyOf(of)}`);
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      await allowances
        .release({ of: first.of, back: first.back, ids: group.map((one) => one.id) })
        // Then the reservation runs out by itself, and the next count sets it right.
        .catch((error: unknown) => log.warn({ err: error }, "could not give back a reservation"));
    }
  }

  function flush(): void {
    timer = undefined;
    releasing = releasing.then(releaseAll);
  }

  function release(of: AllowanceOf, id: SubmissionId, back: boolean): void {
    released.push({ of, id, back });
    timer ??= setTimeout(flush, RELEASE_MS);
  }

  function rateLimited(
    limitName: "ownerBurst" | "contestBurst",
    { perSecond, burst }: Pick<Allowance, "perSecond" | "burst">,
    { tokens }: Answer,
  ): Refusal {
    const retryAfterMs = Math.max(1, Math.ceil(((1 - tokens) / perSecond) * 1000));
    const message = `More submissions than allowed: after a burst, ${perSecond} a second. Try again in ${retryAfterMs} ms.`;
    return refuse("RATE_LIMITED", message, { limit: burst, limitName, retryAfterMs });
  }

  async function ownerPlace({ id, owner, role }: AdmitInput): Promise<Answer | Refusal> {
    const allowance = allowanceOf(role);
    const asked = { of: { owner }, id, allowance };
    let answer = await reserve(asked);
    if (!answer.granted && (answer.tokens >= 1 || !answer.counted)) {
      // The number is an upper bound: what has finished since is still in it.
      await recount(owner, allowance.unfinished);
      answer = await reserve(asked);
    }
    if (answer.granted) return answer;
    if (answer.tokens < 1) return rateLimited("ownerBurst", allowance, answer);
    return refuse(
      "TOO_MANY_UNFINISHED",
      `There are ${allowance.unfinished} submissions of yours without a final state; hand in more when some have finished.`,
      { ...passed(limits, "ownerUnfinished"), limit: allowance.unfinished, retryAfterMs: FINISH_MS },
    );
  }

  async function contestPlace({ id, role, contest }: AdmitInput): Promise<Answer | Refusal | undefined> {
    if (contest === undefined || role !== "participant") return undefined;
    const { perSecond, burst } = contest.rate ?? {
      perSecond: limits.contestPerSecond,
      burst: limits.contestBurst,
    };
    const allowance = { perSecond, burst, unfinished: UNBOUNDED.unfinished };
    const answer = await reserve({ of: { contest: contest._id }, id, allowance });
    return answer.granted ? answer : rateLimited("contestBurst", { perSecond, burst }, answer);
  }

  return {
    name: "admission",
    async admit(input) {
      const { id, owner, contest } = input;
      const [answer, inContest] = await Promise.all([ownerPlace(input), contestPlace(input)]);
      const back = (): void => {
        if (!("type" in answer)) release({ owner }, id, true);
        if (contest && inContest && !("type" in inContest)) release({ contest: contest._id }, id, true);
      };
      if ("type" in answer) {
        back();
        return answer;
      }
      if (inContest && "type" in inContest) {
        back();
        return inContest;
      }
      if (answer.unfinished > deps.recountAbove)
        recount(owner, deps.recountAbove).catch((error: unknown) =>
          log.debug({ err: error }, "could not count unfinished submissions"),
        );
      return {
        type: "admitted",
        unfinished: answer.unfinished,
        done: (outcome) => {
          if (outcome === "stored") release({ owner }, id, false);
        },
        back,
      };
    },
    start: () => Promise.resolve(),
    async stop() {
      clearTimeout(timer);
      flush();
      await releasing;
    },
  };
}
