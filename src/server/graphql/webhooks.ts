import { WebhookId } from "../../shared/ids.ts";
import { isJury, type Viewer } from "../auth.ts";
import type { Attempt, DeliveryDocument, DeliveryState } from "../store/deliveries.ts";
import type { WebhookDocument, WebhookEvent } from "../store/webhooks.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { page, pageArgs, pageComplexity } from "./page.ts";
import { Problem } from "./problem.ts";

const EVENTS: Readonly<Record<WebhookEvent, string>> = {
  "submission.finished": "It has a verdict.",
  "submission.failed": "It could not be judged; the jury may redrive it.",
  "submission.cancelled": "It was taken back.",
  "submission.rejudged": "A rejudge was applied: `previous` says what counted before.",
  "webhook.test": "Asked for by `testWebhook`; sent whatever the webhook's events.",
};

export const EventEnum = builder.enumType("WebhookEvent", {
  values: Object.fromEntries(
    Object.entries(EVENTS).map(([event, description]) => [
      event.toUpperCase().replace(".", "_"),
      { value: event as WebhookEvent, description },
    ]),
  ),
});

export const ScopeEnum = builder.enumType("WebhookScope", {
  values: {
    OWN: { value: "OWN" as const, description: "Of the webhook's owner's own submissions." },
    ALL: { value: "ALL" as const, description: "Of everybody's. Jury only." },
  },
});

const DELIVERY_STATES: Readonly<Record<DeliveryState, string>> = {
  WAITING: "Waits for its first or next try.",
  DELIVERED: "The receiver answered with a status of 200 to 299. Kept for a week.",
  DEAD: "Given up; `replayWebhookDeliveries` sends it again. Kept for a month.",
};

export const DeliveryStateEnum = builder.enumType("WebhookDeliveryState", {
  values: Object.fromEntries(
    Object.entries(DELIVERY_STATES).map(([state, description]) => [
      state,
      { value: state as DeliveryState, description },
    ]),
  ),
});

const AttemptRef = builder.objectRef<Attempt>("WebhookAttempt").implement({
  fields: (t) => ({
    at: t.expose("at", { type: "DateTime" }),
    tookMs: t.exposeInt("tookMs"),
    status: t.exposeInt("status", { nullable: true, description: "HTTP status of the answer." }),
    error: t.exposeString("error", { nullable: true }),
  }),
});

const Delivery = builder.objectRef<DeliveryDocument>("WebhookDelivery").implement({
  description: "One event for one webhook.",
  fields: (t) => ({
    id: t.exposeID("_id", { description: "Also the header `webhook-id`, the same in every try." }),
    event: t.expose("event", { type: EventEnum }),
    state: t.expose("state", { type: DeliveryStateEnum }),
    tries: t.exposeInt("tries", { description: "Since it was made or replayed." }),
    nextAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "Its next try, while it waits.",
      resolve: ({ state, nextAt }) => (state === "WAITING" ? nextAt : null),
    }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    doneAt: t.expose("doneAt", { type: "DateTime", nullable: true }),
    attempts: t.field({
      type: [AttemptRef],
      description: "The last ones, the newest last.",
      resolve: ({ attempts }) => [...attempts],
    }),
  }),
});

const DeliveryConnection = builder.connectionObject({ type: Delivery, name: "WebhookDeliveryConnection" });

const cursorOf = ({ createdAt, _id }: DeliveryDocument): string => `${createdAt.getTime()}_${_id}`;

function placeOf(cursor: string): { at: Date; id: string } | undefined {
  const [, time, id] = /^(\d{1,15})_(.{1,200})$/.exec(cursor) ?? [];
  return time === undefined || id === undefined ? undefined : { at: new Date(Number(time)), id };
}

export const Webhook = builder.objectRef<WebhookDocument>("Webhook").implement({
  description: "An address that is called when something happens to submissions.",
  fields: (t) => ({
    id: t.exposeID("_id"),
    owner: t.exposeString("owner"),
    url: t.exposeString("url"),
    events: t.field({ type: [EventEnum], resolve: ({ events }) => [...events] }),
    scope: t.expose("scope", { type: ScopeEnum }),
    problem: t.field({
      type: Problem,
      nullable: true,
      description: "Of this problem only.",
      resolve: ({ problem }, _args, context) => (problem === undefined ? null : context.findProblem(problem)),
    }),
    description: t.exposeString("description"),
    enabled: t.exposeBoolean("enabled"),
    disabledReason: t.exposeString("disabledReason", {
      nullable: true,
      description: "Why it was switched off by itself.",
    }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    deliveries: t.field({
      type: DeliveryConnection,
      args: { state: t.arg({ type: DeliveryStateEnum }), ...pageArgs(t) },
      complexity: pageComplexity,
      description: "Newest first.",
      resolve: async ({ _id }, { state, ...args }, context) =>
        await page<DeliveryDocument>(context, args, cursorOf, async (first, after) => {
          const before = after === undefined ? undefined : placeOf(after);
          if (after !== undefined && before === undefined) return [];
          const input = { webhook: _id, state: state ?? undefined, before, first };
          return await context.store.deliveries.page(input);
        }),
    }),
  }),
});

/** Owners have their own, the jury all. */
const mayKeep = (viewer: Viewer, webhook: WebhookDocument): boolean =>
  webhook.owner === viewer.owner || isJury(viewer);

export async function findWebhook(
  { viewer, store }: Pick<Context, "viewer" | "store">,
  id: string,
): Promise<WebhookDocument | undefined> {
  const parsed = WebhookId.safeParse(id);
  const found = parsed.success ? await store.webhooks.get(parsed.data) : undefined;
  return found !== undefined && viewer !== undefined && mayKeep(viewer, found) ? found : undefined;
}

const Connection = builder.connectionObject({ type: Webhook, name: "WebhookConnection" });

export function addWebhooks(): void {
  builder.queryField("webhook", (t) =>
    t.field({
      type: Webhook,
      nullable: true,
      authScopes: { authenticated: true },
      description: "One webhook; null when there is none with this id that you may see.",
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, context) => (await findWebhook(context, id)) ?? null,
    }),
  );
  builder.queryField("webhooks", (t) =>
    t.field({
      type: Connection,
      authScopes: { authenticated: true },
      description: "Newest first. Participants see their own, the jury all.",
      args: pageArgs(t),
      complexity: pageComplexity,
      resolve: async (_root, args, context) => {
        const { viewer } = context;
        if (viewer === undefined) throw new Error("authScopes let nobody in without a key");
        const owner = isJury(viewer) ? undefined : viewer.owner;
        return await page<WebhookDocument>(
          context,
          args,
          ({ _id }) => _id,
          async (first, cursor) => {
            const after = WebhookId.optional().safeParse(cursor);
            return after.success
              ? await context.store.webhooks.page({ owner, after: after.data, first })
              : [];
          },
        );
      },
    }),
  );
}
