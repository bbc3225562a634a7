import {
  type ConsumerConfig,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamConfig,
} from "@nats-io/jetstream";
import { isDeepStrictEqual } from "node:util";
import { LANES } from "../../shared/lane.ts";
import { LANGUAGE_IDS } from "../../shared/language.ts";
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

async function keepStream(deps: { jsm: JetStreamManager; log: Log }, wanted: NamedStream): Promise<void> {
  const { jsm, log } = deps;
  const found = await jsm.streams.info(wanted.name).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (found === undefined) {
    await jsm.streams.add(wanted);
    log.warn({ stream: wanted.name }, "stream made: it was not there");
    return;
  }
  const settings = differing(wanted, found.config);
  if (settings.length === 0) return;
  await jsm.streams.update(wanted.name, wanted);
  log.warn({ stream: wanted.name, settings }, "stream changed to what this version needs");
}

async function keepConsumers(
  deps: { jsm: JetStreamManager; log: Log },
  stream: string,
  wanted: readonly Partial<ConsumerConfig>[],
): Promise<void> {
  const { jsm, log } = deps;
  const found = new Map<string, ConsumerConfig>();
  for await (const consumer of jsm.consumers.list(stream)) found.set(consumer.name, consumer.config);
  for (const config of wanted) {
    const name = config.durable_name ?? "";
    const known = found.get(name);
    if (known === undefined) {
      await jsm.consumers.add(stream, config);
      log.warn({ stream, consumer: name }, "consumer made: it was not there");
      continue;
    }
    const settings = differing(config, known);
    if (settings.length === 0) continue;
    await jsm.consumers.update(stream, name, config);
    log.warn({ stream, consumer: name, settings }, "consumer changed to what this version needs");
  }
}

/**
 * Makes every stream and consumer that is missing and changes those that differ; touches nothing else. Runs at
 * each connect and each round of the reconciler, on any number of servers at once. Throws when the broker refuses
 * or does not answer.
 */
export async function keepTopology(
  deps: { readonly jsm: JetStreamManager; readonly log: Log },
  topology: Topology,
): Promise<void> {
  const events = eventStreamConfig(topology);
  const advisories = advisoryStreamConfig(topology);
  await Promise.all([
    keepStream(deps, events).then(() => keepConsumers(deps, events.name, [recorderConsumerConfig()])),
    keepStream(deps, advisories).then(() => keepConsumers(deps, advisories.name, [advisoryConsumerConfig()])),
    ...LANGUAGE_IDS.map(async (language) => {
      const jobs = jobStreamConfig(topology, language);
      await keepStream(deps, jobs);
      await keepConsumers(
        deps,
        jobs.name,
        LANES.map((lane) => laneConsumerConfig(topology, language, lane)),
      );
    }),
  ]);
}

/** Keeps the topology at each connect, and whenever it is called; calls at once share a run. */
export function createTopologyKeeper(deps: {
  readonly link: Link;
  readonly topology: Topology;
  readonly log: Log;
}): () => Promise<void> {
  let running: Promise<void> | undefined;
  const keep = (): Promise<void> => {
    running ??= keepTopology({ jsm: deps.link.use().jsm, log: deps.log }, deps.topology).finally(() => {
      running = undefined;
    });
    return running;
  };
  deps.link.onUp(keep);
  return keep;
}
