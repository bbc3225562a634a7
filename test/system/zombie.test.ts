import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isFinal, type SubmissionSnapshot } from "../../src/server/store/documents.ts";
import type { SubmissionId } from "../../src/shared/ids.ts";
import type { LanguageId } from "../../src/shared/language.ts";
import { ACK_WAIT_MS, SELF_FENCE_MS } from "../../src/shared/topology.ts";
import { findJob } from "../../src/server/broker/jobs.ts";
import {
  type ExecutorProcess,
  executorEnv,
  startExecutorProcess,
  temporaryFolder,
} from "../executors/backbone/stage.ts";
import {
  accepted,
  openWire,
  putProblem,
  type Server,
  startServer,
  type Wire,
  withoutDelivery,
} from "../server/rig.ts";
import { namespace } from "../support/namespace.ts";
import { type Proxy, startProxy, targetOf, throughProxy } from "../support/proxy.ts";
import { until } from "../support/processes.ts";

/**
 * Executors that lose their lease without dying, under a real server: each test has a language of its own, so that
 * all of them can wait at the same time.
 */
const ns = namespace();
const folder = temporaryFolder();
const processes: ExecutorProcess[] = [];
const proxies: Proxy[] = [];
let server: Server;
let wire: Wire;

/** Longer than a lease, so that another executor takes the job over. */
const AWAY_MS = ACK_WAIT_MS + 2_000;
/** Of a run: the zombie would come to its end while it is away, before it knows. */
const RUN_MS = SELF_FENCE_MS - 1_500;

beforeAll(async () => {
  server = await startServer({ ...ns, reconcile: { intervalMs: 500, quietMs: 1_000 } });
  wire = await openWire(ns);
  await putProblem(server.store);
});
afterAll(async () => {
  for (const { child } of processes) child.kill("SIGKILL");
  await Promise.all(processes.map((one) => one.exited));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await wire.close();
  await server.stop();
});

async function executor(id: string, language: LanguageId, natsUrl = ns.natsUrl): Promise<ExecutorProcess> {
  const workDir = join(folder(), id);
  mkdirSync(workDir);
  const env = executorEnv(natsUrl, ns.topology, {
    id,
    workDir,
    DOCKET_LANGUAGES: language,
    DOCKET_SLOTS: "1",
  });
  const started = await startExecutorProcess(
    { ...env, SLEEP_MS: String(RUN_MS) },
    { main: join(import.meta.dirname, "sleeper.ts") },
  );
  processes.push(started);
  await until("the server has heard of it", () =>
    server.backbone.executors().some((one) => one.executor === id),
  );
  return started;
}

async function proxied(): Promise<Proxy> {
  const proxy = await startProxy(targetOf(ns.natsUrl));
  proxies.push(proxy);
  return proxy;
}

const hasJob = async (language: LanguageId, submission: SubmissionId): Promise<boolean> =>
  (await findJob({ jsm: wire.jsm, topology: ns.topology }, { language, lane: "practice", submission })) !==
  undefined;

interface Overtaken {
  /** Every state that a subscriber saw. */
  readonly seen: readonly SubmissionSnapshot[];
  readonly next: ExecutorProcess;
}

/**
 * One submission that `zombie` holds when `away` begins and that another executor then finishes, while the zombie
 * comes back.
 */
async function overtaken(
  language: LanguageId,
  zombie: string,
  away: () => void,
  back: () => void,
): Promise<Overtaken> {
  const { submission } = await accepted(server, { language });
  const seen: SubmissionSnapshot[] = [];
  const watching = (async () => {
    for await (const snapshot of server.backbone.feed.watch(submission._id)) seen.push(snapshot);
  })();
  await until("the zombie runs it", () => seen.some(({ judgement }) => judgement.result !== undefined));
  away();
  const next = await executor(`${zombie}-next`, language);
  await sleep(AWAY_MS);
  back();
  await watching;
  // What the zombie still has to say has arrived by then.
  await sleep(1_500);
  await until("its job has gone", async () => !(await hasJob(language, submission._id)));
  const [last, stored] = [seen.at(-1), await server.store.snapshots.get(submission._id)];
  expect(stored && withoutDelivery(stored.judgement)).toEqual(last && withoutDelivery(last.judgement));
  expect(seen.filter(({ judgement }) => isFinal(judgement.state))).toHaveLength(1);
  return { seen, next };
}

/** The end is the next holder's, after one dispatch and two deliveries. */
function expectOvertaken({ seen }: Overtaken, zombie: string): void {
  const last = seen.at(-1)?.judgement;
  expect(last).toMatchObject({ state: "FINISHED", dispatch: 1, delivery: 2 });
  expect(last?.tries.map(({ executor: id, delivery }) => [id, delivery])).toEqual([
    [zombie, 1],
    [`${zombie}-next`, 2],
  ]);
}

/** Alone again, it takes the next job of its language and ends it. */
async function expectFit(language: LanguageId, { next }: Overtaken, zombie: string): Promise<void> {
  next.kill("SIGKILL");
  await next.exited;
  const { submission } = await accepted(server, { language });
  const seen: SubmissionSnapshot[] = [];
  for await (const snapshot of server.backbone.feed.watch(submission._id)) seen.push(snapshot);
  expect(seen.at(-1)?.judgement).toMatchObject({ state: "FINISHED", tries: [{ executor: zombie }] });
}

const lostLease = (zombie: ExecutorProcess): boolean =>
  zombie.log.some((line) => line.includes("lease lost"));

describe.concurrent("an executor that others take for dead changes nothing", { timeout: 90_000 }, () => {
  it.each([
    ["cut off, all that it sent arriving late", "python", "hold", undefined],
    ["heard by nobody, though it hears", "java", "hold", "toServer"],
    ["on a connection that died without a word", "rust", "swallow", undefined],
  ] as const)("%s", async (_, language, flow, direction) => {
    const proxy = await proxied();
    const name = `zombie-${language}`;
    const zombie = await executor(name, language, throughProxy(ns.natsUrl, proxy));
    const over = await overtaken(
      language,
      name,
      () => proxy.flow(flow, direction),
      () => proxy.heal(),
    );
    expectOvertaken(over, name);
    expect(lostLease(zombie)).toBe(true);
    await expectFit(language, over, name);
  });

  it("deaf, though it is heard: its result counts, and nobody runs the job again", async () => {
    const proxy = await proxied();
    const zombie = await executor("deaf", "go", throughProxy(ns.natsUrl, proxy));
    const { seen, next } = await overtaken(
      "go",
      "deaf",
      () => proxy.flow("hold", "toClient"),
      () => proxy.heal(),
    );
    expect(seen.at(-1)?.judgement).toMatchObject({
      state: "FINISHED",
      delivery: 1,
      tries: [{ executor: "deaf", end: { type: "finished" } }],
    });
    // Given out once more, to either of them: the zombie, heard again, takes jobs like the other.
    await until("whoever got it next has dropped it", () =>
      [zombie, next].some(({ log }) => log.some((line) => line.includes("not current any more"))),
    );
  });

  it("stopped and continued", async () => {
    const zombie = await executor("stopped", "c");
    const over = await overtaken(
      "c",
      "stopped",
      () => zombie.kill("SIGSTOP"),
      () => zombie.kill("SIGCONT"),
    );
    expectOvertaken(over, "stopped");
    expect(lostLease(zombie)).toBe(true);
    await expectFit("c", over, "stopped");
  });
});

describe.concurrent("a network that comes back before the lease ends", { timeout: 60_000 }, () => {
  it("costs time and nothing else", async () => {
    const proxy = await proxied();
    await executor("brief", "cpp", throughProxy(ns.natsUrl, proxy));
    const { submission } = await accepted(server, { language: "cpp" });
    const seen: SubmissionSnapshot[] = [];
    for await (const snapshot of server.backbone.feed.watch(submission._id)) {
      seen.push(snapshot);
      if (seen.length !== 3) continue;
      proxy.flow("hold");
      setTimeout(() => proxy.heal(), 3_000);
    }
    expect(seen.at(-1)?.judgement).toMatchObject({ state: "FINISHED", delivery: 1, dispatch: 1 });
  });

  it("slow all the time: jobs run and heartbeats hold", async () => {
    const proxy = await proxied();
    proxy.delay(300);
    await executor("slow", "javascript", throughProxy(ns.natsUrl, proxy));
    const { submission } = await accepted(server, { language: "javascript" });
    const seen: SubmissionSnapshot[] = [];
    for await (const snapshot of server.backbone.feed.watch(submission._id)) seen.push(snapshot);
    expect(seen.at(-1)?.judgement).toMatchObject({ state: "FINISHED", delivery: 1, dispatch: 1 });
  });
});
