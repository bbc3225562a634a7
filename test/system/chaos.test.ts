import { expect, test } from "vitest";
import { chaos } from "../../bench/chaos/chaos.ts";
import { holds, longestPause } from "../../bench/chaos/report.ts";
import { strikes } from "../../bench/chaos/schedule.ts";

test("the same seed is the same schedule", () => {
  const first = (seed: number) => strikes({ seed, everyMs: 5_000 }).take(200).toArray();
  expect(first(1)).toEqual(first(1));
  expect(first(1)).not.toEqual(first(2));
  expect(new Set(first(1).map(({ deed }) => deed)).size).toBe(12);
});

test("a pause of the intake is one only while somebody waits", () => {
  const one = (askedAtMs: number, atMs: number) => ({ askedAtMs, atMs });
  expect(longestPause([])).toBe(0);
  expect(longestPause([one(0, 10), one(9_000, 9_020)])).toBe(20);
  expect(longestPause([one(0, 10), one(5, 4_000), one(100, 4_100)])).toBe(3_990);
});

test("brokers that lose their disks under a full queue: all is judged, each once", async () => {
  const lines: string[] = [];
  const report = await chaos({
    submissions: 60,
    forMs: 60_000,
    everyMs: 1,
    seed: 3,
    perSecond: 100,
    cluster: false,
    wipeBroker: true,
    tell: (line) => void lines.push(line),
  });
  expect(holds(report), `${lines.join("\n")}\n${JSON.stringify(report, undefined, 1)}`).toBe(true);
  expect(report).toMatchObject({ submissions: 60, failed: 0 });
  expect(report.unfinishedAtWipe).toBeGreaterThan(50);
}, 300_000);

test("under a hail of kills, stops and broken connections nothing is lost, judged twice, wrong or left over", async () => {
  const lines: string[] = [];
  const report = await chaos({
    submissions: 300,
    // On a loaded machine there are fewer, so that it takes two minutes in any case.
    forMs: 75_000,
    everyMs: 3_000,
    // Its first four strikes befall a part of each kind.
    seed: 48,
    perSecond: 10,
    cluster: false,
    wipeBroker: false,
    tell: (line) => void lines.push(line),
  });
  expect(holds(report), `${lines.join("\n")}\n${JSON.stringify(report, undefined, 1)}`).toBe(true);
  expect(report.submissions).toBeGreaterThan(100);
  expect(report.recovered).toBeGreaterThan(0);
  // Every kind of verdict was among them, and a part of each kind was struck.
  expect(Object.keys(report.verdicts)).toEqual(expect.arrayContaining(["AC", "WA", "TLE", "RTE", "CE"]));
  for (const part of ["Executor", "Server", "Broker", "Database"]) {
    expect(Object.keys(report.strikes).join(), part).toContain(part);
  }
}, 400_000);
