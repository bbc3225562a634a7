import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { newSubmissionId, type SubmissionId } from "../../../src/shared/ids.ts";
import { LANES } from "../../../src/shared/lane.ts";
import { MAX_DELIVER, streamOf, subjects } from "../../../src/shared/topology.ts";
import {
  type ExecutorProcess,
  executorEnv,
  startExecutorProcess,
  temporaryFolder,
} from "../../executors/backbone/stage.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openSuite, startServer, until } from "../rig.ts";

const ns = namespace();
const { topology, natsUrl } = ns;
const folder = temporaryFolder();
let processes: ExecutorProcess[] = [];

const { server, wire } = await openSuite(ns, { reconcile: { intervalMs: 3_600_000, quietMs: 300 } });
afterEach(async () => {
  for (const one of processes) one.kill("SIGKILL");
  await Promise.all(processes.map((one) => one.exited));
  processes = [];
});

let count = 0;
async function start(): Promise<ExecutorProcess> {
  const id = `poison-${++count}`;
  const workDir = join(folder(), id);
  mkdirSync(workDir);
  const env = executorEnv(natsUrl, topology, { id, workDir, DOCKET_SLOTS: "1" });
  const one = await startExecutorProcess(env, { main: join(import.meta.dirname, "dyingprobe.ts") });
  processes.push(one);
  return one;
}

/** Leases of a second instead of eight: nobody is there to renew them. Until a server looks at them again. */
async function shortLeases(): Promise<void> {
  for (const lane of LANES) {
    await wire.jsm.consumers.update(streamOf(topology, "python"), lane, { ack_wait: 1_000_000_000 });
  }
}

const waiting = async (): Promise<number> =>
  (await wire.jsm.streams.info(streamOf(topology, "python"))).state.messages;
const judgementOf = async (id: SubmissionId) => (await server.store.snapshots.get(id))?.judgement;

describe("a job that kills its executor", () => {
  it("is started five times, not a sixth, and is a dead letter; others are judged", async () => {
    await shortLeases();
    const { submission } = await accepted(server, { source: "die!" });
    const deaths: string[] = [];
    for (let i = 1; i <= 5; i++) {
      const one = await start();
      const { signal } = await one.exited;
      expect(signal).toBe("SIGKILL");
      deaths.push(`poison-${count}`);
    }
    await eventually(
      () => judgementOf(submission._id),
      (judgement) => judgement?.tries.length === 5,
    );
    // The sixth asks first, is told no, and lives; without a job the judgement is the reconciler's.
    const sixth = await start();
    await eventually(waiting, (messages) => messages === 0);
    const other = await startServer({ ...ns, reconcile: { intervalMs: 200, quietMs: 300 } });
    const { judgement } = await until(other, submission._id, (now) => now.judgement.state === "FAILED");
    expect(judgement.deadLetter).toMatchObject({
      code: "TRIES_EXHAUSTED",
      reason: expect.stringContaining("5 executors"),
    });
    expect(judgement.tries.map((one) => [one.executor, one.end])).toEqual(
      deaths.map((executor) => [executor, undefined]),
    );
    expect(judgement.dispatch).toBe(1);
    const good = await accepted(other);
    await until(other, good.submission._id, (now) => now.judgement.state === "FINISHED");
    expect(sixth.child.exitCode).toBeNull();
    await other.stop();
  });
});

describe("a message that cannot be read", () => {
  const put = (data: string, id = newSubmissionId(Date.now())) =>
    wire.js.publish(subjects.job(topology, "python", "practice", id), new TextEncoder().encode(data));
  const newest = async () => await server.store.rejected.newest(10);
  const counted = async (reason: string): Promise<number> => {
    const metric = await server.registry.getSingleMetric("docket_messages_rejected_total")?.get();
    return metric?.values.find((value) => value.labels["reason"] === reason)?.value ?? 0;
  };

  it("in a job stream is taken out at its first delivery and written down", async () => {
    // A job that we take away from its holder ourselves is none of these.
    const { submission: taken } = await accepted(server);
    await wire.executor("e1").take();
    await wire.jsm.streams.purge(streamOf(topology, "python"), {
      filter: subjects.job(topology, "python", "practice", taken._id),
    });
    await put('{"not":"a job\u0000\u001b[31m"}');
    const one = await start();
    await eventually(newest, (all) => all.length > 0);
    const [rejected, ...more] = await newest();
    expect(more).toEqual([]);
    expect(rejected).toMatchObject({ source: "job", place: expect.stringContaining("JOBS_PYTHON practice") });
    expect(rejected?.excerpt).toContain('JOB_MALFORMED: {"not":"a job··[31m"}');
    expect(await counted("terminated")).toBe(1);
    expect(await waiting()).toBe(0);
    const good = await accepted(server);
    await until(server, good.submission._id, (now) => now.judgement.state === "FINISHED");
    expect(one.child.exitCode).toBeNull();
  });

  it("in a job stream that nobody takes out is removed after its last delivery", async () => {
    await put("{");
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${streamOf(topology, "python")}.practice`;
    for (let i = 0; i < MAX_DELIVER; i++) {
      const message = await wire.connection.request(subject, '{"batch":1,"expires":2000000000}', {
        timeout: 3_000,
        noMux: true,
      });
      await wire.connection.request(message.reply ?? "", "-NAK", { timeout: 2_000 });
    }
    // The one after the last finds out.
    await wire.executor("e1").pull();
    await eventually(newest, (all) => all[0]?.reason === "undeliverable");
    expect((await newest())[0]).toMatchObject({ excerpt: "{", why: expect.stringContaining("it is no job") });
    await eventually(waiting, (messages) => messages === 0);
  });

  it("under the subject of a submission is replaced by its real job", async () => {
    const { submission } = await accepted(server);
    const held = await wire.executor("e1").take();
    await wire.executor("e1").ack(held);
    await put("{", submission._id);
    // The look by subject takes it for the job, until an executor has seen what it is.
    await start();
    await eventually(waiting, (messages) => messages === 0);
    const other = await startServer({ ...ns, reconcile: { intervalMs: 200, quietMs: 300 } });
    const final = await until(other, submission._id, (now) => now.judgement.state === "FINISHED");
    expect(final.judgement).toMatchObject({ dispatch: 2, tries: [{ executor: `poison-${count}` }] });
    await other.stop();
  });

  it("among the events is dropped and written down, and a flood is counted only", async () => {
    const before = await counted("malformed");
    const subject = subjects.event(topology, wire.executor("e1").id, newSubmissionId(Date.now()));
    const flood = 200;
    for (let i = 0; i < flood; i++) await wire.js.publish(subject, new TextEncoder().encode(`nonsense ${i}`));
    await eventually(
      () => counted("malformed"),
      (now) => now === before + flood,
    );
    await eventually(newest, (all) => all[0]?.reason === "malformed");
    const events = (await server.store.rejected.newest(1_000)).filter((one) => one.source === "event");
    expect(events.at(-1)).toMatchObject({
      place: subject,
      excerpt: expect.stringMatching(/^nonsense \d+$/) as string,
    });
    expect(events.length).toBeLessThan(flood);
    // Bounded in the database itself.
    const at = new Date();
    for (let i = 0; i < 1_100; i += 100) {
      await Promise.all(
        Array.from({ length: 100 }, () =>
          server.store.rejected.put({
            at,
            source: "event",
            reason: "forged",
            place: "x",
            why: "x",
            excerpt: "",
          }),
        ),
      );
    }
    expect(await server.store.rejected.newest(2_000)).toHaveLength(1_000);
  });
});
