import { MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SubmissionDocument } from "../../../src/server/store/documents.ts";
import { namespace } from "../../support/namespace.ts";
import {
  accepted,
  eventually,
  openWire,
  purgeJob,
  putProblem,
  type Server,
  startServer,
  until,
  type Wire,
} from "../rig.ts";

const ns = namespace();
let server: Server;
let wire: Wire;
let mongo: MongoClient;

beforeAll(async () => {
  server = await startServer({
    ...ns,
    reconcile: { intervalMs: 50, quietMs: 100, stuckAfterMs: 300 },
    instance: "leader",
  });
  wire = await openWire(ns);
  mongo = new MongoClient(ns.mongodbUrl);
  await putProblem(server.store);
});
afterAll(async () => {
  await wire.close();
  await mongo.close();
  await server.stop();
});

async function gauge(name: string, labels: Record<string, string> = {}, of = server) {
  const metric = await of.registry.getSingleMetric(name)?.get();
  return metric?.values.find((value) =>
    Object.entries(labels).every(([label, text]) => value.labels[label] === text),
  )?.value;
}

describe("docket_submissions_stuck", () => {
  it("counts what cannot be mended after a while, and goes back to 0 when it can", async () => {
    const submissions = mongo.db(ns.database).collection<SubmissionDocument>("submissions");
    const { submission } = await accepted(server);
    await until(server, submission._id, ({ judgement }) => judgement.state === "QUEUED");
    expect(await gauge("docket_submissions_stuck")).toBe(0);
    // No job can be made without its submission.
    await submissions.deleteOne({ _id: submission._id });
    const place = { language: "python", lane: "practice", submission: submission._id } as const;
    await purgeJob(wire, ns.topology, place);
    await eventually(
      () => gauge("docket_submissions_stuck"),
      (stuck) => stuck === 1,
    );
    // A server that does not lead does not count.
    const other = await startServer({ ...ns, reconcile: { intervalMs: 50, quietMs: 100, stuckAfterMs: 1 } });
    expect(await gauge("docket_submissions_stuck", {}, other)).toBe(0);
    await other.stop();
    await submissions.insertOne(submission);
    await eventually(
      () => gauge("docket_submissions_stuck"),
      (stuck) => stuck === 0,
    );
    const held = await wire.executor("e1").take();
    expect(held.job).toMatchObject({ submission: submission._id, dispatch: 2 });
    await wire.executor("e1").emit(held, 1, { type: "finished", result: { verdict: "AC", tests: [] } });
    await wire.executor("e1").ack(held);
    await until(server, submission._id, ({ judgement }) => judgement.state === "FINISHED");
    expect(await gauge("docket_reconciler_rounds_total")).toBeGreaterThan(5);
  });

  it("does not count what is fine: pending, queued, running, with an unread event", async () => {
    const running = await accepted(server);
    const held = await wire.executor("e1").take();
    await wire.executor("e1").emit(held, 1, { type: "started" });
    await until(server, running.submission._id, ({ judgement }) => judgement.state === "RUNNING");
    const queued = await accepted(server, { language: "go" });
    await until(server, queued.submission._id, ({ judgement }) => judgement.state === "QUEUED");
    const rounds = Number(await gauge("docket_reconciler_rounds_total"));
    await eventually(
      () => gauge("docket_reconciler_rounds_total"),
      (now) => Number(now) > rounds + 15,
    );
    expect(await gauge("docket_submissions_stuck")).toBe(0);
  });
});

describe("ages and dead letters", () => {
  it("are what is stored", async () => {
    const age = (state: string) => gauge("docket_oldest_unfinished_seconds", { state });
    expect(await age("PENDING")).toBe(0);
    expect(await age("RUNNING")).toBeGreaterThan(0);
    expect(await age("RUNNING")).toBeLessThan(60);
    expect(await age("QUEUED")).toBeGreaterThan(0);
    const code = "BLOB_CORRUPT";
    expect(await gauge("docket_dead_letters", { code })).toBe(0);
    const { submission } = await accepted(server, { language: "c" });
    const held = await wire.executor("e1").take("c");
    const fault = { code, message: "no", retry: false, shared: false } as const;
    await wire.executor("e1").emit(held, 1, { type: "fault", fault });
    await until(server, submission._id, ({ judgement }) => judgement.state === "FAILED");
    expect(await gauge("docket_dead_letters", { code })).toBe(1);
    await server.backbone.discard({ submission: submission._id, by: "jury", reason: "seen" });
    expect(await gauge("docket_dead_letters", { code })).toBe(0);
    await eventually(
      () => gauge("docket_judge_events_unread"),
      (unread) => unread === 0,
    );
  });
});
