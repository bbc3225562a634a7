import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { SubmissionId } from "../../../src/shared/ids.ts";
import type { JudgeResult } from "../../../src/shared/judging.ts";
import { namespace } from "../../support/namespace.ts";
import { until } from "../../support/processes.ts";
import { graphql, submitted, type Update, watchBySocket } from "../http/client.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

const space = namespace();
let server: TestServer;
let ann: string;
let jury: string;

beforeAll(async () => {
  server = await startTestServer(space, {
    limits: {
      batchSubmissions: 2,
      contestProblems: 1,
      contestParticipants: 1,
      codeRunInputBytes: 8,
      codeRunTimeMs: 1_234,
      codeRunMemoryMiB: 56,
      codeRunOutputKiB: 78,
      codeRunShownBytes: 90,
      codeRunKeepMs: 60_000,
      practiceSoftWaitMs: 1,
      delayedUpdateMs: 3_600_000,
    },
  });
  ann = await server.key("ann");
  jury = await server.key("chief", "jury");
  await Promise.all([server.problem("sum"), server.problem("max")]);
});
afterAll(() => server.stop());

const CODED = "... on UserError { code message }";

it("a batch has no more submissions than batchSubmissions", async () => {
  const batch = async (count: number): Promise<unknown> => {
    const one = { problem: "sum", language: "python", source: "print(1)" };
    const query = `mutation ($input: SubmitSubmissionsInput!) {
      submitSubmissions(input: $input) { type: __typename ${CODED} } }`;
    const answer = await graphql(server.url, ann, query, {
      input: { submissions: Array.from({ length: count }, () => one) },
    });
    return answer.data?.["submitSubmissions"];
  };
  expect(await batch(2)).toEqual({ type: "SubmitSubmissionsSuccess" });
  for (const count of [0, 3]) {
    const message = expect.stringContaining("batchSubmissions") as string;
    expect(await batch(count)).toEqual({ type: "InputInvalid", code: "INPUT_INVALID", message });
  }
});

it("a contest has no more problems than contestProblems, and no more participants than contestParticipants", async () => {
  const create = async (id: string, more: object): Promise<unknown> => {
    const query = `mutation ($input: CreateContestInput!) {
      createContest(input: $input) { type: __typename ${CODED} } }`;
    const times = { startsAt: "2030-01-01T00:00:00Z", endsAt: "2030-01-02T00:00:00Z" };
    const input = { id, name: id, problems: ["sum"], ...times, ...more };
    return (await graphql(server.url, jury, query, { input })).data?.["createContest"];
  };
  expect(await create("few", { participants: ["ann"] })).toEqual({ type: "CreateContestSuccess" });
  for (const more of [{ participants: ["ann", "bob"] }, { open: true, problems: ["sum", "max"] }]) {
    expect(await create("many", more)).toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringContaining("1") as string,
    });
  }
});

it("a run has no more input than codeRunInputBytes, and goes with the limits of runs", async () => {
  const run = async (stdin: string): Promise<unknown> => {
    const query = `mutation ($input: RunCodeInput!) {
      runCode(input: $input) { type: __typename ... on RunCodeSuccess { codeRun { id } } ${CODED} } }`;
    const input = { language: "python", source: "print(input())", stdin };
    return (await graphql(server.url, ann, query, { input })).data?.["runCode"];
  };
  expect(await run("123456789")).toMatchObject({
    code: expect.stringMatching(/INVALID|TOO_LARGE/) as string,
  });
  const before = Date.now();
  const { codeRun: taken } = z
    .object({ codeRun: z.object({ id: SubmissionId }) })
    .parse(await run("12345678"));
  expect((await server.store.snapshots.get(taken.id))?.submission).toMatchObject({
    input: { limits: { timeMs: 1_234, memoryMiB: 56, outputKiB: 78, shownBytes: 90 } },
    expiresAt: expect.toSatisfy((at: Date) => at.getTime() >= before + 60_000) as Date,
  });
});

it("what waits longer than the soft limit is shown again after delayedUpdateMs, and when it is final", async () => {
  const result: JudgeResult = { testsTotal: 1, tests: [], verdict: "AC", cpuMs: 5, memoryKiB: 100 };
  const stored = async (id: string, state: string): Promise<void> => {
    await until(`${id} is ${state}`, async () => {
      const snapshot = await server.store.snapshots.get(SubmissionId.parse(id));
      return snapshot?.judgement.state === state ? true : undefined;
    });
  };
  /** Judges what comes up to and with this one. */
  const judge = async (id: string): Promise<void> => {
    for (let last = ""; last !== id;) {
      const held = await server.holder.take("python");
      last = held.job.submission;
      await held.started();
      await stored(last, "RUNNING");
      await held.finished(result);
    }
  };
  // Without one that was measured nobody can tell how long the next one waits.
  await judge(await submitted(server.url, ann, "sum"));
  for (let i = 0; i < 4; i++) await submitted(server.url, ann, "sum");
  const id = await submitted(server.url, ann, "sum");
  await until("its wait is told", async () => {
    const query = `query ($id: ID!) { submission(id: $id) { estimatedWaitMs } }`;
    const Wait = z.object({ submission: z.object({ estimatedWaitMs: z.number().nullable() }) });
    const { submission } = Wait.parse((await graphql(server.url, ann, query, { id })).data);
    return (submission.estimatedWaitMs ?? 0) > 1 ? true : undefined;
  });
  const updates = watchBySocket(server.url, ann, id);
  const states: string[] = [];
  const first = await updates.next();
  const rest = (async () => {
    for await (const update of updates) states.push((update satisfies Update).state);
  })();
  await judge(id);
  await rest;
  expect(first.value).toMatchObject({ state: "QUEUED" });
  expect(states).toEqual(["FINISHED"]);
});
