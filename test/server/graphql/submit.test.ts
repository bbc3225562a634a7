import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { until } from "../../support/processes.ts";
import { graphql, submit, submitted } from "../http/client.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

const space = namespace();
let server: TestServer;
let alice: string;
let bob: string;
let jury: string;

beforeAll(async () => {
  server = await startTestServer(space);
  alice = await server.key("alice");
  bob = await server.key("bob");
  jury = await server.key("judge", "jury");
  await server.problem("sum");
  // It refuses a language once it has listened to the executors for a while.
  const early = await server.key("early");
  await until("it says what is not offered", async () => {
    const answer = await submit(server.url, early, { ...PROGRAM, language: "rust" });
    return answer.type === "LanguageNotOffered" || undefined;
  });
});
afterAll(() => server.stop());

const PROGRAM = { problem: "sum", language: "python", source: "print(1)\n" };

describe("submitSubmission", () => {
  it("stores a submission and says its id", async () => {
    const answer = await submit(server.url, alice, PROGRAM);
    expect(answer).toMatchObject({ type: "SubmitSubmissionSuccess", replayed: false });
    expect(answer.submission?.id).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it("gives the same submission for the same key, and refuses another content", async () => {
    const first = await submit(server.url, alice, { ...PROGRAM, idempotencyKey: "k1" });
    const again = await submit(server.url, alice, { ...PROGRAM, idempotencyKey: "k1" });
    expect(again).toMatchObject({ replayed: true, submission: { id: first.submission?.id } });
    const other = await submit(server.url, alice, { ...PROGRAM, source: "print(2)", idempotencyKey: "k1" });
    expect(other).toMatchObject({ type: "IdempotencyConflict", code: "IDEMPOTENCY_CONFLICT" });
    // Another owner's key is another key.
    expect(await submit(server.url, bob, { ...PROGRAM, idempotencyKey: "k1" })).toMatchObject({
      replayed: false,
    });
  });

  it.each([
    ["ProblemNotFound", { ...PROGRAM, problem: "nothing" }],
    ["ProblemNotFound", { ...PROGRAM, problem: "Not An Id!" }],
    ["LanguageNotOffered", { ...PROGRAM, language: "cobol" }],
    ["LanguageNotOffered", { ...PROGRAM, language: "rust" }],
    ["SourceEmpty", { ...PROGRAM, source: "" }],
    ["SourceTooLarge", { ...PROGRAM, source: "x".repeat(200_000) }],
    ["SourceTooLarge", { ...PROGRAM, source: "x".repeat(65 * 1024) }],
    ["InputInvalid", { problem: "sum", language: "python" }],
    ["InputInvalid", { ...PROGRAM, files: [{ name: "a.py", content: "1" }] }],
    ["InputInvalid", { ...PROGRAM, idempotencyKey: "x".repeat(1_000) }],
    ["FileNameInvalid", { problem: "sum", language: "python", files: [{ name: "../a.py", content: "1" }] }],
    [
      "TooManyFiles",
      {
        problem: "sum",
        language: "python",
        files: Array.from({ length: 40 }, (_, i) => ({ name: `f${i}.py`, content: "1" })),
      },
    ],
    ["Forbidden", { ...PROGRAM, lane: "CONTEST" }],
  ])("answers %s for a mistake, with a message", async (type, input) => {
    const answer = await submit(server.url, alice, input);
    expect(answer.type).toBe(type);
    expect(answer.message?.length).toBeGreaterThan(20);
  });

  it("lets the jury choose the lane", async () => {
    const answer = await submit(server.url, jury, { ...PROGRAM, lane: "CONTEST" });
    expect(answer.type).toBe("SubmitSubmissionSuccess");
  });

  it("tells why a language is not offered", async () => {
    const { data } = await graphql(
      server.url,
      alice,
      "{ languages { language { id } offered versions reasons } queues { lane running } }",
    );
    const languages = data?.["languages"];
    expect(languages).toContainEqual({
      language: { id: "python" },
      offered: true,
      versions: ["python 1.0"],
      reasons: [],
    });
    expect(languages).toContainEqual(
      expect.objectContaining({
        language: { id: "rust" },
        offered: false,
        reasons: ["rustc is missing: apt-get install rustc"],
      }),
    );
  });
});

describe("who may see what", () => {
  const FIELDS = `id owner sources { name text } judgement { generation tries { executor } }`;

  it("needs a key for everything but the schema itself", async () => {
    const asked = await graphql(server.url, undefined, "{ problems { edges { node { id } } } }");
    expect(asked).toMatchObject({ codes: ["UNAUTHENTICATED"] });
    expect((await graphql(server.url, undefined, "{ __schema { queryType { name } } }")).data).toBeDefined();
  });

  it("refuses a wrong key before looking at the document", async () => {
    const answer = await graphql(server.url, "wrong", "{ nonsense }");
    expect(answer).toMatchObject({ status: 401, codes: ["UNAUTHENTICATED"] });
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
  });

  it("shows owners their own with sources, the jury all with tries, others nothing", async () => {
    const id = await submitted(server.url, alice, "sum");
    const query = `query ($id: ID!) { submission(id: $id) { ${FIELDS} } node(id: $id) { id } }`;
    const own = await graphql(server.url, alice, query, { id });
    expect(own.data).toMatchObject({
      submission: {
        id,
        owner: "alice",
        sources: [{ name: "main.py", text: "print(1)\n" }],
        judgement: { tries: null },
      },
      node: { id },
    });
    const all = await graphql(server.url, jury, query, { id });
    expect(all.data).toMatchObject({ submission: { id, judgement: { generation: 1, tries: [] } } });
    const others = await graphql(server.url, bob, query, { id });
    expect(others).toMatchObject({ data: { submission: null, node: null }, errors: [] });
    // Exactly as if there were none.
    const none = await graphql(server.url, bob, query, { id: "00000000000000000000000000" });
    expect(none.data).toEqual(others.data);
  });

  it("lists one's own, newest first, page by page; the jury lists by owner", async () => {
    const carol = await server.key("carol");
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.unshift(await submitted(server.url, carol, "sum"));
    const query = `query ($first: Int!, $after: String, $filter: SubmissionFilter) {
      submissions(first: $first, after: $after, filter: $filter) {
        edges { node { id } } pageInfo { hasNextPage hasPreviousPage endCursor } } }`;
    const first = await graphql(server.url, carol, query, { first: 3 });
    expect(first.data).toMatchObject({
      submissions: {
        edges: ids.slice(0, 3).map((id) => ({ node: { id } })),
        pageInfo: { hasNextPage: true, hasPreviousPage: false, endCursor: ids[2] },
      },
    });
    const second = await graphql(server.url, carol, query, { first: 3, after: ids[2] });
    expect(second.data).toMatchObject({
      submissions: {
        edges: ids.slice(3).map((id) => ({ node: { id } })),
        pageInfo: { hasNextPage: false, hasPreviousPage: true },
      },
    });
    // A participant cannot ask for somebody else's.
    const asBob = await graphql(server.url, bob, query, { first: 50, filter: { owner: "carol" } });
    expect(JSON.stringify(asBob.data)).not.toContain(ids[0]);
    const asJury = await graphql(server.url, jury, query, { first: 50, filter: { owner: "carol" } });
    expect(asJury.data).toMatchObject({ submissions: { edges: ids.map((id) => ({ node: { id } })) } });
    const filtered = await graphql(server.url, carol, query, { first: 50, filter: { language: "cpp" } });
    expect(filtered.data).toMatchObject({ submissions: { edges: [] } });
  });

  it("shows executors to the jury only", async () => {
    const query = "{ executors { name state slots languages { id version } } }";
    expect(await graphql(server.url, alice, query)).toMatchObject({ codes: ["FORBIDDEN"] });
    expect((await graphql(server.url, jury, query)).data).toMatchObject({
      executors: [{ name: "by-hand", state: "READY", slots: 2 }],
    });
  });

  it("shows nothing of a problem's hidden tests", async () => {
    const query = '{ __type(name: "Problem") { fields { name } } }';
    expect((await graphql(server.url, jury, query)).data).toEqual({
      __type: {
        fields: [
          "codeKiB",
          "id",
          "importedAt",
          "languages",
          "memoryMiB",
          "name",
          "resource",
          "takenOutAt",
          "takenOutReason",
          "testCount",
          "timeLimitIsInferred",
          "timeMs",
        ].map((name) => ({ name })),
      },
    });
  });
});

describe("cancelSubmission", () => {
  const CANCEL = `mutation ($id: ID!) { cancelSubmission(input: { id: $id }) {
    __typename ... on CancelSubmissionSuccess { submission { state } } ... on UserError { code } } }`;

  it("takes an own submission back once; others cannot", async () => {
    const id = await submitted(server.url, alice, "sum");
    expect((await graphql(server.url, bob, CANCEL, { id })).data).toMatchObject({
      cancelSubmission: { __typename: "SubmissionNotFound" },
    });
    expect((await graphql(server.url, alice, CANCEL, { id })).data).toMatchObject({
      cancelSubmission: { submission: { state: "CANCELLED" } },
    });
    expect((await graphql(server.url, alice, CANCEL, { id })).data).toMatchObject({
      cancelSubmission: { code: "SUBMISSION_FINAL" },
    });
  });
});
