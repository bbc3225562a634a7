import type { ConsumerConfig, StreamConfig } from "@nats-io/jetstream";
import { LANES } from "../../src/shared/lane.ts";
import { queuesOf } from "../../src/shared/queue.ts";
import {
  advisoryConsumerConfig,
  advisoryStreamConfig,
  eventStreamConfig,
  jobStreamConfig,
  laneConsumerConfig,
  recorderConsumerConfig,
  type Topology,
} from "../../src/shared/topology.ts";

/**
 * NACK's `Stream` and `Consumer` resources (jetstream.nats.io/v1beta2) for a topology. Docket's servers keep the same
 * streams and consumers by themselves; so NACK may make them, and neither changes nor deletes them.
 */

type Spec = Readonly<Record<string, unknown>>;

export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Spec;
}

/** Name of the `Account` by which NACK finds and enters the brokers: docker/k8s/broker/nack/account.yaml. */
export const NACK_ACCOUNT = "docket";

const nanosAsSeconds = (nanos: unknown): string => `${Number(nanos) / 1_000_000_000}s`;
const same = (value: unknown): unknown => value;

interface Field {
  readonly name: string;
  readonly as: (value: unknown) => unknown;
}
const field = (name: string, as: Field["as"] = same): Field => ({ name, as });

const STREAM_FIELDS: Readonly<Partial<Record<keyof StreamConfig, Field>>> = {
  name: field("name"),
  subjects: field("subjects"),
  retention: field("retention"),
  storage: field("storage"),
  num_replicas: field("replicas"),
  discard: field("discard"),
  discard_new_per_subject: field("discardPerSubject"),
  max_msgs: field("maxMsgs"),
  max_msgs_per_subject: field("maxMsgsPerSubject"),
  max_bytes: field("maxBytes"),
  max_msg_size: field("maxMsgSize"),
  duplicate_window: field("duplicateWindow", nanosAsSeconds),
  republish: field("republish", (value) => {
    const { src, dest, headers_only } = value as NonNullable<StreamConfig["republish"]>;
    // NACK's own spelling. Older ones know no headers_only; a server puts it right when it connects.
    return { source: src, destination: dest, headers_only };
  }),
};

const CONSUMER_FIELDS: Readonly<Partial<Record<keyof ConsumerConfig, Field>>> = {
  durable_name: field("durableName"),
  filter_subject: field("filterSubject"),
  ack_policy: field("ackPolicy"),
  ack_wait: field("ackWait", nanosAsSeconds),
  max_deliver: field("maxDeliver"),
  max_ack_pending: field("maxAckPending"),
  max_waiting: field("maxWaiting"),
};

/** Throws on a setting that has no counterpart: it would be lost without a word. */
function translate(config: object, fields: Readonly<Record<string, Field>>): Spec {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const known = fields[key];
      if (known === undefined) throw new Error(`NACK's resources are not told about ${key}: add it here.`);
      return [known.name, known.as(value)];
    }),
  );
}

const resourceName = (...parts: readonly string[]): string =>
  parts.join("-").toLowerCase().replaceAll("_", "-");

const resource = (kind: string, name: string, spec: Spec): Resource => ({
  apiVersion: "jetstream.nats.io/v1beta2",
  kind,
  metadata: { name },
  spec: { ...spec, account: NACK_ACCOUNT, preventUpdate: true, preventDelete: true },
});

function streamWithConsumers(
  stream: Partial<StreamConfig> & { readonly name: string },
  consumers: readonly Partial<ConsumerConfig>[],
): Resource[] {
  return [
    resource("Stream", resourceName(stream.name), translate(stream, STREAM_FIELDS)),
    ...consumers.map((consumer) =>
      resource("Consumer", resourceName(stream.name, consumer.durable_name ?? ""), {
        streamName: stream.name,
        deliverPolicy: "all",
        ...translate(consumer, CONSUMER_FIELDS),
      }),
    ),
  ];
}

export function nackResources(topology: Topology): Resource[] {
  return [
    ...streamWithConsumers(eventStreamConfig(topology), [recorderConsumerConfig()]),
    ...streamWithConsumers(advisoryStreamConfig(topology), [advisoryConsumerConfig()]),
    ...queuesOf(topology).flatMap((queue) =>
      streamWithConsumers(
        jobStreamConfig(topology, queue),
        LANES.map((lane) => laneConsumerConfig(topology, queue, lane)),
      ),
    ),
  ];
}
