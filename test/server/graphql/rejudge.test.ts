import { afterAll, beforeAll, expect, it } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { until } from "../../support/processes.ts";
import { graphql } from "../http/client.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

const space = namespace();
let server: TestServer;
let alice: string;
let jury: string;

beforeAll(async () => {
  server = await startTestServer(space);
  alice = await server.key("alice");
  jury = await server.key("judge", "jury");
  await server.problem("sum");
});
afterAll(() => server.stop());

/** The one field of the answer. */
async function ask(key: string, query: string, variables: Record<string, unknown> = {}): Promise<unknown> {
  const { data, errors } = await graphql(server.url, key, query, variables);
  if (data === undefined) throw new Error(JSON.stringify(errors));
  return Object.values(data)[0];
}

async function judge(verdict: "AC" | "WA"): Promise<void> {
  const held = await server.holder.take("python");
  await held.finished({ testsTotal: 1, tests: [], verdict, cpuMs: 1, memoryKiB: 1 });
}

const REJUDGE = `id state selected applied { moved } changes { from to count }
  items(first: 5, changedOnly: true) { edges { node { changed from { verdict } to { verdict generation } submission { id } } } }`;
const CREATE = `mutation ($input: CreateRejudgeInput!) { createRejudge(input: $input) {
  type: __typename ... on CreateRejudgeSuccess { rejudge { id state by reason } } ... on UserError { code } } }`;

it("a batch has a result for each; the jury judges it again, looks at it and applies it", async () => {
  const one = { problem: "sum", language: "python", source: "print(1)", idempotencyKey: "k1" };
  const batch = `mutation ($all: [SubmitSubmissionInput!]!) { submitSubmissions(input: { submissions: $all }) {
    ... on SubmitSubmissionsSuccess { results { type: __typename ... on SubmitSubmissionSuccess { replayed submission { id } } } }
    ... on UserError { code } } }`;
  const all = [one, { ...one, problem: "nothing", idempotencyKey: "k2" }];
  const results = await ask(alice, batch, { all });
  expect(results).toMatchObject({
    results: [{ type: "SubmitSubmissionSuccess", replayed: false }, { type: "ProblemNotFound" }],
  });
  expect(await ask(alice, batch, { all })).toMatchObject({ results: [{ replayed: true }, {}] });
  expect(await ask(alice, batch, { all: [] })).toEqual({ code: "INPUT_INVALID" });
  await judge("WA");
  const verdict = `{ submissions(first: 1) { edges { node { id verdict timeline { stage } judgements(first: 5) { edges { node { generation verdict } } } } } } }`;
  await until("it is judged", async () =>
    JSON.stringify(await ask(alice, verdict)).includes('"verdict":"WA"'),
  );

  const input = { filter: { problem: "sum", verdict: "WA" }, reason: "a wrong answer", priority: "NORMAL" };
  expect(await ask(alice, CREATE, { input })).toEqual({ type: "Forbidden", code: "FORBIDDEN" });
  expect(await ask(jury, CREATE, { input: { ...input, filter: {} } })).toMatchObject({
    code: "INPUT_INVALID",
  });
  expect(await ask(jury, CREATE, { input: { ...input, reason: " " } })).toMatchObject({
    code: "INPUT_INVALID",
  });
  const made = await ask(jury, CREATE, { input });
  expect(made).toMatchObject({ rejudge: { state: "SELECTING", by: "judge", reason: "a wrong answer" } });
  const { id } = (made as { rejudge: { id: string } }).rejudge;
  await judge("AC");
  const look = `query ($id: ID!) { rejudge(id: $id) { ${REJUDGE} } }`;
  const ready = await until("it is ready", async () => {
    const found = await ask(jury, look, { id });
    return JSON.stringify(found).includes('"READY"') ? found : undefined;
  });
  expect(ready).toMatchObject({
    selected: 1,
    changes: [{ from: "WA", to: "AC", count: 1 }],
    items: {
      edges: [{ node: { changed: true, from: { verdict: "WA" }, to: { verdict: "AC", generation: 2 } } }],
    },
  });
  expect(JSON.stringify(await ask(alice, verdict))).toContain('"verdict":"WA"');
  const apply = `mutation ($id: ID!) { applyRejudge(input: { id: $id }) {
    ... on ApplyRejudgeSuccess { rejudge { state applied { moved } } } ... on UserError { code } } }`;
  expect(await ask(alice, apply, { id })).toEqual({ code: "FORBIDDEN" });
  expect(await ask(jury, apply, { id: "nonsense" })).toEqual({ code: "REJUDGE_NOT_FOUND" });
  expect(await ask(jury, apply, { id })).toEqual({ rejudge: { state: "APPLIED", applied: { moved: 1 } } });
  const now = JSON.stringify(await ask(jury, verdict));
  expect(now).toContain('"verdict":"AC","timeline":[{"stage":"ACCEPTED"}');
  expect(now).toContain('{"node":{"generation":2,"verdict":"AC"}},{"node":{"generation":1,"verdict":"WA"}}');
});
