import { expect, test } from "vitest";
import { growth, growthOfEach, type Sample, worst } from "../../bench/soak/growth.ts";
import { picture, roundUp } from "../../bench/soak/picture.ts";
import { rowsOf } from "../../bench/soak/print.ts";
import { soak } from "../../bench/soak/soak.ts";

const MIB = 2 ** 20;

/** A sample a minute for an hour; `server` as given, mongod always the same. */
const hour = (rssMiB: (minute: number) => number): Sample[] =>
  Array.from({ length: 60 }, (_, n) => ({
    atMinutes: n + 1,
    processes: [
      {
        name: "server",
        pid: 1,
        rssBytes: rssMiB(n + 1) * MIB,
        heapBytes: 30 * MIB,
        handles: 20,
        threads: 11,
      },
      { name: "mongod", pid: 2, rssBytes: 150 * MIB, heapBytes: undefined, handles: 50, threads: 30 },
    ],
    surroundings: {
      streams: { JUDGE_EVENTS: { messages: 0, bytes: 0, consumers: 1 } },
      disk: { mongod: n * MIB },
      documents: { submissions: n },
      temporaryFiles: 0,
      controlGroups: 4,
    },
    unfinished: 3,
    submissions: n * 60,
    finished: 60,
    p50Ms: 100,
    p99Ms: 900,
  }));

const rss = (samples: readonly Sample[]): Record<string, number> =>
  growthOfEach(samples, 60, ({ rssBytes }) => rssBytes);

test("growth compares the last ten minutes of an hour with the ten after warm-up, by their medians", () => {
  // Steep in the warm-up, flat after it: one odd sample changes nothing.
  const flat = hour((minute) => (minute <= 10 ? 100 + 5 * minute : minute === 55 ? 900 : 150));
  expect(rss(flat)).toEqual({ server: 0, mongod: 0 });
  const leak = hour((minute) => 100 + minute);
  expect(rss(leak)["server"]).toBeCloseTo(155 / 115 - 1, 1);
  expect(worst(rss(leak))).toBe(rss(leak)["server"]);
  expect(worst(rss(hour(() => 100).map((sample) => ({ ...sample, processes: [] }))))).toBeNaN();
  // What nobody can ask for its heap is not among those that are.
  expect(Object.keys(growthOfEach(flat, 60, ({ heapBytes }) => heapBytes))).toEqual(["server"]);
  expect(growth(flat, 60, ({ p50Ms }) => p50Ms)).toBe(0);
});

test("a run is drawn and printed: a line for each process, whatever its name", () => {
  const samples = hour((minute) => minute);
  const [first] = samples;
  if (first === undefined) throw new Error("no samples");
  const odd = { ...first, processes: first.processes.map((one) => ({ ...one, name: `<${one.name}>` })) };
  const drawn = picture([odd], {
    minutes: 60,
    submissions: 1,
    ratePerSecond: 1,
    capacityPerSecond: 2,
    rssGrowth: 0,
  });
  expect(drawn).toContain("&lt;mongod&gt;");
  expect(drawn).not.toContain("NaN");
  expect(drawn.match(/<polyline/g)?.length).toBeGreaterThan(8);
  expect([0, 1, 1.2, 3, 45, 99, 5_000].map(roundUp)).toEqual([1, 1, 2, 5, 50, 100, 5_000]);
  const rows = rowsOf(samples, 60).split("\n");
  expect(rows.length).toBe(2 + 31);
  expect(rows[0]).toContain("server MiB");
});

test("a short soak runs, judges rightly and leaves its figures", async () => {
  const told: string[] = [];
  const { report, samples } = await soak({
    minutes: 0.25,
    capacityMs: 6_000,
    seed: 3,
    tell: (line) => void told.push(line),
    onSample: () => undefined,
  });
  expect(report, told.join("\n")).toMatchObject({ failed: 0, wrongVerdict: 0 });
  expect(report.submissions).toBeGreaterThan(0);
  expect(report.ratePerSecond).toBeCloseTo(report.capacityPerSecond * 0.8, 1);
  const last = samples.at(-1);
  expect(last?.processes.map(({ name }) => name).toSorted()).toEqual(
    ["all-1", "all-1 launcher", "all-2", "all-2 launcher", "mongod", "nats-server", "server"].toSorted(),
  );
  for (const { name, rssBytes, heapBytes, handles } of last?.processes ?? []) {
    expect(rssBytes, name).toBeGreaterThan(10 * MIB);
    expect(handles, name).toBeGreaterThan(2);
    if (!["mongod", "nats-server"].includes(name)) expect(heapBytes, name).toBeGreaterThan(5 * MIB);
  }
  expect(last?.surroundings.streams).toHaveProperty("JUDGE_EVENTS");
  expect(last?.surroundings.documents["submissions"]).toBeGreaterThan(0);
}, 180_000);
