import type { RejudgeDocument, RejudgeFilter } from "../../../src/server/store/rejudges.ts";
import type { SubmissionSnapshot } from "../../../src/server/store/documents.ts";
import type { RejudgeId } from "../../../src/shared/ids.ts";
import type { Lane } from "../../../src/shared/lane.ts";
import { accepted, eventually, type Held, type ProgramInput, type Server, until, type Wire } from "../rig.ts";

/** Moves submissions and rejudges by hand: the executor's half is spoken over NATS. */
export interface Stage {
  /** Ends one job that the executor holds. */
  end(held: Held, verdict: string): Promise<void>;
  /** A submission judged with this verdict. */
  judged(verdict: string, input?: ProgramInput): Promise<SubmissionSnapshot>;
  /** One that is a dead letter. */
  dead(input?: ProgramInput): Promise<SubmissionSnapshot>;
  create(
    filter: RejudgeFilter,
    more?: Partial<Pick<RejudgeDocument, "autoApply" | "priority">>,
  ): Promise<RejudgeId>;
  /** Takes so many jobs of the lane and ends them with this verdict. */
  judgeAll(count: number, verdict: string, lane?: Lane): Promise<Held[]>;
  state(id: RejudgeId, state: RejudgeDocument["state"]): Promise<RejudgeDocument>;
}

export function createStage(server: () => Server, wire: () => Wire): Stage {
  const executor = () => wire().executor("e1");

  async function end(held: Held, verdict: string): Promise<void> {
    await executor().emit(held, 1, { type: "finished", result: { verdict, tests: [] } });
    await executor().ack(held);
  }

  async function judgeAll(count: number, verdict: string, lane: Lane = "rejudge"): Promise<Held[]> {
    const all: Held[] = [];
    for (let i = 0; i < count; i++) {
      const held = await executor().take("python", lane);
      await end(held, verdict);
      all.push(held);
    }
    return all;
  }

  return {
    end,
    judgeAll,
    async judged(verdict, input) {
      const { submission } = await accepted(server(), input);
      await judgeAll(1, verdict, "practice");
      return await until(server(), submission._id, ({ judgement }) => judgement.state === "FINISHED");
    },
    async dead(input) {
      const { submission } = await accepted(server(), input);
      const held = await executor().take();
      const fault = { code: "INTERNAL" as const, message: "no use", retry: false, shared: false };
      await executor().emit(held, 1, { type: "fault", fault });
      await executor().ack(held);
      return await until(server(), submission._id, ({ judgement }) => judgement.state === "FAILED");
    },
    async create(filter, more = {}) {
      const outcome = await server().backbone.createRejudge({
        by: "jury",
        reason: "the answer of test 3 was wrong",
        filter,
        priority: "LOW",
        autoApply: false,
        ...more,
      });
      if (outcome.type === "refused") throw new Error(outcome.message);
      return outcome.rejudge._id;
    },
    async state(id, state) {
      const found = await eventually(
        () => server().store.rejudges.get(id),
        (rejudge) => rejudge?.state === state,
      );
      if (found === undefined) throw new Error("no such rejudge");
      return found;
    },
  };
}
