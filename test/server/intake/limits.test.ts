import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SubmitOutcome, Wait } from "../../../src/server/intake/outcome.ts";
import { checkSaturation } from "../../../src/server/intake/saturation.ts";
import type { ContestId } from "../../../src/shared/ids.ts";
import type { Lane } from "../../../src/shared/lane.ts";
import { DEFAULT_LIMITS, type LimitName, type Limits } from "../../../src/shared/limits.ts";
import { createLog } from "../../../src/shared/log.ts";
import { loadWorkload } from "../../../src/shared/workload.ts";
import { namespace } from "../../support/namespace.ts";
import { openSuite, PROBLEM, program } from "../rig.ts";

const ns = namespace();
const LIMITS = { contestBurst: 3, contestPerSecond: 1, workInputBytes: 40, workFileBytes: 100 };
const EXAMPLES = join(import.meta.dirname, "../../../examples/workloads");
const workloads = await Promise.all(["sleep", "thumbnail"].map((name) => loadWorkload(join(EXAMPLES, name))));
const { server } = await openSuite(ns, {
  limits: LIMITS,
  workloads,
  topology: { ...ns.topology, works: workloads.map(({ name }) => name) },
});

/** How often a limit has turned somebody away, as /metrics tells. */
async function refusals(limit: LimitName): Promise<number> {
  const found = await server.registry.getSingleMetric("docket_refused_total")?.get();
  return found?.values.find(({ labels }) => labels["limit"] === limit)?.value ?? 0;
}

const codes = (outcomes: readonly SubmitOutcome[]): string[] =>
  outcomes.map((outcome) => (outcome.type === "refused" ? outcome.code : "ACCEPTED"));

describe("a contest", () => {
  it("takes a burst of contestBurst, of all its owners together, and then contestPerSecond", async () => {
    const at = new Date();
    await server.store.contests.insert({
      _id: "rush" as ContestId,
      name: "Rush",
      startsAt: new Date(at.getTime() - 60_000),
      endsAt: new Date(at.getTime() + 3_600_000),
      problems: [PROBLEM],
      version: 1,
      createdBy: "chief",
      createdAt: at,
      updatedAt: at,
    });
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        server.backbone.submit({ ...program({ owner: `team${i}` }), contest: "rush" }),
      ),
    );
    const refused = outcomes.filter((outcome) => outcome.type === "refused");
    // While the twenty are under way one or two more may have come in by the second.
    expect(outcomes.length - refused.length).toBeGreaterThanOrEqual(LIMITS.contestBurst);
    expect(refused.length).toBeGreaterThan(10);
    for (const one of refused) {
      expect(one).toMatchObject({ code: "RATE_LIMITED", limit: LIMITS.contestBurst });
      // At one a second the next place is there within one.
      expect(one.retryAfterMs).toBeGreaterThan(0);
      expect(one.retryAfterMs).toBeLessThanOrEqual(1_000 / LIMITS.contestPerSecond);
    }
    expect(await refusals("contestBurst")).toBe(refused.length);
    expect(await refusals("ownerBurst")).toBe(0);
  });
});

describe("other work than judging", () => {
  const hand = async (kind: "sleep" | "thumbnail", input: object, bytes?: number): Promise<SubmitOutcome> =>
    await server.backbone.submitWork({
      owner: "ann",
      role: "participant",
      kind,
      input,
      files: bytes === undefined ? [] : [{ name: "a.png", content: new Uint8Array(bytes) }],
    });

  it("has no more input than workInputBytes", async () => {
    const fault = (characters: number): object => ({ ms: 0, fault: "x".repeat(characters) });
    const room = LIMITS.workInputBytes - JSON.stringify(fault(0)).length;
    expect(codes([await hand("sleep", fault(room))])).toEqual(["ACCEPTED"]);
    expect(await hand("sleep", fault(room + 1))).toMatchObject({
      code: "INPUT_INVALID",
      limit: LIMITS.workInputBytes,
      message: expect.stringContaining("workInputBytes") as string,
    });
    expect(await refusals("workInputBytes")).toBe(1);
  });

  it("has no more bytes of files than workFileBytes", async () => {
    expect(codes([await hand("thumbnail", { widthPx: 8 }, LIMITS.workFileBytes)])).toEqual(["ACCEPTED"]);
    expect(await hand("thumbnail", { widthPx: 8 }, LIMITS.workFileBytes + 1)).toMatchObject({
      code: "SOURCE_TOO_LARGE",
      limit: LIMITS.workFileBytes,
    });
    expect(await refusals("workFileBytes")).toBe(1);
  });
});

describe("what would wait too long", () => {
  const MARKS: Partial<Limits> = {
    contestSoftWaitMs: 10_000,
    contestHardWaitMs: 20_000,
    practiceSoftWaitMs: 30_000,
    practiceHardWaitMs: 40_000,
    customSoftWaitMs: 50_000,
    customHardWaitMs: 60_000,
    laneWaiting: 70,
  };
  const limits = { ...DEFAULT_LIMITS, ...MARKS };
  const ask = (lane: Lane, wait: Wait, role: "participant" | "jury" = "participant") =>
    checkSaturation(
      { limits, waitOfNew: () => Promise.resolve(wait), log: createLog("test", "silent") },
      { place: { language: "python", lane }, owner: "ann", role },
    );

  it.each([
    ["contest", limits.contestSoftWaitMs, "contestHardWaitMs"],
    ["practice", limits.practiceSoftWaitMs, "practiceHardWaitMs"],
    ["custom", limits.customSoftWaitMs, "customHardWaitMs"],
  ] as const)(
    "is told so past the soft limit of %s, and refused past the hard one",
    async (lane, soft, hard) => {
      const after = (waitMs: number) => ask(lane, { position: 2, waitMs });
      expect(await after(soft)).toEqual({ delayedFeedback: false });
      expect(await after(soft + 1)).toEqual({ delayedFeedback: true });
      expect(await after(limits[hard])).toEqual({ delayedFeedback: true });
      expect(await after(limits[hard] + 5_000)).toMatchObject({
        code: "QUEUE_SATURATED",
        limit: limits[hard],
        limitName: hard,
        retryAfterMs: 5_000,
      });
      expect(await ask(lane, { position: 2, waitMs: limits[hard] + 5_000 }, "jury")).toEqual({
        delayedFeedback: true,
      });
    },
  );

  it("is refused by count past laneWaiting, though nobody can tell a time", async () => {
    const at = (position: number) => ask("practice", { position, waitMs: undefined });
    expect(await at(limits.laneWaiting)).toEqual({ delayedFeedback: false });
    expect(await at(limits.laneWaiting + 1)).toMatchObject({
      code: "QUEUE_SATURATED",
      limit: limits.laneWaiting,
      limitName: "laneWaiting",
    });
  });
});
