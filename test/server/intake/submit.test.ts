import { describe, expect, it } from "vitest";
import type { SubmitOutcome } from "../../../src/server/intake/outcome.ts";
import { ProblemId } from "../../../src/shared/ids.ts";
import { DEFAULT_LIMITS as LIMITS } from "../../../src/shared/limits.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, openPair, PROBLEM, program, putProblem, type Server, until } from "../rig.ts";

const ns = namespace();

const { server, other, wire } = await openPair(ns);

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const idOf = (outcome: SubmitOutcome): string =>
  outcome.type === "accepted" ? outcome.snapshot.submission._id : outcome.code;

describe("what is refused", () => {
  const cases: [string, Parameters<Server["backbone"]["submit"]>[0], string, RegExp][] = [
    ["an unknown problem", program({ problem: "nothing" }), "PROBLEM_NOT_FOUND", /"nothing"/],
    ["a problem id that cannot be", program({ problem: "../x" }), "PROBLEM_NOT_FOUND", /problems/],
    ["an unknown language", program({ language: "cobol" }), "LANGUAGE_NOT_OFFERED", /python/],
    ["no files", { ...program(), files: [] }, "SOURCE_EMPTY", /files/],
    [
      "only empty files",
      { ...program(), files: [{ name: "a.py", content: bytes("") }] },
      "SOURCE_EMPTY",
      /empty/,
    ],
    [
      "more than the server takes",
      program({ source: "x".repeat(LIMITS.sourceBytes + 1) }),
      "SOURCE_TOO_LARGE",
      new RegExp(String(LIMITS.sourceBytes)),
    ],
    [
      "more than the problem takes",
      program({ source: "x".repeat(70_000) }),
      "SOURCE_TOO_LARGE",
      /the problem.*65536/,
    ],
    [
      "too many files",
      {
        ...program(),
        files: Array.from({ length: LIMITS.sourceFiles + 1 }, (_, i) => ({
          name: `f${i}.py`,
          content: bytes("1"),
        })),
      },
      "TOO_MANY_FILES",
      new RegExp(String(LIMITS.sourceFiles)),
    ],
    [
      "a path as file name",
      { ...program(), files: [{ name: "../main.py", content: bytes("1") }] },
      "FILE_NAME_INVALID",
      /without folders/,
    ],
    [
      "a long file name",
      { ...program(), files: [{ name: "n".repeat(LIMITS.fileNameCharacters + 1), content: bytes("1") }] },
      "FILE_NAME_INVALID",
      new RegExp(String(LIMITS.fileNameCharacters)),
    ],
    [
      "a hidden file",
      { ...program(), files: [{ name: ".x", content: bytes("1") }] },
      "FILE_NAME_INVALID",
      /"\.x"/,
    ],
    [
      "the same name twice",
      {
        ...program(),
        files: [
          { name: "a.py", content: bytes("1") },
          { name: "a.py", content: bytes("2") },
        ],
      },
      "FILE_NAME_INVALID",
      /twice/,
    ],
    ["an empty key", program({ idempotencyKey: "" }), "INPUT_INVALID", /idempotencyKey/],
    [
      "a long key",
      program({ idempotencyKey: "k".repeat(LIMITS.idempotencyKeyCharacters + 1) }),
      "INPUT_INVALID",
      new RegExp(String(LIMITS.idempotencyKeyCharacters)),
    ],
    ["an entry point that is a path", { ...program(), entryPoint: "a/b" }, "INPUT_INVALID", /entryPoint/],
    ["the contest lane for a participant", program({ lane: "contest" }), "FORBIDDEN", /contest/],
  ];
  it.each(cases)("%s", async (_, input, code, words) => {
    const outcome = await server.backbone.submit(input);
    expect(outcome).toMatchObject({ type: "refused", code });
    if (outcome.type === "refused") expect(outcome.message).toMatch(words);
  });

  it("stores nothing of it", async () => {
    expect(await server.store.snapshots.page({ first: 10 })).toEqual([]);
  });
});

describe("what is accepted", () => {
  it("lets the jury choose the lane, and names a single nameless file", async () => {
    const outcome = await server.backbone.submit({
      ...program({ role: "jury", lane: "contest" }),
      files: [{ name: "", content: bytes("print(1)") }],
    });
    if (outcome.type !== "accepted") throw new Error(outcome.message);
    expect(outcome.snapshot.submission).toMatchObject({
      lane: "contest",
      files: [{ name: "main.py", sizeBytes: 8 }],
    });
    expect((await wire.executor("e1").take("python", "contest")).job.submission).toBe(
      outcome.snapshot.submission._id,
    );
  });

  it("is QUEUED soon, without an executor", async () => {
    const { submission } = await accepted(server, { language: "go" });
    const queued = await until(server, submission._id, (snapshot) => snapshot.judgement.state === "QUEUED");
    expect(queued.judgement.dispatch).toBe(1);
  });

  it("can be read back, sources included", async () => {
    const { submission } = await accepted(server, { source: "print('ü')", language: "go" });
    const snapshot = await server.store.snapshots.get(submission._id);
    expect(snapshot?.submission).toMatchObject({ owner: "ann", problem: PROBLEM, language: "go" });
    const sha256 = snapshot?.submission.files[0]?.sha256;
    if (sha256 === undefined) throw new Error("no file");
    expect(new TextDecoder().decode(await server.store.blobs.read(sha256))).toBe("print('ü')");
  });
});

describe("the idempotency key", () => {
  it("gives one submission to two hundred at once, on two servers", async () => {
    const input = program({ idempotencyKey: "storm", source: "print('storm')", language: "rust" });
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? server : other).backbone.submit(input)),
    );
    expect(new Set(outcomes.map(idOf)).size).toBe(1);
    expect(outcomes.filter((outcome) => outcome.type === "accepted" && !outcome.replayed)).toHaveLength(1);
    const stored = await server.store.snapshots.page({ owner: "ann", language: "rust", first: 10 });
    expect(stored).toHaveLength(1);
    // One job only, and no judgement left over from the losers.
    const executor = wire.executor("e1");
    expect((await executor.take("rust")).job.submission).toBe(stored[0]?.submission._id);
    expect(await executor.pull("rust")).toBeUndefined();
    expect(await server.store.judgements.oldPending(new Date(Date.now() + 1000), 100)).not.toContainEqual(
      expect.objectContaining({ language: "rust", dispatch: 0 }),
    );
  });

  it("gives the same submission when the problem has come to need a device since", async () => {
    const problem = ProblemId.parse("device");
    await putProblem(server.store, problem);
    const input = program({ problem, idempotencyKey: "device", source: "print(3)" });
    const first = await server.backbone.submit(input);
    const stored = await server.store.problems.get(problem);
    if (stored === undefined) throw new Error("the problem is not there");
    await server.store.problems.put({ ...stored, resource: "gpu" });
    // Another server: this one knows the problem as it was for a moment longer.
    const fresh = await other.backbone.submit(program({ problem, source: "print(3)" }));
    expect(fresh).toMatchObject({ snapshot: { submission: { language: "python-gpu" } } });
    const again = await other.backbone.submit(input);
    expect(again).toMatchObject({ type: "accepted", replayed: true });
    expect(idOf(again)).toBe(idOf(first));
  });

  it("refuses the same key with another content, and takes it from another owner", async () => {
    const first = await server.backbone.submit(program({ idempotencyKey: "k", source: "print(1)" }));
    const again = await server.backbone.submit(program({ idempotencyKey: "k", source: "print(1)" }));
    expect(again).toMatchObject({ type: "accepted", replayed: true });
    expect(idOf(again)).toBe(idOf(first));
    const changed = await server.backbone.submit(program({ idempotencyKey: "k", source: "print(2)" }));
    expect(changed).toMatchObject({ type: "refused", code: "IDEMPOTENCY_CONFLICT" });
    const bob = await server.backbone.submit(
      program({ idempotencyKey: "k", source: "print(2)", owner: "bob" }),
    );
    expect(bob).toMatchObject({ type: "accepted", replayed: false });
  });
});
