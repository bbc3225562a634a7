import { stringify } from "yaml";
import { REPLICAS } from "./pools.ts";
import { readKubernetesPools } from "./readpools.ts";
import { jetstreamScaling, prometheusScaling } from "./scaling.ts";
import { nackResources, type Resource } from "./streams.ts";

/** What docker/k8s deploys at the broker. */
export const TOPOLOGY = { prefix: "", replicas: REPLICAS };

const documents = (from: string, resources: readonly Resource[]): string =>
  [
    `# Printed by npm run codegen from ${from}.\n`,
    ...resources.map((one) => stringify(one, { lineWidth: 0 })),
  ].join("---\n");

/** The manifests that follow from the code, by their path in the repository. */
export function printedManifests(): Readonly<Record<string, string>> {
  const pools = readKubernetesPools();
  return {
    "docker/k8s/broker/nack/streams.yaml": documents("src/shared/topology.ts", nackResources(TOPOLOGY)),
    "docker/k8s/scaling/jetstream/scaledobjects.yaml": documents(
      "docker/k8s/executors and src/shared/topology.ts",
      jetstreamScaling(TOPOLOGY, pools),
    ),
    "docker/k8s/scaling/prometheus/scaledobjects.yaml": documents(
      "docker/k8s/executors",
      prometheusScaling(pools),
    ),
  };
}
