import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { EXECUTOR_NAMESPACE, executorsOf, SERVER_NAMESPACE } from "../../setup/kubernetes/pools.ts";
import { readKubernetesPools } from "../../setup/kubernetes/readpools.ts";
import { readConfig, readSandboxEnvironment } from "../../src/executors/config.ts";
import { readConfig as readServerConfig } from "../../src/server/config.ts";
import { lanesFromText, lanesOf } from "../../src/shared/lane.ts";
import { hasGo } from "./parsers.ts";
import {
  build,
  conform,
  KUBERNETES_VERSIONS,
  type Manifest,
  printSecrets,
  readManifests,
} from "./manifests.ts";

const root = join(import.meta.dirname, "../..");
const k8s = join(root, "docker/k8s");

/** kubeconform reads two megabytes of schemas at each start. */
const PATIENCE_MS = 120_000;

const Labels = z.record(z.string(), z.string());
const Container = z.object({
  name: z.string(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.int() })),
  securityContext: z.object({
    capabilities: z.object({ drop: z.array(z.string()), add: z.array(z.string()).default([]) }),
    privileged: z.boolean().default(false),
  }),
});
const Workload = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string() }),
  spec: z.object({
    replicas: z.int().optional(),
    selector: z.object({ matchLabels: Labels }),
    template: z.object({
      metadata: z.object({ labels: Labels }),
      spec: z.object({ terminationGracePeriodSeconds: z.int(), containers: z.tuple([Container]) }),
    }),
  }),
});

let folder: string;
let everything: string;
let prometheus: string;
let manifests: Manifest[];
let byQueues: Manifest[];
let byPrometheus: Manifest[];

const ofKind = (kind: string, of = manifests): Manifest[] => of.filter((one) => one.kind === kind);
const workloads = () => [...ofKind("Deployment"), ...ofKind("StatefulSet")].map((one) => Workload.parse(one));

describe.runIf(hasGo)("docker/k8s", () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "docket-manifests-"));
    everything = await build(k8s);
    manifests = readManifests(everything);
    byQueues = ofKind("ScaledObject");
    prometheus = await build(join(k8s, "scaling/prometheus"));
    byPrometheus = readManifests(prometheus);
  }, 300_000);
  afterAll(async () => await rm(folder, { recursive: true }));

  const written = async (text: string): Promise<string> => {
    const path = join(folder, "manifests.yaml");
    await writeFile(path, text);
    return path;
  };

  it.each(KUBERNETES_VERSIONS)(
    "is valid for Kubernetes %s, KEDA and NACK, to the last field",
    async (version) => {
      const path = await written(`${everything}\n---\n${prometheus}`);
      const { summary, resources } = await conform(path, version);
      expect(resources ?? []).toEqual([]);
      const valid = manifests.length + byPrometheus.length;
      expect(summary).toEqual({ valid, invalid: 0, errors: 0, skipped: 0 });
    },
    PATIENCE_MS,
  );

  it(
    "is not valid with any wrong field",
    async () => {
      const mistakes = [
        ["Deployment server", "terminationGracePeriodSeconds: 35", "terminationGracePeriod: 35"],
        ["StatefulSet nats", "serviceName: nats", "serviceNames: nats"],
        ["NetworkPolicy executor", "policyTypes:", "policyType:"],
        ["ScaledObject jvm-executor", "maxReplicaCount: 20", "maxReplicas: 20"],
        ["ScaledObject gpu-executor", "behavior: currentReplicas", "behavior: current"],
        ["Stream jobs-go", "discardPerSubject: true", "discardNewPerSubject: true"],
        ["Consumer jobs-go-contest", "ackPolicy: explicit", "ackPolicy: always"],
      ] as const;
      const documents = everything.split(/^---$/m);
      const broken = mistakes.map(([of, right, wrong]) => {
        const [kind, name] = of.split(" ");
        const found = documents.find(
          (one) => one.includes(`\nkind: ${kind}\n`) && one.includes(`\n  name: ${name}\n`),
        );
        expect(found, of).toContain(right);
        return found?.replace(right, wrong);
      });
      const { resources } = await conform(await written(broken.join("\n---\n")), "1.37.0");
      expect(resources?.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual(
        mistakes.map(([of]) => of).toSorted(),
      );
    },
    PATIENCE_MS,
  );

  it("holds no secret", () => {
    expect(ofKind("Secret")).toEqual([]);
    for (const { spec, metadata } of workloads()) {
      for (const { name, value, ...from } of spec.template.spec.containers[0].env) {
        if (!/PASSWORD|SECRET|MONGODB_URL/.test(name)) continue;
        expect(value, `${metadata.name}: ${name}`).toBeUndefined();
        expect(from["valueFrom"], name).toMatchObject({ secretKeyRef: { name: "docket-server", key: name } });
      }
    }
  });

  it("gives executors the sandbox's capabilities, as compose does, and everybody else none", async () => {
    const compose = await readFile(join(root, "docker/compose.yaml"), "utf8");
    const list = /cap_add:\n((?: {4}- .*\n)+)/.exec(compose)?.[1] ?? "";
    const needed = [...list.matchAll(/- (\w+)/g)].map(([, name]) => name);
    expect(needed.length).toBeGreaterThan(5);
    for (const { metadata, spec } of workloads()) {
      const { capabilities, privileged } = spec.template.spec.containers[0].securityContext;
      expect(privileged, metadata.name).toBe(false);
      expect(capabilities.drop, metadata.name).toEqual(["ALL"]);
      expect(capabilities.add, metadata.name).toEqual(metadata.namespace === SERVER_NAMESPACE ? [] : needed);
    }
  });

  it("leaves time for what each does at its end", () => {
    for (const { metadata, spec } of workloads()) {
      const { containers, terminationGracePeriodSeconds: seconds } = spec.template.spec;
      const grace = containers[0].env.find(({ name }) => name === "DOCKET_GRACE_MS")?.value;
      if (metadata.name === "nats") continue;
      const sleep = metadata.name === "server" ? 5 : 0;
      expect(seconds, metadata.name).toBeGreaterThan(sleep + Number(grace) / 1000);
    }
    expect(everything).toMatch(/preStop:\n\s+sleep:\n\s+seconds: 5\n/);
  });

  it("selects by labels that the pods have: services, disruption budgets, network policies", () => {
    const selectors = manifests.flatMap(({ kind, metadata, spec }) => {
      const Selecting = z.object({
        selector: z.union([z.object({ matchLabels: Labels }), Labels]).optional(),
        podSelector: z.object({ matchLabels: Labels.optional() }).optional(),
      });
      if (!["Service", "PodDisruptionBudget", "NetworkPolicy"].includes(kind)) return [];
      const { selector, podSelector } = Selecting.parse(spec);
      const labels = (selector?.["matchLabels"] ?? selector ?? podSelector?.matchLabels ?? {}) as object;
      return [{ of: `${kind} ${metadata.name}`, namespace: metadata.namespace, labels }];
    });
    expect(selectors.length).toBeGreaterThan(10);
    for (const { of, namespace, labels } of selectors) {
      const pods = workloads().filter(
        ({ metadata, spec }) =>
          metadata.namespace === namespace &&
          Object.entries(labels).every(([key, value]) => spec.template.metadata.labels[key] === value),
      );
      expect(pods.length, of).toBeGreaterThan(0);
    }
    for (const { metadata, spec } of workloads())
      expect(spec.template.metadata.labels, metadata.name).toMatchObject(spec.selector.matchLabels);
  });

  it("lets executors reach the brokers, the servers and names, and nothing else", () => {
    const Policy = z.object({
      metadata: z.object({ namespace: z.string() }),
      spec: z.object({
        podSelector: z.strictObject({}),
        policyTypes: z.array(z.string()),
        egress: z.array(
          z.strictObject({
            to: z.tuple([
              z.strictObject({
                namespaceSelector: z.object({ matchLabels: Labels }),
                podSelector: z.object({ matchLabels: Labels }).optional(),
              }),
            ]),
            ports: z.array(z.object({ port: z.int(), protocol: z.string() })),
          }),
        ),
      }),
    });
    const policies = ofKind("NetworkPolicy").filter(
      ({ metadata }) => metadata.namespace === EXECUTOR_NAMESPACE,
    );
    expect(policies).toHaveLength(1);
    const { spec } = Policy.parse(policies[0]);
    expect(spec.policyTypes.toSorted()).toEqual(["Egress", "Ingress"]);
    const reached = spec.egress.map(({ to: [peer], ports }) => [
      peer.namespaceSelector.matchLabels["kubernetes.io/metadata.name"],
      peer.podSelector?.matchLabels["app.kubernetes.io/name"],
      ports.map(({ port }) => port).join(),
    ]);
    expect(reached).toEqual([
      ["docket", "nats", "4222"],
      ["docket", "server", "4000"],
      ["kube-system", undefined, "53,53"],
    ]);
  });

  const Scaled = z.object({
    metadata: z.object({ name: z.string(), namespace: z.string() }),
    spec: z.object({
      scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
      advanced: z.object({
        scalingModifiers: z.object({ formula: z.string(), target: z.string() }).optional(),
      }),
      triggers: z.array(
        z.object({
          type: z.string(),
          name: z.string().optional(),
          metadata: z.record(z.string(), z.string()),
        }),
      ),
    }),
  });
  const executors = () => workloads().filter(({ metadata }) => metadata.namespace === EXECUTOR_NAMESPACE);
  const variable = ({ spec }: z.infer<typeof Workload>, name: string): string =>
    spec.template.spec.containers[0].env.find((one) => one.name === name)?.value ?? "";

  it("scales each pool by all queues that it serves, added up, and each of them is made by NACK", () => {
    expect(byQueues).toHaveLength(executors().length);
    const consumers = ofKind("Consumer").map(({ spec }) => {
      const { streamName, durableName } = z
        .object({ streamName: z.string(), durableName: z.string() })
        .parse(spec);
      return `${streamName}/${durableName}`;
    });
    for (const one of byQueues) {
      const { spec, metadata } = Scaled.parse(one);
      const pool = executors().find((executor) => executor.metadata.name === spec.scaleTargetRef.name);
      if (pool === undefined) throw new Error(`${metadata.name} scales nothing that there is`);
      expect(metadata.namespace).toBe(pool.metadata.namespace);
      expect(pool.spec.replicas, "replicas are KEDA's").toBeUndefined();
      const asked = spec.triggers.map(({ type, metadata: { stream, consumer } }) => {
        expect(type).toBe("nats-jetstream");
        return `${stream}/${consumer}`;
      });
      const weights = lanesFromText(variable(pool, "DOCKET_LANES"));
      const lanes = typeof weights === "string" ? [] : lanesOf(weights);
      const served = variable(pool, "DOCKET_LANGUAGES")
        .split(",")
        .flatMap((language) => lanes.map((lane) => `JOBS_${language.toUpperCase()}/${lane}`));
      expect(asked.toSorted()).toEqual(served.toSorted());
      expect(consumers).toEqual(expect.arrayContaining(asked));
      const { formula = "", target } = spec.advanced.scalingModifiers ?? {};
      expect(formula.split(" + ")).toEqual(spec.triggers.map(({ name }) => name));
      for (const term of formula.split(" + ")) expect(term).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(Number(target)).toBeGreaterThan(Number(variable(pool, "DOCKET_SLOTS")));
    }
  });

  it("can scale each pool by Docket's own calculation instead", () => {
    expect(byPrometheus.map(({ metadata }) => metadata.name)).toEqual(
      byQueues.map(({ metadata }) => metadata.name),
    );
    for (const one of byPrometheus) {
      const { spec } = Scaled.parse(one);
      const pool = executors().find((executor) => executor.metadata.name === spec.scaleTargetRef.name);
      const query = `max(docket_pool_desired_executors{pool="${pool && variable(pool, "DOCKET_POOL")}"})`;
      expect(spec.triggers.map(({ metadata }) => metadata["query"])).toEqual([query]);
    }
  });

  it("refuses what kustomize cannot build", async () => {
    await expect(build(folder)).rejects.toThrow("kustomization");
  });

  /** With what Kubernetes would put in: names and addresses of the pod, values of the secrets. */
  function environment(manifest: Manifest, from: Readonly<Record<string, string>>): Record<string, string> {
    const [container] = Workload.parse(manifest).spec.template.spec.containers;
    const env: Record<string, string> = {};
    for (const { name, value } of container.env) {
      const given = value ?? from[name];
      if (given === undefined) throw new Error(`nothing gives ${name}`);
      env[name] = given.replaceAll(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? "");
    }
    return env;
  }

  it("tells a server what it accepts", async () => {
    const secrets = (await printSecrets()).get(`${SERVER_NAMESPACE}/docket-server`) ?? {};
    const server = ofKind("Deployment")[0];
    const env = environment(server as Manifest, { ...secrets, DOCKET_POD_IP: "10.1.2.3" });
    const { environment: read, allowedHosts } = readServerConfig(env);
    expect(read).toMatchObject({ DOCKET_REPLICAS: 3, NATS_USER: "server", DOCKET_HOST: "0.0.0.0" });
    expect(allowedHosts).toEqual(["server.docket.svc", "10.1.2.3"]);
  });

  it("tells an executor of each pool what it accepts", async () => {
    const dockerfile = await readFile(join(root, "docker/Dockerfile.executor"), "utf8");
    const image = Object.fromEntries(
      [...dockerfile.matchAll(/(DOCKET_\w+)=(\S+)/g)].map(([, name, value]) => [name ?? "", value ?? ""]),
    );
    for (const pool of readKubernetesPools()) {
      const [id = ""] = executorsOf(pool);
      const found = ofKind("StatefulSet").find(({ metadata }) => `${metadata.name}-0` === id);
      const env = { ...image, ...environment(found as Manifest, { DOCKET_EXECUTOR_ID: id }) };
      const config = readConfig(env);
      expect(config).toMatchObject({ id, pool: pool.pool, slots: pool.slots, nats: { user: id } });
      expect(config.languages.toSorted()).toEqual(pool.languages.toSorted());
      expect(readSandboxEnvironment(env).uid).toBeGreaterThan(0);
    }
  });

  it("lets NACK in by a user and a password that the secrets have", async () => {
    const secret = (await printSecrets()).get(`${SERVER_NAMESPACE}/docket-nack`) ?? {};
    expect(ofKind("Account")[0]).toMatchObject({
      metadata: { name: "docket", namespace: SERVER_NAMESPACE },
      spec: { user: { secret: { name: "docket-nack" }, user: "username", password: "password" } },
    });
    expect(Object.keys(secret).toSorted()).toEqual(["password", "username"]);
  });

  it("gives the brokers the nats.conf that is checked", async () => {
    const { data } = z.object({ data: z.record(z.string(), z.string()) }).parse(ofKind("ConfigMap")[0]);
    expect(data).toEqual({ "nats.conf": await readFile(join(k8s, "broker/nats.conf"), "utf8") });
  });
});
