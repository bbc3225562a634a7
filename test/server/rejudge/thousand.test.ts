import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { SubmissionDocument, SubmissionSnapshot } from "../../../src/server/store/documents.ts";
import { judgementId, newSubmissionId, type SubmissionId } from "../../../src/shared/ids.ts";
import { namespace } from "../../support/namespace.ts";
import { openSuite, PROBLEM } from "../rig.ts";
import { createStage } from "./stage.ts";

/** A rejudge as large as they come in an ordinary contest, from the wish to what the thousand submissions say then. */

const ns = namespace();
const COUNT = 1_000;
const OWNERS = 40;
const SLOTS = 8;
const { server, wire } = await openSuite(ns, { topology: { ...ns.topology, languages: ["python"] } });
const stage = createStage(
  () => server,
  () => wire,
);
const client = new MongoClient(ns.mongodbUrl);
const stored = client.db(ns.database).collection<SubmissionDocument>("submissions");

/** The old verdicts, and what the mended problem makes of each. */
const VERDICTS = ["AC", "WA", "WA", "TLE", "RTE"] as const;
const verdictOf = (n: number): string => VERDICTS[n % VERDICTS.length] ?? "AC";
const mendedOf = (n: number): string => (n % VERDICTS.length === 2 ? "AC" : verdictOf(n));
const CHANGED = COUNT / VERDICTS.length;

/** Every submission's place in the order in which they came in. */
const places = new Map<SubmissionId, number>();

beforeAll(async () => {
  // One goes the whole way, the others are stored as it was.
  const { submission, judgement } = await stage.judged(verdictOf(0), { owner: "owner0" });
  places.set(submission._id, 0);
  const copy = (n: number): SubmissionSnapshot => {
    const id = newSubmissionId(Date.now());
    places.set(id, n);
    const owner = `owner${n % OWNERS}`;
    return {
      submission: { ...submission, _id: id, owner, idempotencyKey: `key ${n}` },
      judgement: {
        ...judgement,
        _id: judgementId(id, 1),
        submission: id,
        owner,
        result: { verdict: verdictOf(n), tests: [] },
      },
    };
  };
  const others = Array.from({ length: COUNT - 1 }, (_, i) => copy(i + 1));
  await Promise.all(others.map((one) => server.store.judgements.insert(one.judgement)));
  await Promise.all(others.map((one) => server.store.submissions.insert(one.submission)));
}, 60_000);
afterAll(() => client.close());

/** How many submissions point to their second judgement, all counted at the same moment. */
const movedNow = async (): Promise<number> =>
  await client.withSession({ snapshot: true }, (session) =>
    stored.countDocuments({ generation: 2 }, { session }),
  );

it(`of ${COUNT} submissions judges each once, tells what would change, and changes all of it at one moment`, async () => {
  const id = await stage.create({ problem: PROBLEM });

  const judged: SubmissionId[] = [];
  await Promise.all(
    Array.from({ length: SLOTS }, async (_, slot) => {
      const executor = wire.executor(`e${slot}`);
      while (judged.length < COUNT) {
        const held = await executor.pull("python", "rejudge");
        if (held === undefined) continue;
        expect(held.job).toMatchObject({ generation: 2, lane: "rejudge" });
        judged.push(held.job.submission);
        const verdict = mendedOf(places.get(held.job.submission) ?? -1);
        await executor.emit(held, 1, { type: "finished", result: { verdict, tests: [] } });
        await executor.ack(held);
      }
    }),
  );
  expect(new Set(judged)).toEqual(new Set(places.keys()));
  expect(judged).toHaveLength(COUNT);

  expect(await stage.state(id, "READY")).toMatchObject({
    selected: COUNT,
    skipped: { unfinished: 0, cancelled: 0, busy: 0 },
  });
  expect(new Map(await server.store.rejudged.counts(id))).toEqual(new Map([["FINISHED", COUNT]]));
  const change = (from: string, to: string) => ({ from, to, count: CHANGED });
  const changes = await server.store.rejudged.changes(id);
  expect(new Set(changes)).toEqual(
    new Set([
      change("AC", "AC"),
      change("RTE", "RTE"),
      change("TLE", "TLE"),
      change("WA", "AC"),
      change("WA", "WA"),
    ]),
  );
  const wouldChange = await server.store.rejudged.page({ id, changedOnly: true, first: COUNT });
  expect(wouldChange).toHaveLength(CHANGED);
  expect(wouldChange.every(({ submission }) => (places.get(submission) ?? 0) % VERDICTS.length === 2)).toBe(
    true,
  );
  expect(await movedNow()).toBe(0);

  const applied = new AbortController();
  const seen = new Set<number>();
  const watching = (async () => {
    while (!applied.signal.aborted) seen.add(await movedNow());
  })();
  const outcome = await server.backbone.applyRejudge({ id, by: "head of jury" });
  applied.abort();
  await watching;
  expect(outcome).toMatchObject({
    type: "done",
    rejudge: { state: "APPLIED", apply: { moved: COUNT, superseded: 0, kept: 0 } },
  });
  expect([...seen].filter((count) => count !== 0 && count !== COUNT)).toEqual([]);
  expect(await movedNow()).toBe(COUNT);

  const now = await server.store.snapshots.many([...places.keys()]);
  expect(now).toHaveLength(COUNT);
  const wrong = now.filter(({ submission, judgement }) => {
    const verdict = (judgement.result as { verdict?: string } | undefined)?.verdict;
    const right = verdict === mendedOf(places.get(submission._id) ?? -1);
    return !right || submission.generation !== 2 || submission.rejudge !== undefined;
  });
  expect(wrong).toEqual([]);
  const before = await server.store.judgements.many([...places.keys()].map((one) => judgementId(one, 1)));
  const history = before.filter(
    ({ submission, state, result }) =>
      state === "FINISHED" &&
      (result as { verdict: string }).verdict === verdictOf(places.get(submission) ?? -1),
  );
  expect(history).toHaveLength(COUNT);
}, 120_000);
