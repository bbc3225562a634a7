import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { WorkKind } from "../../src/executors/work.ts";
import { changePool } from "../../src/server/changepool.ts";
import type { PoolChange } from "../../src/server/store/poolsettings.ts";
import { systemClock } from "../../src/shared/clock.ts";
import type { SubmissionId } from "../../src/shared/ids.ts";
import { openTestExecutor, type OpenedExecutor } from "../executors/backbone/inprocess.ts";
import { executorEnv, temporaryFolder } from "../executors/backbone/stage.ts";
import { namespace } from "../support/namespace.ts";
import { accepted, eventually, putProblem, type Server, startServer, until } from "./rig.ts";

const ns = namespace();
const folder = temporaryFolder();
let server: Server;
let count = 0;

beforeAll(async () => {
  server = await startServer(ns);
  await putProblem(server.store);
}, 60_000);
afterAll(async () => {
  await server.stop();
});

/** Judges everything AC, one by one as the test lets them. */
function gate() {
  const running = new Map<string, () => void>();
  let released = false;
  const kind: WorkKind = {
    kind: "judge",
    run: async (job, { signal }) => {
      if (!released) {
        await new Promise<void>((resolve) => {
          running.set(job.submission, resolve);
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
        running.delete(job.submission);
      }
      return signal.aborted ? { type: "stopped" } : { type: "finished", result: { verdict: "AC" } };
    },
  };
  return {
    kind,
    running: () => [...running.keys()],
    release: () => {
      released = true;
      for (const go of running.values()) go();
    },
  };
}

/** An executor of the pool, heard of by the server. */
async function open(
  pool: string,
  kind: WorkKind,
  more: Record<string, string> = {},
): Promise<OpenedExecutor> {
  const id = `${pool}-${++count}`;
  const workDir = join(folder(), id);
  mkdirSync(workDir);
  const how = { DOCKET_POOL: pool, DOCKET_MOST_SLOTS: "3", DOCKET_HEAR_POOL_MS: "20000", ...more };
  const opened = await openTestExecutor(executorEnv(ns.natsUrl, ns.topology, { id, workDir, ...how }), kind);
  await eventually(
    async () => server.backbone.executors().find((one) => one.executor === opened.id)?.poolChange,
    (change) => change !== undefined,
  );
  return opened;
}

const change = (pool: string, to: PoolChange, on: Server = server) =>
  changePool(
    {
      settings: on.store.poolSettings,
      executors: () => on.backbone.executors(),
      poolChanged: (settings) => on.backbone.poolChanged(settings),
      clock: systemClock,
    },
    { pool, to, by: "chief" },
  );

const stateOf = async (submission: SubmissionId) =>
  (await server.store.snapshots.get(submission))?.judgement.state;
const submit = async (lane?: "contest"): Promise<SubmissionId> =>
  (await accepted(server, { owner: `o${++count}`, role: "jury", ...(lane === undefined ? {} : { lane }) }))
    .submission._id;
const judged = (submission: SubmissionId) =>
  until(server, submission, ({ judgement }) => judgement.state === "FINISHED");
const reasonOf = async (submission: SubmissionId): Promise<string | undefined> => {
  const judgement = (await server.store.snapshots.get(submission))?.judgement;
  return judgement && (await server.backbone.waitOf(judgement))?.reason;
};

describe("a pool while it runs", () => {
  it("gets fewer slots and more, as far as it was started for", async () => {
    const work = gate();
    await open("slots", work.kind, { DOCKET_SLOTS: "2" });
    expect(await change("slots", { slots: 1 })).toMatchObject({ slots: 1, by: "chief" });
    const submissions = [await submit(), await submit(), await submit()];
    const running = (many: number) =>
      eventually(
        async () => work.running().length,
        (now) => now === many,
      );
    await running(1);
    // A second job would have been taken with the first: both slots were free.
    expect(work.running()).toHaveLength(1);
    await change("slots", { slots: 3 });
    await running(3);
    expect(await change("slots", { slots: 4 })).toMatchObject({
      code: "INPUT_INVALID",
      message: "slots: an executor of slots can have 1 to 3 (mostSlots of its configuration).",
    });
    work.release();
    await Promise.all(submissions.map(judged));
    await change("slots", { slots: null });
    expect(server.backbone.executors().find(({ pool }) => pool === "slots")?.slots).toBe(2);
  });

  it("gets other lanes, within those it was started with", async () => {
    const work = gate();
    work.release();
    await open("lanes", work.kind, { DOCKET_LANES: "contest,practice" });
    await change("lanes", { lanes: { practice: 1 } });
    expect(server.backbone.executors().find(({ pool }) => pool === "lanes")).toMatchObject({
      lanes: ["practice"],
      weights: { practice: 1 },
      can: { lanes: ["contest", "practice"], slots: 3 },
    });
    const waiting = await submit("contest");
    await judged(await submit());
    expect(await stateOf(waiting)).not.toBe("FINISHED");
    await change("lanes", { lanes: null });
    await judged(waiting);
    expect(await change("lanes", { lanes: { rejudge: 1 } })).toMatchObject({
      message: "lanes: lanes was started without rejudge; its users on the broker may not take them.",
    });
    expect(await change("lanes", { lanes: {} })).toMatchObject({ code: "INPUT_INVALID" });
    expect(await change("nowhere", { slots: 1 })).toMatchObject({
      message: 'There is no pool "nowhere"; there are lanes.',
    });
  });

  it("paused takes nothing, nor does an executor that starts anew, until it goes on", async () => {
    const work = gate();
    work.release();
    const first = await open("paused", work.kind);
    await change("paused", { hold: { mode: "paused", reason: "new disks" } });
    const waiting = await submit();
    await eventually(
      () => reasonOf(waiting),
      (reason) => reason?.includes("the pool paused is paused: new disks") === true,
    );
    expect(await first.ready()).toMatchObject({ state: "paused" });
    await first.executor.stop();
    const again = await open("paused", work.kind);
    // Another server, which has just started, too: it is stored.
    const other = await startServer({ ...ns, instance: "other" });
    try {
      const third = await open("paused", work.kind);
      for (const one of [again, third]) expect(await one.ready()).toMatchObject({ state: "paused" });
      expect(await stateOf(waiting)).not.toBe("FINISHED");
      await eventually(
        async () => other.backbone.executors().length,
        (many) => many >= 2,
      );
      await change("paused", { hold: null }, other);
      await judged(waiting);
    } finally {
      await other.stop();
    }
  }, 60_000);

  it("drained gives back what runs, and another pool does it", async () => {
    const [stuck, willing] = [gate(), gate()];
    willing.release();
    await open("drained", stuck.kind, { DOCKET_GRACE_MS: "3000" });
    const submission = await submit();
    await eventually(
      async () => stuck.running().length,
      (now) => now === 1,
    );
    await open("willing", willing.kind);
    await change("drained", { hold: { mode: "draining", reason: "moves" } });
    const { judgement } = await judged(submission);
    expect(judgement.tries.map(({ executor, end }) => [executor.split("-")[0], end?.type])).toEqual([
      ["drained", "released"],
      ["willing", "finished"],
    ]);
    await change("drained", { hold: null });
  });
});
