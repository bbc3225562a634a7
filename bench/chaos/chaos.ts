import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client } from "../../src/cli/client.ts";
import { importProblem } from "../../src/cli/importproblem.ts";
import { EXECUTORS, isFinal, SUBMISSION, type SubmissionView } from "../../src/cli/operations.ts";
import type { Stack } from "../../src/supervisor/stack.ts";
import { machine, quantile } from "../figures.ts";
import { listenToAnnouncements } from "./announced.ts";
import { type Books, leftInStreams, openBooks, writesAfterTheEnd } from "./audit.ts";
import { startFollowing } from "./following.ts";
import { leftAfterStop, temporaryFiles } from "./leftovers.ts";
import { PROBLEM_FOLDERS, readWork } from "./programs.ts";
import { recoveries, unexplained } from "./recovery.ts";
import { type ChaosReport, countBy, longestPause } from "./report.ts";
import { type Hit, startStriking } from "./striking.ts";
import { type Accepted, submitAll, type SubmittingDeps } from "./submitting.ts";
import { leadersOf, startVictims, type Victims } from "./victims.ts";
import { wipeUnderQueue } from "./wiping.ts";

export interface ChaosOptions {
  readonly submissions: number;
  /** Average time between two strikes. */
  readonly everyMs: number;
  readonly seed: number;
  /** Three brokers and three database nodes instead of one of each. */
  readonly cluster: boolean;
  /** No strikes: the brokers lose their disks once, when everything has been submitted and nearly nothing judged. */
  readonly wipeBroker: boolean;
  readonly perSecond: number;
  /** No new submissions after so long, milliseconds. */
  readonly forMs: number;
  /** Ends it before its time: everything is stopped and removed, and it throws the reason. */
  readonly signal?: AbortSignal | undefined;
  /** Hears what happens. */
  readonly tell: (line: string) => void;
  /** Every line that a process of the stack writes. */
  readonly onLine?: ((process: string, line: string) => void) | undefined;
}

const FINAL: ReadonlySet<string> = new Set(["FINISHED", "FAILED", "CANCELLED"]);
/** Waiting for verdicts at most: a queue is always there, and an outage does not make it grow without end. */
const MOST_UNFINISHED = 200;
/** One in so many submissions has a subscriber. */
const FOLLOWED = 5;
/** Nothing came to an end for so long: what is left is stuck, milliseconds. The reconciler looks at all once a minute. */
const STUCK_MS = 150_000;
/** Slower ones are told with what else was struck at that time, milliseconds. */
const SLOW_MS = 15_000;
/** Of a try that failed before or after the strike on its executor, milliseconds. */
const SLACK_MS = 3_000;

/** Resolves when nothing is unfinished and no message waits, or when that does not come about. */
async function quiet(books: Books, stack: Stack): Promise<{ stuck: number; left: string[] }> {
  let least = Infinity;
  let since = performance.now();
  for (;;) {
    const unfinished = (await books.unfinished()) ?? Infinity;
    const left = await leftInStreams(stack).catch((error: unknown) => [String(error)]);
    if (unfinished === 0 && left.length === 0) return { stuck: 0, left };
    const open = unfinished + left.length;
    if (open < least) {
      least = open;
      since = performance.now();
    }
    if (performance.now() - since > STUCK_MS) return { stuck: unfinished, left };
    await sleep(500);
  }
}

async function heldLeases(jury: Client): Promise<string[]> {
  const { executors } = await jury.request(EXECUTORS);
  return executors.flatMap(({ name, running }) => running.map((one) => `${name} runs ${one.submissionId}`));
}

/** Asks the public API for every confirmed submission. */
async function readBack(
  clients: readonly Client[],
  accepted: readonly Accepted[],
): Promise<Map<string, SubmissionView>> {
  const views = new Map<string, SubmissionView>();
  const queue = [...accepted];
  const read = async (client: Client): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const { submission } = await client.request(SUBMISSION, { id: next.id });
      if (submission !== null) views.set(next.id, submission);
    }
  };
  await Promise.all([...clients, ...clients, ...clients].map(read));
  return views;
}

/** Submits, strikes, waits for quiet, and looks from outside at what has become of it all. */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { tell, seed } = options;
  tell(machine());
  const victims = await startVictims({
    cluster: options.cluster,
    wholeQueue: options.wipeBroker,
    signal: options.signal,
    onEvent: ({ process, type, detail }) => {
      if (type === "died" || type === "ready") tell(`  ${process} ${type} ${detail ?? ""}`.trimEnd());
    },
    onLine: options.onLine,
  });
  const { stack } = victims;
  const troubles: string[] = [];
  const word = stack.executors()[0]?.split("-").at(-1) ?? "";
  let report: Omit<ChaosReport, "leftovers" | "troubles">;
  let leftovers: string[];
  try {
    const attacked = attack(options, victims, troubles);
    // Cut short, it ends in whatever error the stop gives it.
    attacked.catch(() => undefined);
    const aborted = new Promise<never>((_, reject) => {
      options.signal?.addEventListener("abort", () => reject(options.signal?.reason as Error));
    });
    ({ report, leftovers } = await Promise.race([attacked, aborted]));
  } finally {
    await victims.stop();
  }
  leftovers.push(...(await leftAfterStop({ dataFolder: stack.dataFolder, word })));
  troubles.push(...leftovers.map((one) => `left over: ${one}`));
  tell(`seed ${seed} done`);
  return { ...report, leftovers: leftovers.length, troubles: troubles.slice(0, 50) };
}

async function attack(
  options: ChaosOptions,
  { stack, proxies }: Victims,
  troubles: string[],
): Promise<{ report: Omit<ChaosReport, "leftovers" | "troubles">; leftovers: string[] }> {
  const { seed, tell } = options;
  const jury = createClient({ url: stack.url, token: stack.keys.jury });
  const clients = stack.urls.map((url) => createClient({ url, token: stack.keys.participant }));
  const books = openBooks(stack);
  const announced = await listenToAnnouncements(stack);
  for (const path of PROBLEM_FOLDERS) await importProblem(jury, { path });
  const workOf = await readWork(seed);
  const following = startFollowing(stack.urls, stack.keys.participant);
  const accepted: Accepted[] = [];
  let unfinished = 0;
  const over = new AbortController();
  const counting = (async () => {
    for (; !over.signal.aborted; await sleep(250)) unfinished = (await books.unfinished()) ?? unfinished;
  })();

  const submitting: SubmittingDeps = {
    clients,
    workOf,
    unfinished: () => unfinished,
    onAccepted: (one) => {
      accepted.push(one);
      if (one.number % FOLLOWED === 0) following.follow(one.id);
      if (accepted.length % 100 === 0) tell(`${accepted.length} submitted, ${unfinished} unfinished`);
    },
  };
  const { perSecond, forMs, submissions: count } = options;

  const begun = performance.now();
  let hits: readonly Hit[] = [];
  let unfinishedAtWipe: number | undefined;
  try {
    if (options.wipeBroker) {
      const all = { seed, count, perSecond, mostUnfinished: Infinity, forMs };
      unfinishedAtWipe = await wipeUnderQueue({
        stack,
        books,
        submit: () => submitAll(submitting, all),
        tell,
      });
    } else {
      const striking = startStriking(
        { stack, proxies, leaders: () => leadersOf(stack, books), tell },
        { seed, everyMs: options.everyMs },
      );
      hits = striking.hits;
      try {
        await submitAll(submitting, { seed, count, perSecond, mostUnfinished: MOST_UNFINISHED, forMs });
      } finally {
        await striking.stop();
      }
    }
  } finally {
    over.abort();
    await counting;
  }
  tell("all submitted; waiting for quiet");
  const { stuck, left } = await quiet(books, stack);
  const seconds = (performance.now() - begun) / 1_000;
  const followed = await following.finish(15_000);

  const views = await readBack(clients, accepted);
  const missing = accepted.filter(({ id }) => !views.has(id));
  const stored = await books.submissions.countDocuments({ owner: "participant" });
  const judgements = new Map(
    (await books.judgements.find().toArray()).map((one) => [String(one.submission), one]),
  );
  const wrong = accepted.flatMap(({ id, work }) => {
    const view = views.get(id);
    const miss = view?.state === "FINISHED" ? work.miss(view) : undefined;
    return miss === undefined ? [] : [`${id} (${work.problem}, ${work.language}): ${miss}`];
  });
  const failed = [...views.values()].filter(({ state }) => state === "FAILED");
  const triesOf = (id: string) => judgements.get(id)?.tries ?? [];
  const unfair = failed.filter(({ id }) => {
    const judgement = judgements.get(id);
    return judgement === undefined || unexplained(judgement, hits, SLACK_MS).length > 0;
  });
  const log = await writesAfterTheEnd(books);
  const finals = [...new Set([...log.ids, ...announced.twice()])];
  const misled = followed.flatMap(({ id, finals: seen, wrongs }) => {
    if (seen.length !== 1) return [`${id}: ${seen.length} final states at its subscriber`];
    if (views.get(id)?.revision !== seen[0]) return [`${id}: its subscriber saw another final state`];
    return wrongs.map((wrong_) => `${id}: ${wrong_}`);
  });
  const recovered = [...judgements.values()].flatMap(({ tries }) => recoveries(tries, hits));
  const times = recovered.map(({ tookMs }) => tookMs);
  for (const { hit, tookMs } of recovered.filter((one) => one.tookMs > SLOW_MS)) {
    const meanwhile = hits.filter(({ atMs }) => atMs > hit.atMs - SLOW_MS && atMs < hit.atMs + tookMs);
    const all = meanwhile.map((one) => `${one.deed} ${one.process} at ${one.atMs - hit.atMs}`);
    tell(`slow: a job of ${hit.process} began again ${tookMs} ms after ${hit.deed}; ${all.join(", ")}`);
  }
  const leases = await heldLeases(jury);
  const files = await temporaryFiles(stack.dataFolder);

  troubles.push(
    ...missing.map(({ id }) => `lost: ${id}`),
    ...finals.map((id) => `two ends: ${id}`),
    ...[...judgements.values()]
      .filter(({ submission, state }) => views.has(submission) && !FINAL.has(state))
      .map((one) => `stuck: ${JSON.stringify(one)}`),
    ...wrong.map((one) => `wrong: ${one}`),
    ...misled.map((one) => `misled: ${one}`),
    ...failed.map(
      ({ id, judgement }) =>
        `failed: ${id} ${judgement.deadLetter?.reason ?? ""} ${JSON.stringify(triesOf(id))}`,
    ),
  );
  const doubled = stored - accepted.length + missing.length;
  if (doubled !== 0) troubles.push(`${stored} submissions stored for ${accepted.length} confirmed`);
  if (log.written < accepted.length) troubles.push(`the database's log tells of ${log.written} ends only`);

  await Promise.all([jury, ...clients].map((client) => client.close()));
  await announced.close();
  await books.close();
  return {
    leftovers: [...left, ...leases, ...files],
    report: {
      submissions: accepted.length,
      ...(unfinishedAtWipe === undefined ? {} : { unfinishedAtWipe }),
      lost: missing.length,
      doubled,
      doubleFinal: finals.length + followed.filter(({ finals: seen }) => seen.length > 1).length,
      stuck,
      wrongVerdict: wrong.length,
      misled: misled.length,
      failed: failed.length,
      failedUnexplained: unfair.length,
      strikes: countBy(hits, ({ deed }: Hit) => deed),
      leadersStruck: hits.filter(({ leader }) => leader).length,
      recovered: times.length,
      recoveryP50Ms: Math.round(quantile(times, 0.5)),
      recoveryP99Ms: Math.round(quantile(times, 0.99)),
      recoveryMaxMs: Math.round(quantile(times, 1)),
      intakePauseMs: longestPause(accepted),
      subscribers: followed.length,
      resumes: followed.reduce((sum, { resumes }) => sum + resumes, 0),
      verdicts: countBy(views.values(), (view) =>
        isFinal(view) ? (view.verdict ?? view.state) : view.state,
      ),
      seconds: Math.round(seconds),
    },
  };
}
