import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

const ns = namespace();
let server: TestServer;
let jury: string;
let ann: string;
let bob: string;

beforeAll(async () => {
  server = await startTestServer(ns, { limits: { ownerBurst: 50, ownerPerSecond: 1 } });
  [jury, ann, bob] = await Promise.all([server.key("chief", "jury"), server.key("ann"), server.key("bob")]);
  await Promise.all([server.problem("sum"), server.problem("max"), server.problem("other")]);
});
afterAll(() => server.stop());

async function ask(key: string, query: string, variables: object = {}): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: Record<string, unknown>; errors?: unknown };
  if (data === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

const CONTEST = `id name startsAt endsAt open participants version problems { id } rate { perSecond burst }`;
const keep = async (what: "create" | "update", key: string, input: object): Promise<unknown> => {
  const name = `${what}Contest`;
  const type = `${what === "create" ? "Create" : "Update"}Contest`;
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    ... on ${type}Success { contest { ${CONTEST} } } ... on UserError { code message } } }`;
  return (await ask(key, query, { input }))[name];
};

const HOUR_MS = 3_600_000;
const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
const running = (id: string) => ({
  id,
  name: `Contest ${id}`,
  startsAt: at(-HOUR_MS),
  endsAt: at(HOUR_MS),
  problems: ["sum", "max"],
  open: true,
});

let count = 0;
const submit = async (key: string, input: object): Promise<unknown> => {
  const query = `mutation ($input: SubmitSubmissionInput!) { submitSubmission(input: $input) {
    ... on SubmitSubmissionSuccess { replayed submission { lane contest } }
    ... on UserError { code } ... on ContestNotStarted { retryAfterMs } ... on RateLimited { retryAfterMs limit } } }`;
  const whole = { problem: "sum", language: "python", source: `print(${count++})`, ...input };
  return (await ask(key, query, { input: whole }))["submitSubmission"];
};

describe("a contest", () => {
  it("is made and changed by the jury, and nobody else", async () => {
    expect(await keep("create", ann, running("mine"))).toMatchObject({ code: "FORBIDDEN" });
    const made = await keep("create", jury, running("spring"));
    expect(made).toMatchObject({
      contest: { id: "spring", open: true, version: 1, problems: [{ id: "sum" }, { id: "max" }] },
    });
    expect(await keep("create", jury, running("spring"))).toMatchObject({ code: "CONTEST_EXISTS" });
    const named = await keep("update", jury, { id: "spring", version: 1, participants: ["ann", "ann"] });
    expect(named).toMatchObject({ contest: { open: false, participants: ["ann"], version: 2 } });
    expect(await keep("update", jury, { id: "spring", version: 1, name: "late" })).toMatchObject({
      code: "CONTEST_CHANGED",
    });
    expect(await keep("update", jury, { id: "spring", open: true })).toMatchObject({
      contest: { open: true, participants: null, version: 3, name: "Contest spring" },
    });
    expect(await keep("update", jury, { id: "none", name: "x" })).toMatchObject({
      code: "CONTEST_NOT_FOUND",
    });
  });

  it.each([
    ["an end before its start", { endsAt: at(-2 * HOUR_MS) }, "INPUT_INVALID"],
    ["no problems", { problems: [] }, "INPUT_INVALID"],
    ["a problem twice", { problems: ["sum", "sum"] }, "INPUT_INVALID"],
    ["an unknown problem", { problems: ["sum", "nothing"] }, "PROBLEM_NOT_FOUND"],
    ["no name", { name: " " }, "INPUT_INVALID"],
    ["an id with a space", { id: "a b" }, "INPUT_INVALID"],
    ["nobody and not open", { open: false }, "INPUT_INVALID"],
    ["participants and open", { participants: ["ann"] }, "INPUT_INVALID"],
    ["a rate of nothing", { rate: { perSecond: 0, burst: 1 } }, "INPUT_INVALID"],
  ])("is refused with %s", async (_what, wrong, code) => {
    expect(await keep("create", jury, { ...running("wrong"), ...wrong })).toMatchObject({ code });
  });

  it("gives its submissions the contest lane, and they are found by it", async () => {
    await keep("create", jury, running("open"));
    expect(await submit(ann, { contest: "open" })).toMatchObject({
      submission: { lane: "CONTEST", contest: "open" },
    });
    expect(await submit(ann, {})).toMatchObject({ submission: { lane: "PRACTICE", contest: null } });
    const { submissions } = await ask(
      ann,
      `{ submissions(filter: { contest: "open" }) { edges { node { contest } } } }`,
    );
    expect(submissions).toEqual({ edges: [{ node: { contest: "open" } }] });
    expect(await submit(ann, { lane: "CONTEST" })).toMatchObject({ code: "FORBIDDEN" });
  });

  it("takes only its own problems, in its time, from its participants; the jury at any time", async () => {
    await keep("create", jury, { ...running("closed"), open: false, participants: ["ann"] });
    await keep("create", jury, { ...running("soon"), startsAt: at(60_000) });
    await keep("create", jury, { ...running("past"), endsAt: at(-1_000) });
    expect(await submit(ann, { contest: "closed", problem: "other" })).toMatchObject({
      code: "PROBLEM_NOT_IN_CONTEST",
    });
    expect(await submit(bob, { contest: "closed" })).toMatchObject({ code: "NOT_A_PARTICIPANT" });
    expect(await submit(ann, { contest: "closed" })).toMatchObject({ submission: { contest: "closed" } });
    const early = await submit(ann, { contest: "soon" });
    expect(early).toMatchObject({ code: "CONTEST_NOT_STARTED" });
    expect((early as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(50_000);
    expect(await submit(ann, { contest: "past" })).toMatchObject({ code: "CONTEST_OVER" });
    expect(await submit(ann, { contest: "none" })).toMatchObject({ code: "CONTEST_NOT_FOUND" });
    for (const contest of ["soon", "past"])
      expect(await submit(jury, { contest })).toMatchObject({ submission: { contest } });
  });

  it("tells a submission that was taken in time again when it is over", async () => {
    await keep("create", jury, running("short"));
    const once = { contest: "short", source: "print('once')", idempotencyKey: "once" };
    expect(await submit(bob, once)).toMatchObject({ replayed: false });
    await keep("update", jury, { id: "short", endsAt: at(-1) });
    await expect
      .poll(() => submit(bob, { contest: "short" }), { timeout: 5_000 })
      .toMatchObject({ code: "CONTEST_OVER" });
    expect(await submit(bob, once)).toMatchObject({ replayed: true, submission: { contest: "short" } });
  });

  it("has a rate of its own, for all participants together", async () => {
    await keep("create", jury, { ...running("paced"), rate: { perSecond: 0.001, burst: 3 } });
    const both = [ann, bob, ann, bob, ann];
    const outcomes = await Promise.all(both.map((key) => submit(key, { contest: "paced" })));
    expect(outcomes.filter((one) => "submission" in (one as object))).toHaveLength(3);
    const refused = outcomes.find((one) => "code" in (one as object));
    expect(refused).toMatchObject({ code: "RATE_LIMITED", limit: 3 });
    // Practice goes on.
    expect(await submit(ann, {})).toHaveProperty("submission");
  });

  it("shows participants its problems once it has started", async () => {
    await keep("create", jury, { ...running("secret"), startsAt: at(HOUR_MS), endsAt: at(2 * HOUR_MS) });
    const query = `{ contest(id: "secret") { problems { id } participants } }`;
    expect(await ask(ann, query)).toEqual({ contest: { problems: null, participants: null } });
    expect(await ask(jury, query)).toMatchObject({ contest: { problems: [{ id: "sum" }, { id: "max" }] } });
  });
});
