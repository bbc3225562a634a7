import { createRecent, type Evicted } from "../../shared/recent.ts";
import type { ExecutorView } from "../fleet.ts";
import { estimateWait, type LaneLoad } from "../intake/estimate.ts";
import type { Wait } from "../intake/outcome.ts";
import { keep } from "../kept.ts";
import type { ProblemId } from "../../shared/ids.ts";
import type { JudgementDocument } from "../store/documents.ts";
import { type Held, heldIn, type Place } from "../store/held.ts";
import type { Unfinished } from "../unfinished.ts";
import { type LaneModel, laneModel } from "./lanemodel.ts";
import type { ServiceTimes } from "./servicetimes.ts";

export interface Waits {
  /** Where a submission would stand that this owner handed in now. Throws StoreUnavailable. */
  ofNew(input: { readonly place: Place; readonly owner: string }): Promise<Wait>;
  /** Where it stands; undefined when it does not wait any more. Seconds old at most. Throws StoreUnavailable. */
  of(judgement: JudgementDocument): Promise<Wait | undefined>;
}

/** A position is computed so often at most, milliseconds. */
export const WAIT_KEEP_MS = 2_000;
/** Of an owner's line so much is looked at; what is behind is taken to be as far as its size says. */
const LINE = 1_000;

export function createWaits(deps: {
  readonly held: Pick<Held, "queued" | "oldest">;
  readonly unfinished: Unfinished;
  readonly serviceTimes: Pick<ServiceTimes, "read">;
  readonly executors: () => readonly ExecutorView[];
  /** Why no live executor takes jobs of a place, in words; undefined when one does. */
  readonly whyNot: (place: Place) => string | undefined;
  /** Why nothing of a problem goes out, in words; undefined when it does. */
  readonly whyNotProblem: (problem: ProblemId) => string | undefined;
  readonly evicted: Evicted;
}): Waits {
  const counts = keep({ keepMs: WAIT_KEEP_MS, read: () => deps.unfinished.counts() });
  const models = new Map<string, () => Promise<LaneModel>>();
  const lines = createRecent<string, () => Promise<ReadonlyMap<string, number>>>(
    "rememberedLines",
    deps.evicted,
  );

  function modelOf(place: Place): Promise<LaneModel> {
    const key = heldIn(place);
    const known =
      models.get(key) ??
      keep({
        keepMs: WAIT_KEEP_MS,
        read: async () => {
          const [queued, all, held, serviceMs] = await Promise.all([
            deps.held.queued(place),
            counts(),
            deps.unfinished.held(),
            deps.serviceTimes.read(),
          ]);
          return laneModel(place, { executors: deps.executors(), counts: all, held, queued, serviceMs });
        },
      });
    models.set(key, known);
    return known();
  }

  /** Places in an owner's own line, from 0. */
  async function inLine({ _id, owner, language, lane }: JudgementDocument): Promise<number | undefined> {
    const place = { language, lane };
    const key = `${heldIn(place)} ${owner}`;
    const line =
      lines.get(key) ??
      keep({
        keepMs: WAIT_KEEP_MS,
        read: async () => {
          const oldest = await deps.held.oldest({ place, owner, limit: LINE });
          return new Map(oldest.map((one, nth) => [one._id as string, nth]));
        },
      });
    lines.set(key, line);
    return (await line()).get(_id);
  }

  function waitOf(place: Place, model: LaneModel, ahead: LaneLoad): Wait {
    const reason = deps.whyNot(place);
    const waitMs = estimateWait(ahead, model.around);
    const known = model.meanMs !== undefined || waitMs === 0;
    return {
      position: Math.round(ahead.count) + 1,
      waitMs: known && waitMs !== undefined ? Math.round(waitMs) : undefined,
      ...(reason === undefined ? {} : { reason }),
    };
  }

  /** What comes before an owner's nth held one. */
  function aheadInLine(model: LaneModel, owner: string, nth: number): LaneLoad {
    const held = nth + model.heldBefore(owner, nth);
    return {
      count: model.queued.count + held,
      workMs: model.queued.workMs + held * model.around.meanMs,
    };
  }

  return {
    async ofNew({ place, owner }) {
      const model = await modelOf(place);
      const own = model.heldOf.get(owner) ?? 0;
      // Who has nothing in line goes straight into the queue.
      const ahead = own === 0 ? model.queued : aheadInLine(model, owner, own);
      return waitOf(place, model, ahead);
    },
    async of(judgement) {
      if (judgement.state !== "PENDING" && judgement.state !== "QUEUED") return undefined;
      const { _id, owner, language, lane } = judgement;
      const place = { language, lane };
      const model = await modelOf(place);
      const paused = judgement.problem === undefined ? undefined : deps.whyNotProblem(judgement.problem);
      if (paused !== undefined && judgement.dispatch === 0) {
        // How long is for somebody to decide.
        const { position } = waitOf(place, model, aheadInLine(model, owner, model.heldOf.get(owner) ?? 0));
        return { position, waitMs: undefined, reason: paused };
      }
      if (judgement.held === undefined) {
        // What has just been published is not in the model yet: it is the last one.
        return waitOf(place, model, model.before.get(_id) ?? model.queued);
      }
      const nth = (await inLine(judgement)) ?? model.heldOf.get(owner) ?? 0;
      return waitOf(place, model, aheadInLine(model, owner, nth));
    },
  };
}
