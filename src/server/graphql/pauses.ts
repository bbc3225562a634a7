import { QueueId } from "../../shared/queue.ts";
import type { CodedError } from "../../shared/errors.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import type { PauseDocument } from "../store/pauses.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { errorType, resultType } from "./usererror.ts";
import { notJury } from "./juryonly.ts";

const Pause = builder.objectRef<PauseDocument>("Pause").implement({
  description:
    "A language (or other queue) that sends out no further jobs: what executors and the queue hold is finished, the rest waits in line, and submissions are still taken.",
  fields: (t) => ({
    queue: t.exposeID("_id"),
    reason: t.exposeString("reason"),
    by: t.exposeString("by"),
    at: t.expose("at", { type: "DateTime" }),
  }),
});

const successOf = (name: string) =>
  builder.objectRef<{ readonly pauses: readonly PauseDocument[] }>(name).implement({
    fields: (t) => ({
      pauses: t.field({
        type: [Pause],
        description: "All that are paused now.",
        resolve: ({ pauses }) => pauses,
      }),
    }),
  });

const resultOf = (mutation: string) =>
  builder.unionType(`${mutation}Result`, {
    types: [
      successOf(`${mutation}Success`),
      errorType("FORBIDDEN"),
      errorType("INPUT_INVALID"),
      errorType("SERVICE_UNAVAILABLE"),
    ],
    resolveType: resultType(`${mutation}Success`),
  });
const PauseResult = resultOf("PauseQueue");
const ResumeResult = resultOf("ResumeQueue");

const LONGEST_REASON = 500;

/** What everybody who waits is told; otherwise what is wrong with it. */
export function readReason(given: string): string | CodedError {
  const reason = given.trim();
  if (reason !== "" && reason.length <= LONGEST_REASON) return reason;
  return { code: "INPUT_INVALID", message: `reason: 1 to ${LONGEST_REASON} characters.` };
}

/** The queue that is meant, for somebody who may. */
function queueOf({ viewer }: Context, queue: string): { readonly queue: QueueId } | CodedError {
  if (viewer === undefined || !isJury(viewer)) return notJury("Queues");
  const parsed = QueueId.safeParse(queue);
  if (parsed.success) return { queue: parsed.data };
  return { code: "INPUT_INVALID", message: `There is no queue ${JSON.stringify(queue.slice(0, 40))}.` };
}

export function addPauses(): void {
  builder.queryField("pauses", (t) =>
    t.field({
      type: [Pause],
      authScopes: { authenticated: true },
      description: "Languages that send out no further jobs just now, and why.",
      resolve: (_root, _args, { store }) => store.pauses.list(),
    }),
  );
  builder.mutationField("pauseQueue", (t) =>
    t.fieldWithInput({
      type: PauseResult,
      authScopes: { authenticated: true },
      description:
        "Drains a language: within a second no further job of it goes out, on any server, until `resumeQueue`. Jury only.",
      typeOptions: { name: "PauseQueueInput" },
      input: {
        queue: t.input.id({ required: true, description: "A language's id, or a kind of work." }),
        reason: t.input.string({ required: true, description: "Told to everybody who waits." }),
      },
      resolve: (_root, { input }, context) =>
        orCoded(async () => {
          const given = queueOf(context, input.queue);
          if ("code" in given) return given;
          const reason = readReason(input.reason);
          if (typeof reason !== "string") return reason;
          const { store, viewer, clock, log } = context;
          const pause = { _id: given.queue, reason, by: viewer?.owner ?? "", at: new Date(clock.now()) };
          await store.pauses.put(pause);
          log.warn({ queue: given.queue, by: pause.by, reason }, "queue paused");
          return { pauses: await store.pauses.list() };
        }),
    }),
  );
  builder.mutationField("resumeQueue", (t) =>
    t.fieldWithInput({
      type: ResumeResult,
      authScopes: { authenticated: true },
      description: "Lets a paused language go on; nothing happens when it is not paused. Jury only.",
      typeOptions: { name: "ResumeQueueInput" },
      input: { queue: t.input.id({ required: true }) },
      resolve: (_root, { input }, context) =>
        orCoded(async () => {
          const given = queueOf(context, input.queue);
          if ("code" in given) return given;
          const { store, viewer, log } = context;
          if (await store.pauses.remove(given.queue))
            log.warn({ queue: given.queue, by: viewer?.owner }, "queue goes on");
          return { pauses: await store.pauses.list() };
        }),
    }),
  );
}
