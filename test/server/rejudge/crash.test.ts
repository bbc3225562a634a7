import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { RejudgeDocument } from "../../../src/server/store/rejudges.ts";
import { judgementId, type RejudgeId, type SubmissionId } from "../../../src/shared/ids.ts";
import { namespace } from "../../support/namespace.ts";
import { eventually, openWire, putProblem, type Server, startServer, type Wire } from "../rig.ts";
import { createStage } from "./stage.ts";

const ns = namespace();
const VICTIM = fileURLToPath(new URL("../victim.ts", import.meta.url));
let server: Server | undefined;
let wire: Wire;
const victims: ChildProcess[] = [];
const alive = (): Server => {
  if (server === undefined) throw new Error("no server is up");
  return server;
};
const stage = createStage(alive, () => wire);

beforeAll(async () => {
  server = await startServer(ns);
  wire = await openWire(ns);
  await putProblem(server.store);
});
afterEach(() => {
  for (const victim of victims.splice(0)) victim.kill("SIGKILL");
});
afterAll(async () => {
  await wire.close();
  await server?.stop();
});

/** Alone in the house, a server is asked and dies at `place`; then the first one is started again. */
async function dies(place: string, asked: Record<string, string>): Promise<void> {
  await alive().stop();
  server = undefined;
  const { mongodbUrl, natsUrl, database, topology } = ns;
  const input = JSON.stringify({ mongodbUrl, natsUrl, database, topology });
  const child = spawn(process.execPath, [VICTIM, input, place], { stdio: ["pipe", "pipe", "inherit"] });
  victims.push(child);
  await once(child.stdout, "data");
  child.stdin.write(`${JSON.stringify(asked)}\n`);
  await once(child, "exit");
  expect(child.signalCode).toBe("SIGKILL");
  server = await startServer(ns);
}

/** The newest rejudge. */
const newest = async (): Promise<RejudgeDocument> => {
  const [found] = await alive().store.rejudges.page({ first: 1 });
  if (found === undefined) throw new Error("no rejudge");
  return found;
};

async function three(owner: string): Promise<SubmissionId[]> {
  const ids: SubmissionId[] = [];
  for (let i = 0; i < 3; i++) ids.push((await stage.judged("WA", { owner })).submission._id);
  return ids;
}

const generations = async (ids: readonly SubmissionId[]) =>
  (await alive().store.submissions.many(ids)).map(({ generation, rejudge }) => ({ generation, rejudge }));

describe("a server that dies while it selects", () => {
  for (const place of ["rejudge.afterClaim", "rejudge.afterInsert"]) {
    it(`at ${place}: another one goes on, and each submission is judged once`, async () => {
      const owner = place.slice("rejudge.".length).toLowerCase();
      const ids = await three(owner);
      await dies(place, { rejudge: owner });
      const jobs = await stage.judgeAll(3, "AC");
      expect(new Set(jobs.map(({ job }) => job.submission))).toEqual(new Set(ids));
      const { _id: id } = await newest();
      expect(await stage.state(id, "READY")).toMatchObject({ selected: 3, skipped: { busy: 0 } });
      expect(await wire.executor("e1").pull("python", "rejudge")).toBeUndefined();
      for (const one of ids) {
        expect(await alive().store.judgements.get(judgementId(one, 3))).toBeUndefined();
      }
      await alive().backbone.cancelRejudge({ id, by: "jury" });
      await stage.state(id, "CANCELLED");
    });
  }
});

describe("a server that dies while it applies", () => {
  async function ready(owner: string): Promise<{ ids: SubmissionId[]; id: RejudgeId }> {
    const ids = await three(owner);
    const id = await stage.create({ owner });
    await stage.judgeAll(3, "AC");
    await stage.state(id, "READY");
    return { ids, id };
  }
  const OLD = { generation: 1 };
  const NEW = { generation: 2, rejudge: undefined };

  for (const place of ["rejudge.afterMark", "rejudge.beforeCommit"]) {
    it(`at ${place}: nothing is half applied, another one finishes it`, async () => {
      const { ids, id } = await ready(place.slice("rejudge.".length).toLowerCase());
      // What others see until the one write, in one look after another.
      const looks: unknown[][] = [];
      const over = new AbortController();
      const looking = (async () => {
        while (!over.signal.aborted) {
          if (server !== undefined) looks.push(await generations(ids).catch(() => []));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      })();
      await dies(place, { apply: id });
      expect(await stage.state(id, "APPLIED")).toMatchObject({ apply: { by: "victim", moved: 3 } });
      over.abort();
      await looking;
      const whole = looks.filter((look) => look.length > 0);
      for (const look of whole) {
        const numbers = new Set(look.map((one) => (one as { generation: number }).generation));
        expect(numbers.size).toBe(1);
      }
      expect(await generations(ids)).toEqual([NEW, NEW, NEW]);
    });
  }

  it("after the commit: it is applied, and whoever watches finds it", async () => {
    const { ids, id } = await ready("aftercommit");
    expect((await generations(ids)).map(({ generation }) => ({ generation }))).toEqual([OLD, OLD, OLD]);
    await dies("rejudge.afterCommit", { apply: id });
    expect(await stage.state(id, "APPLIED")).toMatchObject({ apply: { moved: 3 } });
    expect(await generations(ids)).toEqual([NEW, NEW, NEW]);
    const [one] = ids;
    if (one === undefined) throw new Error("none");
    await eventually(
      () => alive().store.snapshots.get(one),
      (found) => found?.judgement.generation === 2,
    );
    const again = await alive().backbone.applyRejudge({ id, by: "jury" });
    expect(again).toMatchObject({ type: "done", rejudge: { apply: { by: "victim", moved: 3 } } });
  });
});

it("two servers apply the same rejudge at once: once", async () => {
  const ids = await three("both");
  const id = await stage.create({ owner: "both" });
  await stage.judgeAll(3, "AC");
  await stage.state(id, "READY");
  const other = await startServer({ ...ns, instance: "other" });
  const outcomes = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      (i % 2 === 0 ? alive() : other).backbone.applyRejudge({ id, by: `jury${i}` }),
    ),
  );
  for (const outcome of outcomes) expect(outcome.type).toBe("done");
  const applied = await stage.state(id, "APPLIED");
  expect(applied.apply).toMatchObject({ moved: 3, superseded: 0, kept: 0 });
  expect((await generations(ids)).map(({ generation }) => generation)).toEqual([2, 2, 2]);
  await other.stop();
});
