import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCapability, readCapability } from "../../../src/shared/capability.ts";
import { judgementId, Sha256, SubmissionId } from "../../../src/shared/ids.ts";
import { type ManifestProgram, ProblemManifest } from "../../../src/shared/judging.ts";
import { namespace } from "../../support/namespace.ts";
import { bearer, submit } from "./client.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

const space = namespace();
let server: TestServer;
let alice: string;
let sum: Awaited<ReturnType<TestServer["problem"]>>;
let other: Awaited<ReturnType<TestServer["problem"]>>;
/** Of a real job of the problem `sum`. */
let capability: string;

beforeAll(async () => {
  server = await startTestServer(space);
  alice = await server.key("alice", "admin");
  sum = await server.problem("sum");
  other = await server.problem("other");
  await submit(server.url, alice, { problem: "sum", language: "python", source: "print(1)\n" });
  const held = await server.holder.take("python");
  capability = held.job.capability;
});
afterAll(() => server.stop());

const fetchBlob = (name: string, authorization: string | undefined): Promise<Response> =>
  fetch(`${server.url}/blobs/${name}`, authorization === undefined ? {} : { headers: { authorization } });

const claims = () => {
  const read = readCapability(server.capabilitySecret, capability);
  if (read === undefined) throw new Error("the job's capability is not one of this server");
  return read;
};

describe("GET /blobs/<sha256>", () => {
  it("gives a job's sources, manifest, tests, whole and for ever", async () => {
    const source = createHash("sha256").update("print(1)\n").digest("hex");
    for (const name of [source, sum.manifest, sum.input, sum.answer]) {
      const response = await fetchBlob(name, `Bearer ${capability}`);
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toBe("private, max-age=31536000, immutable");
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(name);
      expect(Number(response.headers.get("content-length"))).toBe(bytes.length);
    }
  });

  it("streams large ones", async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, "x");
    const name = await server.store.blobs.put(large);
    const wider = issueCapability(server.capabilitySecret, { ...claims(), blobs: [name] });
    const response = await fetchBlob(name, `Bearer ${wider}`);
    expect(Buffer.from(await response.arrayBuffer()).equals(large)).toBe(true);
  });

  it.each(["input", "answer", "manifest"] as const)("refuses another problem's %s", async (which) => {
    expect((await fetchBlob(other[which], `Bearer ${capability}`)).status).toBe(403);
  });

  it("refuses what a source file names that looks like a manifest", async () => {
    const manifest = await server.store.blobs.read(other.manifest);
    const text = new TextDecoder().decode(manifest);
    await submit(server.url, alice, { problem: "sum", language: "python", source: text });
    const held = await server.holder.take("python");
    const bearerOfCopy = `Bearer ${held.job.capability}`;
    expect((await fetchBlob(other.manifest, bearerOfCopy)).status).toBe(200);
    expect((await fetchBlob(other.input, bearerOfCopy)).status).toBe(403);
  });

  it("opens the newer version's tests to a submission that is judged again", async () => {
    // This server has answered the first judging's requests.
    expect((await fetchBlob(sum.input, `Bearer ${capability}`)).status).toBe(200);
    const { submission } = claims();
    await server.store.submissions.pointTo({ id: submission, generation: 2, manifest: other.manifest });
    const again = issueCapability(server.capabilitySecret, {
      ...claims(),
      generation: 2,
      blobs: [other.manifest],
    });
    expect((await fetchBlob(other.input, `Bearer ${again}`)).status).toBe(200);
  });

  it("opens the tests that a rejudge judges by, which its submission does not point to until it is applied", async () => {
    const { submission } = claims();
    const first = await server.store.judgements.get(judgementId(submission, 1));
    if (first === undefined) throw new Error("it has no judgement");
    const third = await server.problem("third");
    await server.store.judgements.insert({
      ...first,
      _id: judgementId(submission, 4),
      generation: 4,
      manifest: third.manifest,
    });
    const rejudge = issueCapability(server.capabilitySecret, {
      ...claims(),
      generation: 4,
      blobs: [third.manifest],
    });
    expect((await fetchBlob(third.input, `Bearer ${rejudge}`)).status).toBe(200);
  });

  it("opens all that a manifest names: programs that judge, included code, files of tests", async () => {
    const put = async (text: string) => await server.store.blobs.put(Buffer.from(text));
    const names = await Promise.all(["interactor", "checker", "included", "of a test"].map(put));
    const [files = [], checked = [], included = [], beside = []] = names.map((sha256) => [
      { name: "x.py", sha256, sizeBytes: 1 },
    ]);
    const bytes = await server.store.blobs.read(sum.manifest);
    const plain = ProblemManifest.parse(JSON.parse(new TextDecoder().decode(bytes)));
    const program = (named: ManifestProgram["files"]): ManifestProgram => ({
      type: "custom",
      args: [],
      language: "python",
      files: named,
    });
    const manifest = await put(
      JSON.stringify({
        ...plain,
        tests: plain.tests.map((test) => ({ ...test, files: beside })),
        include: { python: included },
        validator: program(files),
        checker: program(checked),
      } satisfies ProblemManifest),
    );
    const { submission } = claims();
    await server.store.submissions.pointTo({ id: submission, generation: 3, manifest });
    const wide = issueCapability(server.capabilitySecret, { ...claims(), generation: 3, blobs: [manifest] });
    for (const name of names) expect((await fetchBlob(name, `Bearer ${wide}`)).status).toBe(200);
  });

  it("refuses claims whose submission does not exist", async () => {
    const made = issueCapability(server.capabilitySecret, {
      ...claims(),
      submission: SubmissionId.parse("0".repeat(26)),
    });
    expect((await fetchBlob(sum.input, `Bearer ${made}`)).status).toBe(403);
  });

  it("refuses everything that is no capability of this server", async () => {
    const body = capability.slice(0, capability.indexOf("."));
    const forged = issueCapability("another secret of thirty-two characters", claims());
    const widened = Buffer.from(JSON.stringify({ ...claims(), blobs: [other.input] })).toString("base64url");
    const wrong = [
      undefined,
      "Bearer x",
      `Bearer ${body}`,
      `Bearer ${body}.`,
      `Bearer ${forged}`,
      `Bearer ${widened}${capability.slice(capability.indexOf("."))}`,
      bearer(alice).authorization,
    ];
    for (const authorization of wrong) {
      expect((await fetchBlob(sum.input, authorization)).status, authorization).toBe(401);
    }
  });

  it("answers 404 for what is no name, and for a blob that is not there", async () => {
    const missing = Sha256.parse("0".repeat(64));
    const wider = issueCapability(server.capabilitySecret, { ...claims(), blobs: [missing] });
    expect((await fetchBlob(missing, `Bearer ${wider}`)).status).toBe(404);
    expect((await fetchBlob("..%2f..%2fetc%2fpasswd", `Bearer ${capability}`)).status).toBe(404);
    expect((await fetchBlob(sum.input.toUpperCase(), `Bearer ${capability}`)).status).toBe(404);
  });
});
