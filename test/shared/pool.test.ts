import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/executors/config.ts";
import { EnvironmentError } from "../../src/shared/env.ts";
import { LANES, lanesAsText, lanesFromText, lanesOf, usualWeights } from "../../src/shared/lane.ts";
import { LANGUAGE_IDS, LANGUAGES } from "../../src/shared/language.ts";
import { type PoolSetup, poolEnvironment, PoolName } from "../../src/shared/pool.ts";

const some = fc.subarray([...LANES], { minLength: 1 });

const setup = fc
  .record({
    lanes: some.map(usualWeights),
    slots: fc.integer({ min: 1, max: 64 }),
    more: fc.nat(64),
    gpu: fc.boolean(),
  })
  .map(({ lanes, slots, more, gpu }): PoolSetup => ({
    pool: PoolName.parse("a-pool"),
    languages: LANGUAGE_IDS.filter((id) => (LANGUAGES[id].resource === "gpu") === gpu),
    workloads: gpu ? [] : ["/srv/sleep"],
    lanes,
    slots,
    mostSlots: slots + more,
    contestReserved: slots - 1,
    profile: gpu ? "gpu" : "compile-heavy",
    ...(gpu ? { gpu: { devices: ["/dev/nvidia0", "/dev/dri/card0"], probe: ["nvidia-smi", "-L"] } } : {}),
  }));

const others = {
  DOCKET_EXECUTOR_ID: "e1",
  NATS_URL: "nats://127.0.0.1:1",
  DOCKET_SERVER_URL: "http://127.0.0.1:1",
  DOCKET_WORK_DIR: "/tmp/e1",
};

test("an executor reads from its environment the pool that it was given", () => {
  fc.assert(
    fc.property(setup, (given) => {
      expect(readConfig({ ...others, ...poolEnvironment(given) })).toMatchObject(given);
    }),
  );
});

describe("a pool that cannot be", () => {
  const pool = {
    ...others,
    DOCKET_POOL: "a",
    DOCKET_LANES: "practice",
    DOCKET_SLOTS: "2",
    DOCKET_LANGUAGES: "c",
  };
  test.each([
    [{ DOCKET_LANES: "express" }, "DOCKET_LANES: expected lanes such as contest=4,practice=1"],
    [{ DOCKET_LANES: "contest=4,practice" }, "DOCKET_LANES: expected lanes such as"],
    [{ DOCKET_LANES: "contest=101" }, "DOCKET_LANES: expected weights from 0 to 100"],
    [{ DOCKET_LANGUAGES: "" }, "DOCKET_LANGUAGES: expected at least one (or a workload)"],
    [{ DOCKET_CONTEST_RESERVED: "3" }, "DOCKET_CONTEST_RESERVED: expected at most the 2 slots"],
    [{ DOCKET_MOST_SLOTS: "1" }, "DOCKET_MOST_SLOTS: expected at least the 2 slots"],
    [{ DOCKET_LANGUAGES: "python-gpu" }, "DOCKET_LANGUAGES: python-gpu: only in a pool of the profile gpu"],
    [{ DOCKET_PROFILE: "gpu" }, "DOCKET_GPU_DEVICES: expected devices"],
    [{ DOCKET_GPU_DEVICES: "/etc/passwd" }, "DOCKET_GPU_DEVICES.0: expected a path below /dev"],
    [{ DOCKET_GPU_PROBE: "nvidia-smi -L" }, "DOCKET_GPU_PROBE: expected a command as a JSON list"],
  ])("%j is told by its variable", (wrong, words) => {
    expect(() => readConfig({ ...pool, ...wrong })).toThrow(EnvironmentError);
    expect(() => readConfig({ ...pool, ...wrong })).toThrow(words);
  });
});

test("lanes are written as they are read", () => {
  fc.assert(
    fc.property(some, fc.array(fc.nat(100), { minLength: 4, maxLength: 4 }), (lanes, weights) => {
      const given = Object.fromEntries(lanes.map((lane, at) => [lane, weights[at] ?? 0]));
      expect(lanesFromText(lanesAsText(given))).toEqual(given);
      expect(lanesFromText(lanes.join(" , "))).toEqual(usualWeights(lanes));
      expect(lanesOf(given)).toEqual(lanes);
    }),
  );
});
