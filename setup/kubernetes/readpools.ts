import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import { type PoolSetup, poolSetupOf, poolVariables } from "../../src/shared/pool.ts";

const EXECUTORS = fileURLToPath(new URL("../../docker/k8s/executors", import.meta.url));

const Workload = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.tuple([
          z.object({ env: z.array(z.object({ name: z.string(), value: z.string().optional() })) }),
        ]),
      }),
    }),
  }),
});
const Pool = z.object({ patches: z.tuple([z.object({ patch: z.string() })]) });

function variablesOf(workload: unknown): Readonly<Record<string, string | undefined>> {
  const [container] = Workload.parse(workload).spec.template.spec.containers;
  return Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
}

/**
 * The pools of docker/k8s/executors: one for each folder beside `base`, read from the manifests themselves, so that
 * they are said in one place. Throws zod's error for what is no such pool.
 */
export function readKubernetesPools(): readonly PoolSetup[] {
  const [base] = readFileSync(`${EXECUTORS}/base/executor.yaml`, "utf8").split(/^---$/m);
  const common = variablesOf(parse(base ?? ""));
  return globSync("*/kustomization.yaml", { cwd: EXECUTORS })
    .filter((path) => !path.startsWith("base/"))
    .toSorted()
    .map((path) => {
      const { patches } = Pool.parse(parse(readFileSync(`${EXECUTORS}/${path}`, "utf8")));
      const given = { ...common, ...variablesOf(parse(patches[0].patch)) };
      return poolSetupOf(z.object(poolVariables).parse(given));
    });
}
