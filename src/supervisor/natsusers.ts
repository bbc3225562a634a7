import { consumerOf, streamOf, subjects, type Topology } from "../shared/topology.ts";
import type { Lane } from "../shared/lane.ts";
import type { QueueId } from "../shared/queue.ts";
import { workNameOf } from "../shared/workload.ts";
import type { ExecutorPlan } from "./pools.ts";

/** Reply subjects of an executor begin with this; nobody else's user may subscribe to them. */
export const inboxPrefixOf = (executor: string): string => `_INBOX_${executor}`;

export const SERVER_USER = "server";

export interface NatsUser {
  readonly name: string;
  readonly password: string;
  /** Undefined: everything. */
  readonly allow?: { readonly publish: readonly string[]; readonly subscribe: readonly string[] };
}

/**
 * Exactly what an executor needs: pull and ack its own lanes of its own languages, publish its own events and
 * presence, ask for its fence. It can publish no job, read no stream, see nobody else's inbox and settle nobody
 * else's lane.
 */
export function executorAllowance(
  topology: Topology,
  plan: Pick<ExecutorPlan, "id" | "languages"> &
    Partial<Pick<ExecutorPlan, "workloads">> & { readonly lanes: readonly Lane[] },
): { publish: string[]; subscribe: string[] } {
  const queues: QueueId[] = [...plan.languages, ...(plan.workloads ?? []).map(workNameOf)];
  const lanes = queues.flatMap((language) =>
    plan.lanes.map((lane) => ({
      language,
      lane,
      consumer: `${streamOf(topology, language)}.${consumerOf(lane)}`,
    })),
  );
  return {
    publish: [
      ...lanes.map(({ consumer }) => `$JS.API.CONSUMER.MSG.NEXT.${consumer}`),
      ...lanes.map(({ consumer }) => `$JS.ACK.${consumer}.>`),
      `${topology.prefix}events.${plan.id}.*`,
      subjects.fenceCheck(topology),
      subjects.presence(topology, plan.id),
    ],
    subscribe: [
      `${inboxPrefixOf(plan.id)}.>`,
      ...lanes.map(({ language, lane }) => subjects.hint(topology, language, lane)),
      subjects.control(topology, plan.id),
    ],
  };
}

const list = (values: readonly string[]): string =>
  `[${values.map((value) => JSON.stringify(value)).join(", ")}]`;

/** The `authorization` block of nats.conf. */
export function authorizationConf(users: readonly NatsUser[]): string {
  const lines = users.map(({ name, password, allow }) => {
    const who = `user: ${JSON.stringify(name)}, password: ${JSON.stringify(password)}`;
    if (allow === undefined) return `    { ${who} }`;
    return `    {
      ${who}
      permissions: {
        publish: { allow: ${list(allow.publish)} }
        subscribe: { allow: ${list(allow.subscribe)} }
      }
    }`;
  });
  return `authorization {\n  users: [\n${lines.join("\n")}\n  ]\n}`;
}
