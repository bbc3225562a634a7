import { lanesOf } from "../../src/shared/lane.ts";
import type { PoolSetup } from "../../src/shared/pool.ts";
import { consumerOf, streamOf, type Topology } from "../../src/shared/topology.ts";
import { LEAST_EXECUTORS, MOST_EXECUTORS, statefulSetOf } from "./pools.ts";
import type { Resource } from "./streams.ts";

/** KEDA's ScaledObjects (keda.sh/v1alpha1), one for each pool, in two ways. */

/** Jobs waiting and running, for each slot, that another executor is wanted at. */
export const JOBS_PER_SLOT = 6;

const POLLING_SECONDS = 10;
/** How long less must be wanted before a pool shrinks: longer than the pauses within a contest. */
const SHRINK_AFTER_SECONDS = 300;

/** Where KEDA reads the lengths of the queues. */
const MONITORING = "nats.docket.svc:8222";
const PROMETHEUS = "http://prometheus.monitoring.svc:9090";

interface Trigger {
  readonly type: string;
  readonly name?: string;
  readonly metricType?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

function scaledObject(
  pool: PoolSetup,
  triggers: readonly Trigger[],
  modifiers?: Readonly<Record<string, string>>,
): Resource {
  return {
    apiVersion: "keda.sh/v1alpha1",
    kind: "ScaledObject",
    metadata: { name: statefulSetOf(pool) },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "StatefulSet", name: statefulSetOf(pool) },
      minReplicaCount: LEAST_EXECUTORS,
      maxReplicaCount: MOST_EXECUTORS,
      pollingInterval: POLLING_SECONDS,
      // Whoever cannot be asked says nothing about how much waits.
      fallback: { failureThreshold: 3, replicas: LEAST_EXECUTORS, behavior: "currentReplicas" },
      advanced: {
        ...(modifiers === undefined ? {} : { scalingModifiers: modifiers }),
        horizontalPodAutoscalerConfig: {
          behavior: {
            scaleUp: {
              stabilizationWindowSeconds: 0,
              policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
            },
            // One by one, as each that goes gives back or finishes what it holds.
            scaleDown: {
              stabilizationWindowSeconds: SHRINK_AFTER_SECONDS,
              policies: [{ type: "Pods", value: 1, periodSeconds: 60 }],
            },
          },
        },
      },
      triggers,
    },
  };
}

/** In formulas; unique within a pool. */
const triggerName = (language: string, lane: string): string => `${language}_${lane}`.replaceAll("-", "_");

/**
 * By the length of the queues: a trigger for each language and lane, and their sum, because without a formula the
 * largest alone would count, and a pool whose ten languages have five jobs each would stay small.
 */
export function jetstreamScaling(topology: Topology, pools: readonly PoolSetup[]): Resource[] {
  return pools.map((pool) => {
    const queues = pool.languages.flatMap((language) =>
      lanesOf(pool.lanes).map((lane) => ({ language, lane })),
    );
    const target = String(JOBS_PER_SLOT * pool.slots);
    const triggers = queues.map(({ language, lane }) => ({
      type: "nats-jetstream",
      name: triggerName(language, lane),
      metadata: {
        natsServerMonitoringEndpoint: MONITORING,
        account: "$G",
        stream: streamOf(topology, language),
        consumer: consumerOf(lane),
        lagThreshold: target,
      },
    }));
    const formula = triggers.map(({ name }) => name).join(" + ");
    return scaledObject(pool, triggers, {
      formula,
      target,
      activationTarget: "0",
      metricType: "AverageValue",
    });
  });
}

/** By Docket's own calculation, which knows how long jobs take and how long they may wait. */
export const prometheusScaling = (pools: readonly PoolSetup[]): Resource[] =>
  pools.map((pool) =>
    scaledObject(pool, [
      {
        type: "prometheus",
        metricType: "AverageValue",
        metadata: {
          serverAddress: PROMETHEUS,
          // Every server says the same.
          query: `max(docket_pool_desired_executors{pool="${pool.pool}"})`,
          threshold: "1",
        },
      },
    ]),
  );
