import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import { namespace } from "../../support/namespace.ts";
import { bearer, graphql, refusals } from "./client.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

const space = namespace();
const namespaceOfDepth = namespace();
let server: TestServer;
let alice: string;
let jury: string;

beforeAll(async () => {
  server = await startTestServer(space, {
    limits: {
      requestBytes: 20_000,
      queryCharacters: 12_000,
      packageBytes: 50_000,
      queryComplexity: 500,
      pageSize: 30,
    },
  });
  alice = await server.key("alice");
  jury = await server.key("judge", "jury");
});
afterAll(() => server.stop());

/** A body whose length is not told; the option is missing in the types of fetch. */
const streamed = (body: string): RequestInit =>
  Object.assign({ body: new Blob([body]).stream() }, { duplex: "half" });

function upload(key: string | undefined, bytes: number): Promise<Response> {
  const form = new FormData();
  const query =
    "mutation ($file: File!) { importProblem(input: { archive: $file }) { __typename ... on UserError { code } } }";
  form.append("operations", JSON.stringify({ query, variables: { file: null } }));
  form.append("map", JSON.stringify({ "0": ["variables.file"] }));
  form.append("0", new Blob([Buffer.alloc(bytes, "x")]), "package.zip");
  return fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: key === undefined ? {} : bearer(key),
    body: form,
  });
}

describe("limits of GraphQL", () => {
  it("refuses a body that is too large, told in advance or found out", async () => {
    const body = JSON.stringify({ query: `{ __typename } # ${"x".repeat(30_000)}` });
    const headers = { "content-type": "application/json", ...bearer(alice) };
    const told = await fetch(`${server.url}/graphql`, { method: "POST", headers, body });
    expect(told.status).toBe(413);
    expect(await told.json()).toMatchObject({ errors: [{ extensions: { code: "REQUEST_TOO_LARGE" } }] });
    const found = await fetch(`${server.url}/graphql`, {
      method: "POST",
      headers,
      ...streamed(body),
    });
    expect(found.status).toBe(413);
  });

  it("refuses a document that is too deep or costs too much", async () => {
    const ask = async (query: string) => (await graphql(server.url, alice, query)).codes;
    expect(await ask("{ submissions { edges { node { judgement { deadLetter { code } } } } } }")).toEqual([]);
    const fragment = "fragment F on Submission { judgement { tries { executor } } }";
    expect(await ask(`{ submissions { edges { node { ...F } } } } ${fragment}`)).toEqual([]);
    expect(await ask("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }")).toEqual(
      [],
    );
    const costly = "{ submissions(first: 30) { edges { node { tests { name verdict cpuMs } } } } }";
    expect(await ask(costly)).toEqual(["QUERY_TOO_COMPLEX"]);
    const aliases = Array.from({ length: 100 }, (_, i) => `a${i}: problems { edges { node { id } } }`);
    expect(new Set(await ask(`{ ${aliases.join(" ")} }`))).toEqual(new Set(["QUERY_TOO_COMPLEX"]));
    expect(await refusals(server, "queryComplexity")).toBeGreaterThanOrEqual(2);
  });

  it("refuses a document that is one level too deep", async () => {
    const deep = "{ submissions { edges { node { problem { id } } } } }";
    const shallow = await startTestServer(namespaceOfDepth, { limits: { queryDepth: 4 } });
    try {
      const key = await shallow.key("alice");
      const answer = await graphql(shallow.url, key, deep);
      expect(answer.codes).toEqual(["QUERY_TOO_COMPLEX"]);
      expect(answer.errors[0]?.message).toContain("5 levels deep; the limit queryDepth is 4");
      expect(answer.errors[0]?.extensions).toMatchObject({ limit: "queryDepth" });
      expect(await refusals(shallow, "queryDepth")).toBe(1);
    } finally {
      await shallow.stop();
    }
  });

  it("refuses a document that is too long, over HTTP in both ways, before it is remembered", async () => {
    const query = `{ __typename } # ${"x".repeat(13_000)}`;
    expect((await graphql(server.url, alice, query)).codes).toEqual(["QUERY_TOO_COMPLEX"]);
    const other = await fetch(`${server.url}/graphql`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/graphql-response+json",
        ...bearer(alice),
      },
      body: JSON.stringify({ query }),
    });
    expect(await other.json()).toMatchObject({ errors: [{ extensions: { code: "QUERY_TOO_COMPLEX" } }] });
    expect(await refusals(server, "queryCharacters")).toBe(2);
    expect((await graphql(server.url, alice, "{ __typename }")).codes).toEqual([]);
  });

  it("refuses a document of very many tokens without parsing the whole of it", async () => {
    const answer = await graphql(server.url, alice, `{ ${"a ".repeat(DEFAULT_LIMITS.queryTokens + 1)} }`);
    expect(answer.data).toBeUndefined();
    expect(answer.errors[0]?.message).toContain("tokens");
    expect(await refusals(server, "queryTokens")).toBe(1);
  });

  it("refuses pages that are too large or empty", async () => {
    for (const first of [0, -1, 31]) {
      const answer = await graphql(server.url, alice, `{ problems(first: ${first}) { edges { cursor } } }`);
      expect(answer.codes, String(first)).toEqual(["INPUT_INVALID"]);
    }
  });

  it("answers mistakes in a document without a hint of our insides", async () => {
    const answer = await graphql(server.url, alice, "{ nothing }");
    expect(answer.errors[0]?.message).toContain("nothing");
    expect(JSON.stringify(answer.errors)).not.toContain("node_modules");
  });
});

describe("archive uploads", () => {
  it("are not even read for those who may not import", async () => {
    expect((await upload(undefined, 100)).status).toBe(401);
    expect((await upload(alice, 100)).status).toBe(403);
  });

  it("are held to packageBytes instead of requestBytes", async () => {
    expect((await upload(jury, 200_000)).status).toBe(413);
    const answer = await upload(jury, 40_000);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      data: { importProblem: { __typename: "PackageRefused", code: "PACKAGE_REFUSED" } },
    });
  });

  it("can be base64 where they are small", async () => {
    const query = `mutation ($text: String!) { importProblem(input: { archiveBase64: $text }) {
      __typename ... on PackageRefused { message findings { severity message } } } }`;
    const answer = await graphql(server.url, jury, query, {
      text: Buffer.from("no archive").toString("base64"),
    });
    expect(answer.data).toMatchObject({ importProblem: { __typename: "PackageRefused" } });
    expect(
      (
        await graphql(
          server.url,
          alice,
          'mutation { importProblem(input: { archiveBase64: "" }) { __typename } }',
        )
      ).data,
    ).toEqual({ importProblem: { __typename: "Forbidden" } });
  });
});
