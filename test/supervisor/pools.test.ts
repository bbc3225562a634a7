import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { LANGUAGE_IDS } from "../../src/shared/language.ts";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  checkRoom,
  planExecutors,
  scaleOf,
  PoolConfigError,
  readPools,
  withTheirDevices,
} from "../../src/supervisor/pools.ts";
import { freePort, PreflightError } from "../../src/supervisor/preflight.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-pools-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function read(text: string): Promise<unknown> {
  const path = join(folder, "docket.config.json");
  await writeFile(path, text);
  return await readPools(path).catch((error: unknown) => error);
}

describe("the pool configuration", () => {
  test("of the checkout is usable and covers every language, with a pool for contests alone", async () => {
    const pools = await readPools(join(import.meta.dirname, "../../docket.config.json"));
    const contest = pools.find(({ name }) => name === "contest");
    expect(contest?.lanes).toEqual({ contest: 4 });
    const others = pools.filter((pool) => pool !== contest);
    const languages = others.flatMap((pool) => (pool.languages ?? []).map(String)).toSorted();
    expect(languages).toEqual(LANGUAGE_IDS.toSorted());
    expect(new Set(pools.map(({ profile }) => profile))).toEqual(new Set(["cpu", "compile-heavy", "gpu"]));
  });

  test("reports all problems together, each with its place", async () => {
    const error = await read(
      JSON.stringify({
        pools: [
          { name: "A", languages: ["python"], slots: 0 },
          { name: "b", languages: ["cobol"], lanes: ["express"], executer: 2 },
          { name: "c", languages: ["c"], slots: 2, contestReserved: 2 },
          { name: "d", lanes: { contest: 101 } },
        ],
      }),
    );
    expect(error).toBeInstanceOf(PoolConfigError);
    const { message } = error as Error;
    for (const place of [
      "pools.0.name",
      "pools.0.slots",
      "pools.1.languages.0",
      'pools.1.lanes.0: Invalid option: expected one of "contest"|"practice"|"custom"|"rejudge"',
      "executer",
      "pools.3.lanes.contest: Too big: expected number to be <=100",
      "pools.3.languages: expected at least one (or a workload)",
    ]) {
      expect(message).toContain(place);
    }
  });

  test("must leave a slot for other lanes, and name each pool once", async () => {
    const reserved = await read('{"pools":[{"name":"a","languages":["c"],"slots":2,"contestReserved":2}]}');
    expect((reserved as Error).message).toContain("contestReserved must leave at least one slot");
    const twice = await read('{"pools":[{"name":"a","languages":["c"]},{"name":"a","languages":["go"]}]}');
    expect((twice as Error).message).toContain("two pools have one name");
  });

  test("that is no JSON, or is not there, is said so", async () => {
    expect(((await read("{")) as Error).message).toMatch(/docket\.config\.json cannot be read/);
    await expect(readPools(join(folder, "nowhere.json"))).rejects.toThrow(/nowhere\.json cannot be read/);
  });
});

const DEVICE = { devices: ["/dev/docket-not-here"] };
const needs = (profile: string) =>
  profile === "gpu" ? { languages: ["python-gpu" as const], gpu: DEVICE } : { languages: ["c" as const] };

test("a gpu pool names its devices, holds nothing else, and starts only where they are", async () => {
  const wrong = await read(
    JSON.stringify({
      pools: [
        { name: "a", languages: ["python-gpu", "c"], profile: "gpu" },
        { name: "b", languages: ["python-gpu"], gpu: { devices: ["/tmp/x"] } },
      ],
    }),
  );
  const { message } = wrong as Error;
  expect(message).toContain("pools.0.gpu: expected devices");
  expect(message).toContain("pools.0.languages: c would hold the device");
  expect(message).toContain("pools.1.gpu.devices.0: expected a path below /dev");
  const plans = planExecutors(
    [
      { name: "none", languages: ["python-gpu"], profile: "gpu", gpu: DEVICE },
      { name: "some", languages: ["python-gpu"], profile: "gpu", gpu: { devices: ["/dev/null"] } },
      { name: "plain", languages: ["c"] },
    ],
    "abcdef",
    2,
  );
  const present = await withTheirDevices(plans);
  expect(present.map((plan) => plan.pool)).toEqual(["some", "plain"]);
});

test("slots left out come from the core count and the profile", () => {
  const plan = (profile: "cpu" | "compile-heavy" | "gpu", cores: number, contestReserved = 0): number[] =>
    planExecutors([{ name: "p", ...needs(profile), profile, contestReserved }], "abcdef", cores).map(
      (executor) => executor.slots,
    );
  expect([plan("cpu", 2), plan("cpu", 8), plan("compile-heavy", 8), plan("gpu", 64)].flat()).toEqual([
    1, 4, 2, 1,
  ]);
  // Reserving all of them would leave the other lanes without any.
  expect(plan("cpu", 2, 1)).toEqual([2]);
});

test("a pool with scale has a plan for each executor it may grow to, and begins with some of them", async () => {
  const begin = (pool: { executors?: number; scale: { least?: number; most: number } }): boolean[] =>
    planExecutors([{ name: "p", languages: ["c"], ...pool }], "abcdef", 2).map(({ begins }) => begins);
  expect(begin({ scale: { most: 3 } })).toEqual([true, false, false]);
  expect(begin({ executors: 2, scale: { least: 2, most: 3 } })).toEqual([true, true, false]);
  const scale = { least: 2, most: 3, targetWaitSeconds: 5 };
  expect(
    scaleOf([
      { name: "p", languages: ["c"], scale },
      { name: "q", languages: ["go"] },
    ]),
  ).toEqual({ p: { ...scale, coolDownSeconds: 120 } });

  const wrong = await read(
    JSON.stringify({
      pools: [
        { name: "a", languages: ["c"], executors: 5, scale: { least: 1, most: 4 } },
        { name: "b", languages: ["c"], scale: { least: 5, most: 4 } },
        { name: "c", languages: ["c"], scale: { most: 33 } },
      ],
    }),
  );
  expect((wrong as Error).message).toContain("pools.0.executors: expected 1 to 4, as scale says");
  expect((wrong as Error).message).toContain("pools.1.scale.least: least is more than most");
  expect((wrong as Error).message).toContain("pools.2.scale.most: expected at most 32 on one machine");
});

test("more executors and slots than a machine has users for are refused before anything starts", () => {
  const plans = (slots: number, most: number) =>
    planExecutors([{ name: "p", languages: ["c"], slots, mostSlots: slots, scale: { most } }], "abcdef", 2);
  expect(() => checkRoom(plans(6, 32))).not.toThrow();
  expect(() => checkRoom(plans(7, 32))).toThrow("32 executors with 224 slots");
});

test("executor ids carry the stack's id", () => {
  const plans = planExecutors([{ name: "jvm", languages: ["java"], executors: 2 }], "abcdef", 2);
  expect(plans.map((plan) => plan.id)).toEqual(["jvm-1-abcdef", "jvm-2-abcdef"]);
});

test("a taken port is named, with what to do", async () => {
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, "127.0.0.1", () => {
      const address = holder.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  try {
    const error = await freePort("127.0.0.1", port).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PreflightError);
    expect((error as Error).message).toMatch(new RegExp(`Port ${port} .* is taken.*DOCKET_PORT`, "s"));
    expect(await freePort("127.0.0.1", 0)).toBeGreaterThan(0);
  } finally {
    holder.close();
  }
});
