import type { Client } from "./client.ts";
import {
  EXECUTORS,
  LANGUAGES,
  POOLS,
  PROBLEMS,
  type ProblemPage,
  type ProblemView,
  QUEUES,
} from "./operations.ts";
import { type Output, plain, table } from "./output.ts";

/** Each prints one list: a table for people, or with `json` one line for programs. */
export interface ListOptions {
  readonly json: boolean;
}

const heading = (out: Output) => (cell: string, row: number) => (row === 0 ? out.dim(cell) : cell);

function print(
  out: Output,
  rows: readonly (readonly string[])[],
  options: { right?: readonly number[]; empty: string },
): void {
  if (rows.length <= 1) out.line(options.empty);
  else for (const line of table(rows, { ...options, paint: heading(out) })) out.line(line);
}

export async function listProblems(client: Client, out: Output, { json }: ListOptions): Promise<void> {
  const problems: ProblemView[] = [];
  let after: string | null = null;
  do {
    const { problems: page }: { problems: ProblemPage } = await client.request(PROBLEMS, { after });
    problems.push(...page.edges.map(({ node }) => node));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  if (json) return out.json(problems);
  const rows = problems.map(({ id, name, timeMs, memoryMiB, testCount }) => [
    id,
    plain(name),
    `${timeMs / 1000} s`,
    `${memoryMiB} MiB`,
    String(testCount),
  ]);
  print(out, [["id", "name", "time", "memory", "tests"], ...rows], {
    right: [2, 3, 4],
    empty: "There are no problems yet: docket import examples/problems/hello",
  });
}

/** No executor has so much as tried. */
const NO_POOL = "no running executor is set up for it";

export async function listLanguages(client: Client, out: Output, { json }: ListOptions): Promise<void> {
  const { languages } = await client.request(LANGUAGES);
  if (json) return out.json(languages);
  const rows = languages.map(({ language, offered, versions, reasons }) => [
    language.id,
    language.name,
    offered ? "offered" : "not offered",
    plain((offered ? versions : reasons).join("; ")) || NO_POOL,
  ]);
  print(out, [["id", "name", "", "with, or why not"], ...rows], { empty: "No languages." });
}

export async function listQueues(client: Client, out: Output, { json }: ListOptions): Promise<void> {
  const { queues } = await client.request(QUEUES);
  if (json) return out.json(queues);
  const busy = queues.filter(({ pending, waiting, running }) => pending + waiting + running > 0);
  const rows = busy.map(({ name, lane, pending, waiting, running, oldestAt }) => [
    name,
    lane.toLowerCase(),
    String(pending),
    String(waiting),
    String(running),
    oldestAt ?? "",
  ]);
  print(out, [["queue", "lane", "pending", "waiting", "running", "oldest"], ...rows], {
    right: [2, 3, 4],
    empty: `All ${queues.length} queues are empty.`,
  });
}

export async function listExecutors(client: Client, out: Output, { json }: ListOptions): Promise<void> {
  const { executors } = await client.request(EXECUTORS);
  if (json) return out.json(executors);
  const rows = executors.map((one) => [
    one.name,
    one.pool,
    one.state.toLowerCase(),
    `${one.running.length}/${one.slots}`,
    one.languages.map(({ id }) => id).join(" "),
    one.lanes.map((lane) => lane.toLowerCase()).join(" "),
    plain(
      [one.reason ?? [], one.notOffered.map(({ id, reason }) => `no ${id}: ${reason}`)].flat().join("; "),
    ),
  ]);
  print(out, [["executor", "pool", "state", "slots", "languages", "lanes", ""], ...rows], {
    right: [3],
    empty: "No executor has been heard of.",
  });
}

export async function listPools(client: Client, out: Output, { json }: ListOptions): Promise<void> {
  const { pools } = await client.request(POOLS);
  if (json) return out.json(pools);
  const rows = pools.map((one) => [
    one.name,
    String(one.executors),
    String(one.desiredExecutors),
    `${one.leastExecutors} to ${one.mostExecutors}`,
    `${one.busy}/${one.slots}`,
    String(Math.round(one.waiting)),
    one.arrivalsPerSecond.toFixed(2),
    one.serviceMs === null ? "" : `${(one.serviceMs / 1_000).toFixed(2)} s`,
    `${one.targetWaitSeconds} s`,
  ]);
  const head = [
    "pool",
    "executors",
    "wanted",
    "of",
    "slots",
    "waiting",
    "per second",
    "takes",
    "target wait",
  ];
  print(out, [head, ...rows], { right: [1, 2, 3, 4, 5, 6, 7, 8], empty: "No executor has been heard of." });
}
