import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { Registry } from "prom-client";
import { createApp } from "../../../src/server/app.ts";
import { hashApiKey } from "../../../src/server/auth.ts";
import { createBackbone } from "../../../src/server/backbone.ts";
import type { Role } from "../../../src/server/store/documents.ts";
import { openStore, type Store } from "../../../src/server/store/store.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { ProblemId, type Sha256 } from "../../../src/shared/ids.ts";
import type { ProblemManifest } from "../../../src/shared/judging.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../src/shared/limits.ts";
import { createLog } from "../../../src/shared/log.ts";
import type { Namespace } from "../../support/namespace.ts";
import { type Holder, startHolder } from "./holder.ts";

/** The whole server in this process, on real MongoDB and NATS, with an executor moved by hand. */
export interface TestServer {
  readonly url: string;
  readonly store: Store;
  readonly holder: Holder;
  readonly capabilitySecret: string;
  /** A new API key. */
  key(owner: string, role?: Role): Promise<string>;
  /** A problem with one test; its blobs. */
  problem(id: string): Promise<{ manifest: Sha256; input: Sha256; answer: Sha256 }>;
  stop(): Promise<void>;
}

export interface TestServerOptions {
  readonly limits?: Partial<Limits>;
  readonly allowedHosts?: readonly string[];
  readonly webhookAllow?: readonly string[];
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A problem with one test, as an import leaves it. */
export async function putProblem(store: Store, id: string) {
  const problem = ProblemId.parse(id);
  const input = await store.blobs.put(Buffer.from(`hidden input of ${id}\n`));
  const answer = await store.blobs.put(Buffer.from(`hidden answer of ${id}\n`));
  const manifest: ProblemManifest = {
    v: 1,
    problem,
    name: `Problem ${id}`,
    limits: {
      timeMs: 1000,
      memoryMiB: 256,
      outputMiB: 8,
      codeKiB: 64,
      compilationTimeMs: 10_000,
      compilationMemoryMiB: 1024,
      validationTimeMs: 10_000,
      validationMemoryMiB: 512,
      validationOutputMiB: 8,
    },
    runAllTests: false,
    tests: [{ name: "secret/1", sample: false, input, answer, inputBytes: 1, answerBytes: 1 }],
    validator: { type: "default", args: [] },
  };
  const sha256 = await store.blobs.put(Buffer.from(JSON.stringify(manifest)));
  await store.problems.put({
    _id: problem,
    name: manifest.name,
    manifest: sha256,
    blobs: [input, answer, sha256],
    timeMs: 1000,
    memoryMiB: 256,
    codeKiB: 64,
    testCount: 1,
    importedAt: new Date(),
    importedBy: "test",
  });
  return { manifest: sha256, input, answer };
}

export async function startTestServer(
  space: Omit<Namespace, "remove">,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const log = createLog("server", "fatal");
  const registry = new Registry();
  const capabilitySecret = randomBytes(32).toString("hex");
  const store = await openStore({ url: space.mongodbUrl, database: space.database });
  const shared = { store, limits, clock: systemClock, log, registry };
  const backbone = createBackbone({
    ...shared,
    nats: { url: space.natsUrl },
    topology: space.topology,
    capabilitySecret,
    instance: `test-${process.pid}`,
    webhookAllow: options.webhookAllow,
  });
  const app = createApp(
    { ...shared, backbone },
    {
      host: "127.0.0.1",
      port: 0,
      allowedHosts: options.allowedHosts ?? [],
      capabilitySecret,
      graceMs: 1_000,
    },
  );
  await backbone.start();
  await app.start();
  const holder = await startHolder(space.natsUrl, space.topology);
  return {
    url: app.url(),
    store,
    holder,
    capabilitySecret,
    key: async (owner, role = "participant") => {
      const key = `test-${randomBytes(12).toString("hex")}`;
      await store.apiKeys.put({ _id: hashApiKey(key), owner, role, createdAt: new Date() });
      return key;
    },
    problem: (id) => putProblem(store, id),
    stop: async () => {
      await holder.stop();
      await app.stop();
      await backbone.stop();
      await store.close();
    },
  };
}
