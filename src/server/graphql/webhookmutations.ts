import type { CodedError } from "../../shared/errors.ts";
import { ProblemId } from "../../shared/ids.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import type { DeliveryState } from "../store/deliveries.ts";
import type { WebhookDocument, WebhookEvent } from "../store/webhooks.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { errorType, resultType } from "./usererror.ts";
import { DeliveryStateEnum, EventEnum, findWebhook, ScopeEnum, Webhook } from "./webhooks.ts";

interface Kept {
  readonly webhook: WebhookDocument;
  readonly secret?: string;
}

const kept = (name: string) =>
  builder.objectRef<Kept>(name).implement({
    fields: (t) => ({
      webhook: t.expose("webhook", { type: Webhook }),
      secret: t.exposeString("secret", {
        nullable: true,
        description:
          "The new signing secret, shown this once: `whsec_` and base64, as Standard Webhooks has it.",
      }),
    }),
  });

const CreateResult = builder.unionType("CreateWebhookResult", {
  types: [
    kept("CreateWebhookSuccess"),
    errorType("INPUT_INVALID"),
    errorType("FORBIDDEN"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("CreateWebhookSuccess"),
});

const UpdateResult = builder.unionType("UpdateWebhookResult", {
  types: [
    kept("UpdateWebhookSuccess"),
    errorType("INPUT_INVALID"),
    errorType("WEBHOOK_NOT_FOUND"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("UpdateWebhookSuccess"),
});

const DeleteSuccess = builder
  .objectRef<{ readonly id: string }>("DeleteWebhookSuccess")
  .implement({ fields: (t) => ({ id: t.exposeID("id") }) });

const DeleteResult = builder.unionType("DeleteWebhookResult", {
  types: [DeleteSuccess, errorType("WEBHOOK_NOT_FOUND"), errorType("SERVICE_UNAVAILABLE")],
  resolveType: resultType("DeleteWebhookSuccess"),
});

const TestSuccess = builder.objectRef<{ readonly delivery: string }>("TestWebhookSuccess").implement({
  fields: (t) => ({ delivery: t.exposeID("delivery", { description: "Its delivery's id." }) }),
});

const TestResult = builder.unionType("TestWebhookResult", {
  types: [TestSuccess, errorType("WEBHOOK_NOT_FOUND"), errorType("SERVICE_UNAVAILABLE")],
  resolveType: resultType("TestWebhookSuccess"),
});

const ReplaySuccess = builder
  .objectRef<{ readonly replayed: number }>("ReplayWebhookDeliveriesSuccess")
  .implement({ fields: (t) => ({ replayed: t.exposeInt("replayed") }) });

const ReplayResult = builder.unionType("ReplayWebhookDeliveriesResult", {
  types: [
    ReplaySuccess,
    errorType("INPUT_INVALID"),
    errorType("WEBHOOK_NOT_FOUND"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("ReplayWebhookDeliveriesSuccess"),
});

const notFound = (id: string): CodedError => ({
  code: "WEBHOOK_NOT_FOUND",
  message: `There is no webhook ${id} that you may change.`,
});

interface Wish {
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly scope: WebhookDocument["scope"];
  readonly problem?: string | null | undefined;
  readonly description: string;
}

async function create(context: Context, { problem: wanted, ...wish }: Wish): Promise<Kept | CodedError> {
  const { viewer, backbone } = context;
  if (viewer === undefined) throw new Error("authScopes let nobody in without a key");
  if (wish.scope === "ALL" && !isJury(viewer)) {
    return { code: "FORBIDDEN", message: "scope: only the jury may hear of everybody's submissions." };
  }
  const problem = ProblemId.optional().safeParse(wanted ?? undefined);
  if (!problem.success || (problem.data !== undefined && !(await context.findProblem(problem.data)))) {
    return { code: "INPUT_INVALID", message: `problem: there is no problem ${JSON.stringify(wanted)}.` };
  }
  return await backbone.webhooks.create({ ...wish, owner: viewer.owner, problem: problem.data });
}

interface Change {
  readonly id: string;
  readonly url?: string | null | undefined;
  readonly events?: readonly WebhookEvent[] | null | undefined;
  readonly description?: string | null | undefined;
  readonly enabled?: boolean | null | undefined;
  readonly rotateSecret?: boolean | null | undefined;
}

async function update(context: Context, { id, ...change }: Change): Promise<Kept | CodedError> {
  const found = await findWebhook(context, id);
  if (found === undefined) return notFound(id);
  return await context.backbone.webhooks.update({
    id: found._id,
    url: change.url ?? undefined,
    events: change.events ?? undefined,
    description: change.description ?? undefined,
    enabled: change.enabled ?? undefined,
    rotateSecret: change.rotateSecret ?? undefined,
  });
}

interface Again {
  readonly webhook: string;
  readonly ids?: readonly string[] | null | undefined;
  readonly state?: DeliveryState | null | undefined;
  readonly since?: Date | null | undefined;
}

async function replay(context: Context, { webhook: id, ids, state, since }: Again) {
  const found = await findWebhook(context, id);
  if (found === undefined) return notFound(id);
  if (!ids && !state && !since) {
    return { code: "INPUT_INVALID", message: "Give ids, a state or a time: which deliveries." } as const;
  }
  const replayed = await context.backbone.webhooks.replay({
    webhook: found._id,
    ids: ids ?? undefined,
    state: state ?? undefined,
    since: since ?? undefined,
  });
  return { replayed };
}

function addReplay(): void {
  builder.mutationField("replayWebhookDeliveries", (t) =>
    t.fieldWithInput({
      type: ReplayResult,
      authScopes: { authenticated: true },
      description: "Sends deliveries again, with all their tries. All given members must fit.",
      typeOptions: { name: "ReplayWebhookDeliveriesInput" },
      input: {
        webhook: t.input.id({ required: true }),
        ids: t.input.idList({ description: "These deliveries." }),
        state: t.input.field({ type: DeliveryStateEnum, description: "DEAD: those that were given up." }),
        since: t.input.field({ type: "DateTime", description: "Made at this time or later." }),
      },
      resolve: (_root, { input }, context) => orCoded(() => replay(context, input)),
    }),
  );
}

export function addWebhookMutations(): void {
  builder.mutationField("createWebhook", (t) =>
    t.fieldWithInput({
      type: CreateResult,
      authScopes: { authenticated: true },
      description: "Has an address called when something happens to submissions. Delivered at least once.",
      typeOptions: { name: "CreateWebhookInput" },
      input: {
        url: t.input.string({ required: true, description: "https; no private or loopback address." }),
        events: t.input.field({ type: [EventEnum], required: true }),
        scope: t.input.field({ type: ScopeEnum, required: true, defaultValue: "OWN" }),
        problem: t.input.string({ description: "Of this problem only." }),
        description: t.input.string({ required: true, defaultValue: "" }),
      },
      resolve: (_root, { input }, context) => orCoded(() => create(context, input)),
    }),
  );
  builder.mutationField("updateWebhook", (t) =>
    t.fieldWithInput({
      type: UpdateResult,
      authScopes: { authenticated: true },
      description: "Changes what is given.",
      typeOptions: { name: "UpdateWebhookInput" },
      input: {
        id: t.input.id({ required: true }),
        url: t.input.string(),
        events: t.input.field({ type: [EventEnum] }),
        description: t.input.string(),
        enabled: t.input.boolean(),
        rotateSecret: t.input.boolean({
          description: "Makes a new secret; the old one signs beside it for a day.",
        }),
      },
      resolve: (_root, { input }, context) => orCoded(() => update(context, input)),
    }),
  );
  builder.mutationField("deleteWebhook", (t) =>
    t.fieldWithInput({
      type: DeleteResult,
      authScopes: { authenticated: true },
      description: "With all that waits for it and its history.",
      typeOptions: { name: "DeleteWebhookInput" },
      input: { id: t.input.id({ required: true }) },
      resolve: (_root, { input: { id } }, context) =>
        orCoded(async () => {
          const found = await findWebhook(context, id);
          if (found === undefined) return notFound(id);
          await context.backbone.webhooks.remove(found._id);
          return { id };
        }),
    }),
  );
  builder.mutationField("testWebhook", (t) =>
    t.fieldWithInput({
      type: TestResult,
      authScopes: { authenticated: true },
      description: "Sends an event that tells of nothing.",
      typeOptions: { name: "TestWebhookInput" },
      input: { id: t.input.id({ required: true }) },
      resolve: (_root, { input: { id } }, context) =>
        orCoded(async () => {
          const found = await findWebhook(context, id);
          if (found === undefined) return notFound(id);
          return { delivery: await context.backbone.webhooks.test(found._id) };
        }),
    }),
  );
  addReplay();
}
