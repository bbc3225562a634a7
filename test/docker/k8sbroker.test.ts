import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ConsumerConfig, StreamConfig } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  EXECUTOR_NAMESPACE,
  executorsOf,
  MOST_EXECUTORS,
  SERVER_NAMESPACE,
} from "../../setup/kubernetes/pools.ts";
import { readKubernetesPools } from "../../setup/kubernetes/readpools.ts";
import { nackResources } from "../../setup/kubernetes/streams.ts";
import { keepTopology } from "../../src/server/broker/topology.ts";
import type { PoolSetup } from "../../src/shared/pool.ts";
import { planExecutors, readPools } from "../../src/supervisor/pools.ts";
import { openWire, type Wire } from "../server/rig.ts";
import { binaryPath } from "../support/binaries.ts";
import { namespace } from "../support/namespace.ts";
import { printSecrets, SECRETS_SCRIPT } from "./manifests.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

const Seconds = z
  .string()
  .regex(/^\d+s$/)
  .transform((text) => Number.parseInt(text, 10) * 1_000_000_000);

describe("NACK's resources", () => {
  const ns = namespace();
  let wire: Wire;
  beforeAll(async () => {
    wire = await openWire(ns);
  });
  afterAll(() => wire.close());

  /** What NACK's controller asks the broker for, by its documentation; a field that is not named here is an error. */
  const Stream = z
    .strictObject({
      name: z.string(),
      subjects: z.array(z.string()),
      retention: z.string(),
      storage: z.string(),
      replicas: z.int(),
      discard: z.string(),
      discardPerSubject: z.boolean().default(false),
      maxMsgs: z.int().default(-1),
      maxMsgsPerSubject: z.int().default(-1),
      maxBytes: z.int().default(-1),
      maxMsgSize: z.int().default(-1),
      duplicateWindow: Seconds.optional(),
      republish: z
        .strictObject({ source: z.string(), destination: z.string(), headers_only: z.boolean() })
        .optional(),
      account: z.literal("docket"),
      preventUpdate: z.literal(true),
      preventDelete: z.literal(true),
    })
    .transform((spec) => ({
      name: spec.name,
      subjects: spec.subjects,
      retention: spec.retention,
      storage: spec.storage,
      num_replicas: spec.replicas,
      discard: spec.discard,
      discard_new_per_subject: spec.discardPerSubject,
      max_msgs: spec.maxMsgs,
      max_msgs_per_subject: spec.maxMsgsPerSubject,
      max_bytes: spec.maxBytes,
      max_msg_size: spec.maxMsgSize,
      ...(spec.duplicateWindow === undefined ? {} : { duplicate_window: spec.duplicateWindow }),
      ...(spec.republish === undefined
        ? {}
        : {
            republish: {
              src: spec.republish.source,
              dest: spec.republish.destination,
              headers_only: spec.republish.headers_only,
            },
          }),
    }));

  const Consumer = z.strictObject({
    streamName: z.string(),
    deliverPolicy: z.literal("all"),
    durableName: z.string(),
    filterSubject: z.string().optional(),
    ackPolicy: z.string(),
    ackWait: Seconds,
    maxDeliver: z.int(),
    maxAckPending: z.int().optional(),
    maxWaiting: z.int().optional(),
    account: z.literal("docket"),
    preventUpdate: z.literal(true),
    preventDelete: z.literal(true),
  });

  const consumerConfig = (spec: z.infer<typeof Consumer>): object => ({
    durable_name: spec.durableName,
    deliver_policy: spec.deliverPolicy,
    ack_policy: spec.ackPolicy,
    ack_wait: spec.ackWait,
    max_deliver: spec.maxDeliver,
    ...(spec.filterSubject === undefined ? {} : { filter_subject: spec.filterSubject }),
    ...(spec.maxAckPending === undefined ? {} : { max_ack_pending: spec.maxAckPending }),
    ...(spec.maxWaiting === undefined ? {} : { max_waiting: spec.maxWaiting }),
  });

  it("make a broker of which a server finds nothing missing and nothing to change", async () => {
    const topology = { ...ns.topology, languages: ["cpp17", "text"] as const };
    for (const { kind, spec } of nackResources(topology)) {
      if (kind === "Stream") {
        const config = Stream.parse(spec) as unknown as Partial<StreamConfig> & { name: string };
        await wire.jsm.streams.add(config);
      } else {
        const consumer = Consumer.parse(spec);
        const config = consumerConfig(consumer) as Partial<ConsumerConfig>;
        await wire.jsm.consumers.add(consumer.streamName, config);
      }
    }
    expect(await keepTopology(wire.jsm, topology)).toEqual({ made: [], changed: [] });
  });

  it("would be missed by the server if one were left out", async () => {
    const topology = { ...ns.topology, languages: ["cpp17", "text"] as const };
    await wire.jsm.consumers.delete(`${topology.prefix}JOBS_TEXT`, "rejudge");
    const { made } = await keepTopology(wire.jsm, topology);
    expect(made).toEqual([`${topology.prefix}JOBS_TEXT.rejudge`]);
  });

  it("have names that Kubernetes takes, each once", () => {
    const names = nackResources({ prefix: "", replicas: 3 }).map(
      ({ kind, metadata }) => `${kind} ${metadata.name}`,
    );
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^\w+ [a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
  });
});

describe("the secrets", () => {
  let secrets: Awaited<ReturnType<typeof printSecrets>>;
  beforeAll(async () => {
    secrets = await printSecrets();
  });
  const secret = (name: string): Readonly<Record<string, string>> => secrets.get(name) ?? {};

  it("have a password for every executor that a pool may grow to, and no two alike", () => {
    const executors = readKubernetesPools().flatMap(executorsOf);
    expect(executors.length).toBe(readKubernetesPools().length * MOST_EXECUTORS);
    const passwords = secret(`${EXECUTOR_NAMESPACE}/docket-executors`);
    expect(Object.keys(passwords).toSorted()).toEqual(executors.toSorted());
    const all = [...secrets.values()].flatMap((one) =>
      Object.values(one).filter((value) => /^k[0-9a-f]+$/.test(value)),
    );
    expect(new Set(all).size).toBe(executors.length + 3);
    for (const value of all) expect(value.length).toBeGreaterThanOrEqual(32);
  });

  it("make nats.conf a configuration that nats-server takes, and it does not without them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "docket-nats-conf-"));
    try {
      const path = join(folder, "nats.conf");
      const conf = await readFile(join(root, "docker/k8s/broker/nats.conf"), "utf8");
      await writeFile(path, conf.replace("/run/nats/nats.pid", join(folder, "nats.pid")));
      const check = () => run(binaryPath("nats-server"), ["-t", "-c", path], { env: { POD_NAME: "nats-0" } });
      await expect(check()).rejects.toThrow("users.conf");
      await mkdir(join(folder, "users"));
      const files = secret(`${SERVER_NAMESPACE}/docket-nats`);
      // The most that a Secret may hold is 1 MiB.
      expect(Object.values(files).join("").length).toBeLessThan(900 * 1024);
      for (const [name, content] of Object.entries(files))
        await writeFile(join(folder, "users", name), content);
      expect((await check()).stderr).toContain("is valid");
      for (const pool of readKubernetesPools())
        for (const id of executorsOf(pool)) expect(files["users.conf"]).toContain(`"events.${id}.*"`);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("are not printed without a database", async () => {
    await expect(run(process.execPath, [SECRETS_SCRIPT], { env: {} })).rejects.toMatchObject({
      code: 78,
      stdout: "",
      stderr: expect.stringContaining("MONGODB_URL") as string,
    });
  });
});

it("the pools are those of docket.config.json", async () => {
  const local = await readPools(join(root, "docket.config.json"));
  const described = (setup: PoolSetup) => ({
    pool: setup.pool,
    languages: setup.languages.toSorted(),
    lanes: setup.lanes,
    profile: setup.profile,
    gpu: setup.gpu,
  });
  const planned = new Map(planExecutors(local, "s", 4).map((setup) => [setup.pool, described(setup)]));
  expect(new Map(readKubernetesPools().map((setup) => [setup.pool, described(setup)]))).toEqual(planned);
});
