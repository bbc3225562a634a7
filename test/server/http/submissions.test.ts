import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { namespace } from "../../support/namespace.ts";
import { bearer, submitted } from "./client.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

const space = namespace();
let server: TestServer;
let alice: string;
let bob: string;
let jury: string;
/** The document as it is served: what answers are held to. */
let openApi: z.infer<typeof OpenApi>;

const OpenApi = z.object({
  openapi: z.literal("3.1.0"),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        responses: z.record(
          z.string(),
          z.object({
            headers: z.record(z.string(), z.unknown()).optional(),
            content: z.record(z.string(), z.object({ schema: z.object({ $ref: z.string() }) })).optional(),
          }),
        ),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
});

beforeAll(async () => {
  server = await startTestServer(space);
  [alice, bob, jury] = await Promise.all([
    server.key("alice"),
    server.key("bob"),
    server.key("judge", "jury"),
  ]);
  await server.problem("sum");
  openApi = OpenApi.parse(await (await fetch(`${server.url}/openapi.json`)).json());
});
afterAll(() => server.stop());

/** Fetches, and holds the answer to the OpenAPI document: status, content type, headers and body. */
async function call(path: "/submissions" | "/submissions/{id}", url: string, init: RequestInit) {
  const response = await fetch(`${server.url}${url}`, init);
  const operation = openApi.paths[path]?.[(init.method ?? "GET").toLowerCase()];
  const documented = operation?.responses[String(response.status)];
  expect(documented, `${response.status} is documented`).toBeDefined();
  for (const header of Object.keys(documented?.headers ?? {})) {
    expect(response.headers.get(header), `header ${header}`).not.toBeNull();
  }
  const text = await response.text();
  if (documented?.content === undefined) {
    expect(text).toBe("");
    return { status: response.status, headers: response.headers, body: {} };
  }
  const type = (response.headers.get("content-type") ?? "").replace(/;.*/, "");
  const name = documented.content[type]?.schema.$ref.replace("#/components/schemas/", "") ?? "";
  const schema = openApi.components.schemas[name];
  if (schema === undefined) throw new Error(`no schema for ${type}`);
  const body = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  expect(z.fromJSONSchema(schema).safeParse(body).error).toBeUndefined();
  return { status: response.status, headers: response.headers, body };
}

const post = (key: string | undefined, body: unknown, headers: Record<string, string> = {}) =>
  call("/submissions", "/submissions", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(key === undefined ? {} : bearer(key)),
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

const get = (key: string, id: string, query = "", headers: Record<string, string> = {}) =>
  call("/submissions/{id}", `/submissions/${id}${query}`, { headers: { ...bearer(key), ...headers } });

const PROGRAM = { problem: "sum", language: "python", source: "print(1)\n" };

describe("POST /submissions", () => {
  it("answers 202 with the address to ask at", async () => {
    const { status, headers, body } = await post(alice, PROGRAM, { "idempotency-key": "rest-1" });
    expect(status).toBe(202);
    expect(headers.get("location")).toBe(`/submissions/${String(body["id"])}`);
    expect(headers.get("idempotency-key")).toBe("rest-1");
    const again = await post(alice, PROGRAM, { "idempotency-key": "rest-1" });
    expect(again.status).toBe(202);
    expect(again.body["id"]).toBe(body["id"]);
  });

  it("makes up an idempotency key that can be used again", async () => {
    const first = await post(alice, PROGRAM);
    const key = first.headers.get("idempotency-key") ?? "";
    expect((await post(alice, PROGRAM, { "idempotency-key": key })).body["id"]).toBe(first.body["id"]);
  });

  it.each([
    [400, "INPUT_INVALID", "{"],
    [400, "INPUT_INVALID", { ...PROGRAM, unknown: 1 }],
    [400, "INPUT_INVALID", { problem: "sum", language: "python" }],
    [404, "PROBLEM_NOT_FOUND", { ...PROGRAM, problem: "nothing" }],
    [413, "SOURCE_TOO_LARGE", { ...PROGRAM, source: "x".repeat(200_000) }],
    [413, "REQUEST_TOO_LARGE", { ...PROGRAM, source: "x".repeat(3_000_000) }],
    [422, "LANGUAGE_NOT_OFFERED", { ...PROGRAM, language: "cobol" }],
    [422, "SOURCE_EMPTY", { ...PROGRAM, source: "" }],
    [403, "FORBIDDEN", { ...PROGRAM, lane: "contest" }],
  ])("answers %i %s as a problem document", async (status, code, body) => {
    const answer = await post(alice, body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.body).toMatchObject({ status, code, type: `urn:docket:error:${code}` });
  });

  it("says the limit that was passed", async () => {
    const answer = await post(alice, { ...PROGRAM, source: "x".repeat(200_000) });
    expect(answer.body["limit"]).toBe(128 * 1024);
  });

  it("answers 409 for the same key with another content", async () => {
    await post(alice, PROGRAM, { "idempotency-key": "rest-2" });
    const answer = await post(alice, { ...PROGRAM, source: "print(2)" }, { "idempotency-key": "rest-2" });
    expect(answer).toMatchObject({ status: 409, body: { code: "IDEMPOTENCY_CONFLICT" } });
  });

  it("answers 401 without a right key, 415 for another content type, 403 to other origins", async () => {
    expect(await post(undefined, PROGRAM)).toMatchObject({ status: 401, body: { code: "UNAUTHENTICATED" } });
    expect(await post("wrong", PROGRAM)).toMatchObject({ status: 401 });
    const form = await post(alice, PROGRAM, { "content-type": "text/plain" });
    expect(form).toMatchObject({ status: 415, body: { code: "MEDIA_TYPE_UNSUPPORTED" } });
  });
});

describe("GET /submissions/{id}", () => {
  it("answers the state with the revision as ETag, and 304 while nothing is newer", async () => {
    const id = await submitted(server.url, alice, "sum");
    const held = await takeFor(id);
    await held.started();
    await expect.poll(async () => (await get(alice, id)).body["state"]).toBe("RUNNING");
    const running = await get(alice, id);
    const etag = running.headers.get("etag") ?? "";
    expect(etag).toBe(`"${String(running.body["revision"])}"`);
    expect((await get(alice, id, "", { "if-none-match": etag })).status).toBe(304);
    await held.finished({
      testsTotal: 1,
      tests: [
        {
          name: "secret/1",
          verdict: "WA",
          cpuMs: 1,
          wallMs: 2,
          memoryKiB: 3,
          teamMessage: "look again",
          rerunAlone: { reason: "nearLimit", firstCpuMs: 4, firstWallMs: 5 },
          exit: "exit code 7",
          errorOutput: "it went wrong",
          judgeMessage: "line 1 differs",
          transcript: "< 1",
        },
      ],
      verdict: "WA",
      cpuMs: 1,
      memoryKiB: 3,
      compile: { ok: true, cpuMs: 1, wallMs: 1, cached: false, message: "" },
    });
    await expect.poll(async () => (await get(alice, id)).body["state"]).toBe("FINISHED");
    const own = await get(alice, id, "", { "if-none-match": etag });
    expect(own).toMatchObject({ status: 200, body: { verdict: "WA", testsDone: 1, owner: "alice" } });
    const forAll = {
      teamMessage: "look again",
      rerunAlone: { reason: "nearLimit", firstCpuMs: 4, firstWallMs: 5 },
    };
    const forJury = {
      exit: "exit code 7",
      errorOutput: "it went wrong",
      judgeMessage: "line 1 differs",
      transcript: "< 1",
    };
    const plain = { name: "secret/1", verdict: "WA", cpuMs: 1, wallMs: 2, memoryKiB: 3 };
    expect(own.body["tests"]).toEqual([{ ...plain, ...forAll }]);
    expect((await get(jury, id)).body["tests"]).toEqual([{ ...plain, ...forAll, ...forJury }]);
  });

  it("waits for a newer state when asked to", async () => {
    const id = await submitted(server.url, alice, "sum");
    const now = await get(alice, id);
    let revision = Number(now.body["revision"]);
    const held = await takeFor(id);
    const short = await get(alice, id, "?afterRevision=99999999&waitMs=50");
    expect(["PENDING", "QUEUED"]).toContain(short.body["state"]);
    await held.started();
    const seen: unknown[] = [];
    for (let state: unknown = "QUEUED"; state !== "RUNNING"; seen.push(state)) {
      const next = await get(alice, id, `?afterRevision=${revision}&waitMs=30000`);
      expect(Number(next.body["revision"])).toBeGreaterThan(revision);
      revision = Number(next.body["revision"]);
      state = next.body["state"];
    }
    await held.finished({ testsTotal: 0, tests: [], verdict: "AC", cpuMs: 0, memoryKiB: 0 });
    expect((await get(alice, id, `?afterRevision=${revision}&waitMs=30000`)).body["state"]).toBe("FINISHED");
    // Final: there will be nothing newer, so it does not wait.
    expect((await get(alice, id, "?afterRevision=99999999&waitMs=30000")).body["state"]).toBe("FINISHED");
  });

  it("hides other people's, answers 404 for no id at all and 400 for a wrong wait", async () => {
    const id = await submitted(server.url, alice, "sum");
    const others = await get(bob, id);
    expect(others).toMatchObject({ status: 404, body: { code: "SUBMISSION_NOT_FOUND" } });
    const none = await get(bob, id.replace(/.$/, id.endsWith("0") ? "1" : "0"));
    expect(none.status).toBe(404);
    expect((await get(bob, "nothing")).status).toBe(404);
    expect(await get(alice, id, "?waitMs=-1")).toMatchObject({
      status: 400,
      body: { code: "INPUT_INVALID" },
    });
    expect((await get(alice, id, "?waitMs=999999999")).status).toBe(400);
    expect((await get(alice, id, "?waitMs=10&afterRevision=x")).status).toBe(400);
  });
});

/** The job of this submission; others that wait in the queue are judged on the way. */
async function takeFor(id: string) {
  for (;;) {
    const held = await server.holder.take("python");
    if (held.job.submission === id) return held;
    await held.finished({ testsTotal: 0, tests: [], verdict: "AC", cpuMs: 0, memoryKiB: 0 });
  }
}
