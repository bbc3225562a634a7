import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { namespace } from "../../support/namespace.ts";
import { until } from "../../support/processes.ts";
import { graphql, submitted, watchBySocket } from "../http/client.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

const space = namespace();
let server: TestServer;
let alice: string;
let jury: string;

beforeAll(async () => {
  server = await startTestServer(space, { limits: { tries: 1 } });
  alice = await server.key("alice");
  jury = await server.key("judge", "jury");
  await server.problem("sum");
  await server.problem("other");
});
afterAll(() => server.stop());

const LIST = `query ($filter: DeadLetterFilter, $discarded: Boolean! = false, $first: Int! = 20, $after: String) {
  deadLetters(filter: $filter, discarded: $discarded, first: $first, after: $after) {
    edges { node {
      code reason at generation
      tries { executor startedAt endedAt end faultCode message log }
      redrive { by generation } discarded { by reason at }
      submission { id state judgement { generation } }
    } }
    pageInfo { hasNextPage endCursor }
  }
}`;
const Page = z.object({
  edges: z.array(
    z.object({
      node: z.record(z.string(), z.unknown()).and(z.object({ submission: z.object({ id: z.string() }) })),
    }),
  ),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
});

async function list(variables: Record<string, unknown> = {}) {
  const { data, errors } = await graphql(server.url, jury, LIST, variables);
  if (data === undefined) throw new Error(JSON.stringify(errors));
  const { edges, pageInfo } = Page.parse(data["deadLetters"]);
  return { nodes: edges.map(({ node }) => node), ids: edges.map(({ node }) => node.submission.id), pageInfo };
}

/** Hands in and lets an executor give up on it. */
async function dead(problem = "sum"): Promise<string> {
  const id = await submitted(server.url, alice, problem);
  const held = await server.holder.take("python");
  await held.fault("it broke", "last words");
  await until("it is given up", async () => (await list()).ids.includes(id) || undefined);
  return id;
}

const mutate = async (key: string, name: string, type: string, input: Record<string, unknown>) => {
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    type: __typename ... on UserError { code message }
    ... on ${type}Success { ${name === "redriveDeadLetters" ? "redriven more" : "submission { id state judgement { generation } }"} }
  } }`;
  const { data, errors } = await graphql(server.url, key, query, { input });
  if (data === undefined) throw new Error(JSON.stringify(errors));
  return data[name];
};
const redrive = (input: Record<string, unknown>, key = jury) =>
  mutate(key, "redriveDeadLetter", "RedriveDeadLetter", input);
const redriveMany = (input: Record<string, unknown>, key = jury) =>
  mutate(key, "redriveDeadLetters", "RedriveDeadLetters", input);
const discard = (input: Record<string, unknown>, key = jury) =>
  mutate(key, "discardDeadLetter", "DiscardDeadLetter", input);

describe("deadLetters", () => {
  it("lists each with reason, code, tries and log excerpt, newest first, page by page", async () => {
    const ids = [await dead(), await dead("other"), await dead()].toReversed();
    const { nodes } = await list();
    expect(nodes.map((node) => node.submission.id)).toEqual(ids);
    expect(nodes[0]).toMatchObject({
      code: "VALIDATOR_FAILED",
      reason: expect.stringContaining("it broke"),
      generation: 1,
      redrive: null,
      discarded: null,
      tries: [
        {
          executor: "by-hand",
          end: "fault",
          faultCode: "VALIDATOR_FAILED",
          message: "it broke",
          log: "last words",
        },
      ],
      submission: { state: "FAILED" },
    });
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof list>> = await list({ first: 2, after });
      seen.push(...page.ids);
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after !== null);
    expect(seen).toEqual(ids);
    expect((await list({ after: "nonsense" })).ids).toEqual([]);
  });

  it("is filtered by problem, language, code and time", async () => {
    const id = await dead("other");
    const { nodes } = await list();
    const at = String(nodes[0]?.["at"]);
    const fits = async (filter: Record<string, unknown>) => (await list({ filter })).ids.includes(id);
    expect(await fits({ problem: "other", language: "python", code: "VALIDATOR_FAILED", since: at })).toBe(
      true,
    );
    expect(await fits({ problem: "sum" })).toBe(false);
    expect(await fits({ language: "go" })).toBe(false);
    expect(await fits({ language: "Not one" })).toBe(false);
    expect(await fits({ code: "DISK_FULL" })).toBe(false);
    expect(await fits({ before: at })).toBe(false);
    expect(await fits({ since: new Date(Date.now() + 60_000).toISOString() })).toBe(false);
  });

  it("is for the jury", async () => {
    const { codes } = await graphql(server.url, alice, LIST);
    expect(codes).toEqual(["FORBIDDEN"]);
    const id = await dead();
    for (const answer of [
      await redrive({ id }, alice),
      await discard({ id, reason: "x" }, alice),
      await redriveMany({ all: true }, alice),
    ])
      expect(answer).toMatchObject({ type: "Forbidden" });
    const history = `query ($id: ID!) { submission(id: $id) { judgements { edges { node { generation } } } judgement { deadLetter { code } } } }`;
    const { data } = await graphql(server.url, alice, history, { id });
    expect(data).toEqual({ submission: { judgements: null, judgement: { deadLetter: null } } });
  });
});

describe("redriveDeadLetter", () => {
  it("judges again; a client follows from the revision it saw last to a verdict", async () => {
    const id = await dead();
    const before = await graphql(server.url, alice, "query ($id: ID!) { submission(id: $id) { revision } }", {
      id,
    });
    const { revision } = z.object({ revision: z.int() }).parse(before.data?.["submission"]);
    expect(await redrive({ id })).toMatchObject({
      type: "RedriveDeadLetterSuccess",
      submission: { id, state: "PENDING", judgement: { generation: 2 } },
    });
    const updates = watchBySocket(server.url, alice, id, revision);
    const held = await server.holder.take("python");
    expect(held.job.generation).toBe(2);
    await held.finished({
      verdict: "AC",
      cpuMs: 1,
      memoryKiB: 1,
      testsTotal: 0,
      tests: [],
    });
    const states: string[] = [];
    for await (const update of updates) {
      expect(update.revision).toBeGreaterThan(revision);
      states.push(update.state);
    }
    expect(states.at(-1)).toBe("FINISHED");
    expect((await list()).ids).not.toContain(id);
    expect(await redrive({ id })).toMatchObject({ type: "NotADeadLetter" });
    const history = `query ($id: ID!) { submission(id: $id) { verdict judgements { edges { node { generation state deadLetter { code redrive { by generation } } } } } } }`;
    expect((await graphql(server.url, jury, history, { id })).data?.["submission"]).toEqual({
      verdict: "AC",
      judgements: {
        edges: [
          { node: { generation: 2, state: "FINISHED", deadLetter: null } },
          {
            node: {
              generation: 1,
              state: "FAILED",
              deadLetter: { code: "VALIDATOR_FAILED", redrive: { by: "judge", generation: 2 } },
            },
          },
        ],
      },
    });
  });

  it("answers with typed errors", async () => {
    expect(await redrive({ id: "0".repeat(26) })).toMatchObject({ type: "SubmissionNotFound" });
    expect(await discard({ id: "0".repeat(26), reason: "x" })).toMatchObject({ type: "SubmissionNotFound" });
    const reinstate = `mutation { reinstateExecutor(input: { executor: "by-hand", language: "cobol" }) { type: __typename } }`;
    expect((await graphql(server.url, jury, reinstate)).data).toEqual({
      reinstateExecutor: { type: "InputInvalid" },
    });
    expect(await redrive({ id: "no id" })).toMatchObject({ type: "SubmissionNotFound" });
    for (const input of [
      {},
      { filter: {} },
      { filter: { problem: "sum" }, all: true },
      { all: true, limit: 0 },
    ])
      expect(await redriveMany(input)).toMatchObject({ type: "InputInvalid" });
  });
});

describe("discardDeadLetter", () => {
  it("keeps who and why, and lists it only when asked", async () => {
    const id = await dead();
    expect(await discard({ id, reason: " " })).toMatchObject({ type: "InputInvalid" });
    expect(await discard({ id, reason: "a broken test of ours" })).toMatchObject({
      type: "DiscardDeadLetterSuccess",
      submission: { state: "FAILED" },
    });
    expect((await list()).ids).not.toContain(id);
    const { nodes } = await list({ discarded: true });
    expect(nodes.find((node) => node.submission.id === id)).toMatchObject({
      discarded: { by: "judge", reason: "a broken test of ours" },
    });
  });
});

it("redriveDeadLetters takes all that are open", async () => {
  const { ids } = await list({ first: 50 });
  expect(ids.length).toBeGreaterThan(2);
  const first = await redriveMany({ filter: { problem: "sum" }, limit: 1 });
  expect(first).toMatchObject({ redriven: 1, more: true });
  expect(await redriveMany({ all: true })).toMatchObject({ redriven: ids.length - 1, more: false });
  expect((await list()).ids).toEqual([]);
  expect(await redriveMany({ all: true })).toMatchObject({ redriven: 0, more: false });
});
