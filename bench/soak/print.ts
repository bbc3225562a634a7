import { median, rounded, table } from "../figures.ts";
import { processNames, type Sample } from "./growth.ts";

const MIB = 2 ** 20;

const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);
const mib = (bytes: number): string => (bytes / MIB).toFixed(bytes < 10 * MIB ? 1 : 0);

/** What a row shows beside the memory of each process. */
const COLUMNS: readonly (readonly [head: string, of: (sample: Sample) => number])[] = [
  ["handles", ({ processes }) => sum(processes.map(({ handles }) => handles))],
  ["threads", ({ processes }) => sum(processes.map(({ threads }) => threads))],
  [
    "messages",
    ({ surroundings }) => sum(Object.values(surroundings.streams).map(({ messages }) => messages)),
  ],
  ["consumers", ({ surroundings }) => sum(Object.values(surroundings.streams).map((one) => one.consumers))],
  ["disk", ({ surroundings }) => Math.round(sum(Object.values(surroundings.disk)) / MIB)],
  ["temp", ({ surroundings }) => surroundings.temporaryFiles],
  ["cgroups", ({ surroundings }) => surroundings.controlGroups],
  ["submissions", ({ submissions }) => submissions],
  ["unfinished", ({ unfinished }) => unfinished],
  ["p50 ms", ({ p50Ms }) => p50Ms],
  ["p99 ms", ({ p99Ms }) => p99Ms],
];

/** Resident memory, and after the stroke what is alive after a collection, MiB. */
const memory = ({ processes }: Sample, name: string): string => {
  const of = processes.find((process) => process.name === name);
  if (of === undefined) return "";
  return of.heapBytes === undefined ? mib(of.rssBytes) : `${mib(of.rssBytes)}/${mib(of.heapBytes)}`;
};

export const heading = (sample: Sample): string =>
  ["min", ...processNames([sample]), ...COLUMNS.map(([head]) => head)].join(" | ");

export const rowOf = (sample: Sample): string =>
  [
    sample.atMinutes.toFixed(1),
    ...processNames([sample]).map((name) => memory(sample, name)),
    ...COLUMNS.map(([, of]) => of(sample)),
  ].join(" | ");

/** A row for each thirtieth of a run; medians of what falls into it. Memory in MiB. */
export function rowsOf(samples: readonly Sample[], minutes: number): string {
  const names = processNames(samples);
  const width = minutes / 30;
  const groups = Map.groupBy(samples, ({ atMinutes }) => Math.floor(atMinutes / width));
  const rows = [...groups.values()].map((group) => [
    (group.at(-1)?.atMinutes ?? 0).toFixed(1),
    ...names.map((name) => middle(group, name)),
    ...COLUMNS.map(([, of]) => rounded(median(group.map(of)))),
  ]);
  return table([
    ["minute", ...names.map((name) => `${name} MiB`), ...COLUMNS.map(([head]) => head)],
    ...rows,
  ]);
}

function middle(group: readonly Sample[], name: string): string {
  const of = group.flatMap(({ processes }) => processes.filter((process) => process.name === name));
  const rss = mib(median(of.map(({ rssBytes }) => rssBytes)));
  const heaps = of.map(({ heapBytes }) => heapBytes).filter((bytes) => bytes !== undefined);
  return heaps.length === 0 ? rss : `${rss}/${mib(median(heaps))}`;
}
