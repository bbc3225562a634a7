import { isDeepStrictEqual } from "node:util";
import { isDelayed } from "../intake/saturation.ts";
import type { Wait } from "../intake/outcome.ts";
import { isFinal, type SubmissionSnapshot } from "../store/documents.ts";
import { WAIT_KEEP_MS } from "../waits/waits.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { codedGraphQLError } from "./errors.ts";
import { followUpdates } from "./follow.ts";
import { selects } from "./selects.ts";
import { findSubmission, Submission } from "./submission.ts";
import { type SubmissionView, viewOf } from "../submissionview.ts";

/** Fields that change without a revision. */
const OF_WAITING: ReadonlySet<string> = new Set(["queuePosition", "estimatedWaitMs", "waitReason"]);

interface Follow {
  readonly found: SubmissionView;
  readonly afterRevision: number | undefined;
  /** The subscriber asks where it stands. */
  readonly positions: boolean;
}

/**
 * The current state, then every newer one that the feed sees, until the final one. While it waits and the subscriber
 * asks for it, its place in the queue is looked at, too. A key that is revoked meanwhile ends it: it is looked at again
 * (remembered for seconds) before each update.
 */
function follow(context: Context, { found, afterRevision, positions }: Follow) {
  const { backbone, limits } = context;
  let told: Wait | undefined;
  const waitOf = async ({ judgement }: SubmissionSnapshot): Promise<Wait | undefined> =>
    // Nobody can tell while the database is away: then nothing has changed.
    await backbone.waitOf(judgement).catch(() => told);
  return followUpdates(backbone.feed.watch(found.snapshot.submission._id, afterRevision), {
    each: async (snapshot) => {
      if (!(await context.stillAllowed()))
        throw codedGraphQLError({ code: "UNAUTHENTICATED", message: "The API key has been revoked." });
      if (positions) told = await waitOf(snapshot);
      return viewOf(snapshot);
    },
    isLast: ({ judgement }) => isFinal(judgement.state),
    pace: async (snapshot) => {
      const wait = await waitOf(snapshot);
      return wait && isDelayed(limits, snapshot.judgement.lane, wait) ? limits.delayedUpdateMs : 0;
    },
    ...(positions
      ? {
          again: {
            tickMs: WAIT_KEEP_MS,
            changed: async (snapshot: SubmissionSnapshot) => {
              const wait = await waitOf(snapshot);
              return wait !== undefined && !isDeepStrictEqual(wait, told);
            },
          },
        }
      : {}),
  });
}

export const addVerdictUpdated = (): void =>
  builder.subscriptionField("verdictUpdated", (t) =>
    t.field({
      type: Submission,
      authScopes: { authenticated: true },
      description:
        "The submission now, then each time something newer is stored, up to the final state; then it completes by itself. Every update is the whole state, so some revisions may be left out. While it waits and `queuePosition`, `estimatedWaitMs` or `waitReason` is asked for, it also comes when these change, under the same revision. After a broken connection give the last `revision` that you saw as `afterRevision`.",
      args: {
        submissionId: t.arg.id({ required: true }),
        afterRevision: t.arg.int({ description: "Only what is newer than this revision." }),
      },
      subscribe: async (_root, { submissionId, afterRevision }, context, info) => {
        const found = await findSubmission(context, submissionId);
        if (found === undefined) {
          throw codedGraphQLError({
            code: "SUBMISSION_NOT_FOUND",
            message: `There is no submission ${submissionId} that you may see.`,
          });
        }
        const positions = selects(info, OF_WAITING);
        return follow(context, { found, afterRevision: afterRevision ?? undefined, positions });
      },
      resolve: (view) => view,
    }),
  );
