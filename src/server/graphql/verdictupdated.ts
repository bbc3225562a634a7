import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { codedGraphQLError } from "./errors.ts";
import { mapUpdates } from "./updates.ts";
import { findSubmission, Submission } from "./submission.ts";
import { type SubmissionView, viewOf } from "../submissionview.ts";

/**
 * The current state, then every newer one that the feed sees, until the final one. A key that is revoked meanwhile
 * ends it: it is looked at again (remembered for seconds) before each update.
 */
const follow = (context: Context, found: SubmissionView, afterRevision: number | undefined) =>
  mapUpdates(context.backbone.feed.watch(found.snapshot.submission._id, afterRevision), {
    each: async (snapshot) => {
      if (await context.stillAllowed()) return viewOf(snapshot);
      throw codedGraphQLError({ code: "UNAUTHENTICATED", message: "The API key has been revoked." });
    },
  });

export const addVerdictUpdated = (): void =>
  builder.subscriptionField("verdictUpdated", (t) =>
    t.field({
      type: Submission,
      authScopes: { authenticated: true },
      description:
        "The submission now, then each time something newer is stored, up to the final state; then it completes by itself. Every update is the whole state, so some revisions may be left out. After a broken connection give the last `revision` that you saw as `afterRevision`.",
      args: {
        submissionId: t.arg.id({ required: true }),
        afterRevision: t.arg.int({ description: "Only what is newer than this revision." }),
      },
      subscribe: async (_root, { submissionId, afterRevision }, context) => {
        const found = await findSubmission(context, submissionId);
        if (found === undefined) {
          throw codedGraphQLError({
            code: "SUBMISSION_NOT_FOUND",
            message: `There is no submission ${submissionId} that you may see.`,
          });
        }
        return follow(context, found, afterRevision ?? undefined);
      },
      resolve: (view) => view,
    }),
  );
