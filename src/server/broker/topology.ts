import {
  type ConsumerConfig,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import { isDeepStrictEqual } from "node:util";
import { LANES } from "../../shared/lane.ts";
import { queuesOf } from "../../shared/queue.ts";
import type { Log } from "../../shared/log.ts";
import {
  advisoryConsumerConfig,
  advisoryStreamConfig,
  eventStreamConfig,
  jobStreamConfig,
  laneConsumerConfig,
  recorderConsumerConfig,
  type Topology,
} from "../../shared/topology.ts";
import type { Link } from "./link.ts";

type NamedStream = Partial<StreamConfig> & { name: string };

/** True when the error says that the stream or consumer is not there. */
export const isMissing = (error: unknown): boolean =>
  error instanceof JetStreamApiError &&
  (error.code === JetStreamApiCodes.StreamNotFound || error.code === JetStreamApiCodes.ConsumerNotFound);

/** Names of the settings in `wanted` that `found` has otherwise. */
function differing(wanted: object, found: object): string[] {
  const known = new Map<string, unknown>(Object.entries(found));
  return Object.entries(wanted).flatMap(([key, value]) =>
    isDeepStrictEqual(known.get(key), value) ? [] : [key],
  );
}

/** What had to be done, by name of the stream, or of stream and consumer. */
interface Done {
  readonly made: string[];
  /** With the settings that differed. */
  readonly changed: string[];
}

async function keepStream(jsm: JetStreamManager, wanted: NamedStream, done: Done): Promise<void> {
  const found = await jsm.streams.info(wanted.name).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (found === undefined) {
    await jsm.streams.add(wanted);
    done.made.push(wanted.name);
    return;
  }
  const settings = differing(wanted, found.config);
  if (settings.length === 0) return;
  await jsm.streams.update(wanted.name, wanted);
  done.changed.push(`${wanted.name}: ${settings.join(", ")}`);
}

async function keepConsumers(
  jsm: JetStreamManager,
  stream: string,
  wanted: readonly Partial<ConsumerConfig>[],
  done: Done,
): Promise<void> {
  const found = new Map<string, ConsumerConfig>();
  for await (const consumer of jsm.consumers.list(stream)) found.set(consumer.name, consumer.config);
  for (const config of wanted) {
    const name = config.durable_name ?? "";
    const known = found.get(name);
    if (known === undefined) {
      await jsm.consumers.add(stream, config);
      done.made.push(`${stream}.${name}`);
      continue;
    }
    const settings = differing(config, known);
    if (settings.length === 0) continue;
    await jsm.consumers.update(stream, name, config);
    done.changed.push(`${stream}.${name}: ${settings.join(", ")}`);
  }
}

/**
 * Makes every stream and consumer that is missing and changes those that differ; touches nothing else. Runs at
 * each connect and each round of the reconciler, on any number of servers at once. Throws when the broker refuses
 * or does not answer.
 */
export async function keepTopology(jsm: JetStreamManager, topology: Topology): Promise<Done> {
  const done: Done = { made: [], changed: [] };
  const keep = async (stream: NamedStream, consumers: readonly Partial<ConsumerConfig>[]): Promise<void> => {
    await keepStream(jsm, stream, done);
    await keepConsumers(jsm, stream.name, consumers, done);
  };
  await Promise.all([
    keep(eventStreamConfig(topology), [recorderConsumerConfig()]),
    keep(advisoryStreamConfig(topology), [advisoryConsumerConfig()]),
    ...queuesOf(topology).map((language) =>
      keep(
        jobStreamConfig(topology, language),
        LANES.map((lane) => laneConsumerConfig(topology, language, lane)),
      ),
    ),
  ]);
  return done;
}

/** Keeps the topology at each connect, and whenever it is called; calls at once share a run. */
export function createTopologyKeeper(deps: {
  readonly link: Link;
  readonly topology: Topology;
  readonly log: Log;
}): () => Promise<void> {
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    const { made, changed } = await keepTopology(deps.link.use().jsm, deps.topology);
    // Loud: apart from the first start and an upgrade it means that the broker lost something.
    if (made.length > 0) deps.log.warn({ made }, "streams or consumers were not there and have been made");
    if (changed.length > 0)
      deps.log.warn({ changed }, "streams or consumers were changed to what this version needs");
  };
  const keep = (): Promise<void> => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
  deps.link.onUp(keep);
  return keep;
}
