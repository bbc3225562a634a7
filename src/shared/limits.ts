/**
 * Every limit that can refuse or cut something: name, unit, default and what it is for.
 * Set one with the environment variable `DOCKET_LIMIT_<NAME IN UPPER SNAKE CASE>`.
 * docs/limits.md is printed from this table by codegen.ts.
 */
interface LimitDefinition {
  readonly unit: "bytes" | "KiB" | "MiB" | "ms" | "count" | "perSecond" | "characters";
  readonly default: number;
  readonly doc: string;
}

const define = <const T extends Record<string, LimitDefinition>>(definitions: T): T => definitions;

export const LIMIT_DEFINITIONS = define({
  sourceBytes: {
    unit: "bytes",
    default: 128 * 1024,
    doc: "Largest sum of a submission's files; a problem's own code limit applies too.",
  },
  sourceFiles: { unit: "count", default: 32, doc: "Most files in one submission." },
  fileNameCharacters: { unit: "characters", default: 96, doc: "Longest file name in a submission." },
  idempotencyKeyCharacters: { unit: "characters", default: 128, doc: "Longest idempotency key." },
  requestBytes: {
    unit: "bytes",
    default: 2 * 1024 * 1024,
    doc: "Largest request body of GraphQL and REST, archive uploads apart, and largest WebSocket message.",
  },
  packageBytes: { unit: "bytes", default: 256 * 1024 * 1024, doc: "Largest problem package archive." },
  packageUnpackedBytes: {
    unit: "bytes",
    default: 1024 * 1024 * 1024,
    doc: "Largest sum of a package's unpacked files.",
  },
  packageFileBytes: {
    unit: "bytes",
    default: 128 * 1024 * 1024,
    doc: "Largest single file of a problem package; one is held in memory while it is stored.",
  },
  packageFiles: { unit: "count", default: 10_000, doc: "Most files in a problem package." },
  problemTests: { unit: "count", default: 1_000, doc: "Most tests of one problem." },
  queryCharacters: {
    unit: "characters",
    default: 64 * 1024,
    doc: "Longest GraphQL document, variables apart: the last 1,024 different ones are kept in memory.",
  },
  queryTokens: { unit: "count", default: 4_000, doc: "Most tokens of a GraphQL document." },
  queryDepth: { unit: "count", default: 12, doc: "Deepest nesting of a GraphQL document." },
  queryComplexity: { unit: "count", default: 5_000, doc: "Greatest cost of a GraphQL document." },
  pageSize: { unit: "count", default: 100, doc: "Most nodes in one page of a connection." },
  subscriptionsPerConnection: {
    unit: "count",
    default: 200,
    doc: "Most subscriptions at once on one WebSocket.",
  },
  socketBufferBytes: {
    unit: "bytes",
    default: 16 * 1024 * 1024,
    doc: "A WebSocket that sends more while so much waits for it to be read is cut.",
  },
  connectionsPerOwner: {
    unit: "count",
    default: 50,
    doc: "Most WebSockets, event streams and waiting long polls at once of one owner on one server.",
  },
  connections: {
    unit: "count",
    default: 20_000,
    doc: "Most open connections of one server, of whatever kind; more are closed unheard.",
  },
  requestsAtOnce: {
    unit: "count",
    default: 1_000,
    doc: "Most requests that one server answers at once, event streams and waiting long polls apart.",
  },
  importsAtOnce: {
    unit: "count",
    default: 4,
    doc: "Most problem packages that one server imports at once: each is held in memory as it comes.",
  },
  longPollMs: {
    unit: "ms",
    default: 30_000,
    doc: "Longest time that a REST client may wait for a newer state (waitMs).",
  },
  compileMessageCharacters: {
    unit: "characters",
    default: 4_000,
    doc: "Compiler output kept for the owner.",
  },
  judgeMessageCharacters: {
    unit: "characters",
    default: 1_000,
    doc: "Validator output kept for the jury, per test.",
  },
  errorOutputCharacters: {
    unit: "characters",
    default: 1_000,
    doc: "Error output of the judged program kept for the jury, of each test that was not accepted.",
  },
  reportCharacters: {
    unit: "characters",
    default: 128 * 1024,
    doc: "Messages, error output and transcripts of all tests of one judging; the tests after that keep none.",
  },
  transcriptCharacters: {
    unit: "characters",
    default: 4_000,
    doc: "What program and validator of an interactive problem said, kept for the jury: of each test that was not accepted.",
  },
  dispatchWindow: {
    unit: "count",
    default: 1_000,
    doc: "Most jobs of one language and lane in the queue; the rest waits in MongoDB.",
  },
  ownerWindow: {
    unit: "count",
    default: 8,
    doc: "Most jobs of one owner in the queue of one language and lane, beside one for each slot that serves it; the rest waits in MongoDB.",
  },
  ownerPerSecond: {
    unit: "perSecond",
    default: 50,
    doc: "Submissions of one participant over time, once the burst is used up.",
  },
  ownerBurst: { unit: "count", default: 1_000, doc: "Submissions of one participant at once." },
  ownerUnfinished: {
    unit: "count",
    default: 1_000,
    doc: "Most submissions of one participant that have no final state yet.",
  },
  contestPerSecond: {
    unit: "perSecond",
    default: 500,
    doc: "Submissions to one contest over time, once the burst is used up.",
  },
  contestBurst: { unit: "count", default: 10_000, doc: "Submissions to one contest at once." },
  contestSoftWaitMs: {
    unit: "ms",
    default: 60_000,
    doc: "A submission to a contest that will wait longer is told so, and its live updates come seldom.",
  },
  contestHardWaitMs: {
    unit: "ms",
    default: 4 * 3_600_000,
    doc: "A submission to a contest that would wait longer is refused. Only contest work counts: practice never fills it.",
  },
  practiceSoftWaitMs: {
    unit: "ms",
    default: 60_000,
    doc: "The same for practice: told so.",
  },
  practiceHardWaitMs: { unit: "ms", default: 3_600_000, doc: "The same for practice: refused." },
  customSoftWaitMs: { unit: "ms", default: 10_000, doc: "The same for custom runs: told so." },
  customHardWaitMs: { unit: "ms", default: 600_000, doc: "The same for custom runs: refused." },
  laneWaiting: {
    unit: "count",
    default: 500_000,
    doc: "Most submissions that wait in one language and lane, however fast they go.",
  },
  delayedUpdateMs: {
    unit: "ms",
    default: 5_000,
    doc: "Least time between two live updates of a submission that waits longer than the soft limit, its last one apart.",
  },
  contestProblems: { unit: "count", default: 200, doc: "Most problems of one contest." },
  contestParticipants: {
    unit: "count",
    default: 50_000,
    doc: "Most participants that one contest names; an open one names none.",
  },
  tries: {
    unit: "count",
    default: 5,
    doc: "Faults and starts without an end before a judgement becomes a dead letter.",
  },
  batchSubmissions: { unit: "count", default: 50, doc: "Most submissions of one submitSubmissions." },
  webhooksPerOwner: { unit: "count", default: 20, doc: "Most webhooks of one owner." },
  webhookAtOnce: {
    unit: "count",
    default: 4,
    doc: "Most deliveries to one webhook at once from one server; 1 after a failure.",
  },
  webhookTimeoutMs: {
    unit: "ms",
    default: 10_000,
    doc: "A webhook that has not answered by then has failed.",
  },
  webhookTries: { unit: "count", default: 10, doc: "Tries of one delivery before it is given up." },
  webhookRetryMs: {
    unit: "ms",
    default: 5_000,
    doc: "Wait before the second try of a delivery; three times as long before each further one, 12 hours at most.",
  },
  rejudgeSubmissions: {
    unit: "count",
    default: 10_000,
    doc: "Most submissions of one rejudge, which is applied in one transaction.",
  },
  redrivesPerRequest: {
    unit: "count",
    default: 1_000,
    doc: "Most dead letters that one request redrives.",
  },
  rejectedMessages: {
    unit: "count",
    default: 1_000,
    doc: "Rejected messages kept; the oldest makes room.",
  },
  logBytes: {
    unit: "bytes",
    default: 10 * 1024 * 1024,
    doc: "A local stack's log file of one process is put aside at this size; one older is kept.",
  },
  blobCacheBytes: {
    unit: "bytes",
    default: 2 * 1024 * 1024 * 1024,
    doc: "Disk cache of blobs on one executor.",
  },
  workInputBytes: {
    unit: "bytes",
    default: 16 * 1024,
    doc: "Largest input of work of another kind than judging, as JSON: it travels in the job.",
  },
  workFileBytes: {
    unit: "bytes",
    default: 1024 * 1024,
    doc: "Largest sum of the files of such work.",
  },
  executorFreeDiskBytes: {
    unit: "bytes",
    default: 256 * 1024 * 1024,
    doc: "An executor with less free space in its work folder takes no jobs.",
  },
  parallelTests: {
    unit: "count",
    default: 4,
    doc: "Most tests of one judging at once on one executor, in slots that no job wants and on cores of their own; 1: one by one.",
  },
  codeRunTimeMs: {
    unit: "ms",
    default: 10_000,
    doc: "CPU time of a program run on its owner's own input, before the language's factor.",
  },
  codeRunMemoryMiB: {
    unit: "MiB",
    default: 512,
    doc: "Memory of such a program, before what the language adds.",
  },
  codeRunInputBytes: {
    unit: "bytes",
    default: 1024 * 1024,
    doc: "Largest standard input of such a program.",
  },
  codeRunOutputKiB: {
    unit: "KiB",
    default: 4_096,
    doc: "Largest file that such a program may write, standard output included.",
  },
  codeRunShownBytes: { unit: "bytes", default: 65_536, doc: "Bytes kept of each output of such a program." },
  codeRunKeepMs: {
    unit: "ms",
    default: 6 * 3_600_000,
    doc: "So long a run on own input is kept after it was asked for; at most half a day, as its blobs go after a day.",
  },
  artefactCacheBytes: {
    unit: "bytes",
    default: 1024 * 1024 * 1024,
    doc: "Disk cache of compiled programs on one executor.",
  },
  toolchainCacheBytes: {
    unit: "bytes",
    default: 1024 * 1024 * 1024,
    doc: "Disk cache of precompiled headers and class-data archives, shared by the executors of one machine.",
  },
});

interface BoundDefinition {
  readonly unit: LimitDefinition["unit"];
  readonly value: number;
  readonly doc: string;
}

/** What keeps memory and documents small whatever comes, and what nobody needs to set. Printed in docs/limits.md, too. */
export const BOUNDS = {
  rememberedKeys: {
    unit: "count",
    value: 10_000,
    doc: "API keys, right and wrong ones, whose look-up a server remembers for three seconds.",
  },
  rememberedProblems: {
    unit: "count",
    value: 2_000,
    doc: "Problems that intake remembers for a second.",
  },
  rememberedLines: {
    unit: "count",
    value: 1_000,
    doc: "Owners whose line of waiting submissions a server remembers for two seconds.",
  },
  rememberedContests: {
    unit: "count",
    value: 200,
    doc: "Contests that intake remembers for a second.",
  },
  rememberedBlobs: {
    unit: "count",
    value: 20_000,
    doc: "Names of blobs that a server knows to be stored, for ten minutes.",
  },
  rememberedDeadlines: {
    unit: "count",
    value: 500,
    doc: "Problem versions whose deadline dispatch remembers.",
  },
  rememberedManifests: {
    unit: "count",
    value: 500,
    doc: "Problem versions whose blobs the blob route remembers.",
  },
  rememberedVersions: {
    unit: "count",
    value: 10_000,
    doc: "Judgements whose problem version the blob route remembers.",
  },
  rememberedJudgements: {
    unit: "count",
    value: 2_000,
    doc: "Judgements that the recorder remembers as it wrote them.",
  },
  rememberedCapabilities: {
    unit: "count",
    value: 2_000,
    doc: "Capabilities of jobs whose signature the recorder has found right.",
  },
  rememberedExecutors: {
    unit: "count",
    value: 2_000,
    doc: "Executors that a server remembers after they were heard of last.",
  },
  triesKept: {
    unit: "count",
    value: 50,
    doc: "Newest tries kept of a judgement.",
  },
  changes: {
    unit: "count",
    value: 65_534,
    doc: "Stored changes of one judgement that have a revision of their own; of later ones only its end has.",
  },
  rejectedBytes: {
    unit: "bytes",
    value: 4 * 1024 * 1024,
    doc: "Size of all rejected messages kept.",
  },
  presenceCharacters: {
    unit: "characters",
    value: 1_000,
    doc: "Longest text in what an executor says of itself; longer ones are cut.",
  },
  presenceEntries: {
    unit: "count",
    value: 256,
    doc: "Most languages, and most running jobs, in what an executor says of itself.",
  },
  spansWaiting: {
    unit: "count",
    value: 8_192,
    doc: "Spans that a process keeps for a collector of traces that does not answer; further ones are dropped.",
  },
} as const satisfies Readonly<Record<string, BoundDefinition>>;

export type LimitName = keyof typeof LIMIT_DEFINITIONS;
export type Limits = Readonly<Record<LimitName, number>>;

export const limitVariable = (name: string): string =>
  `DOCKET_LIMIT_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/** Defaults, replaced by what the environment sets. Throws a RangeError that names each wrong variable. */
export function readLimits(env: NodeJS.ProcessEnv): Limits {
  const problems: string[] = [];
  const limits: Record<string, number> = {};
  for (const [name, definition] of Object.entries(LIMIT_DEFINITIONS)) {
    const given = env[limitVariable(name)];
    const value = given === undefined || given === "" ? definition.default : Number(given);
    if (!Number.isSafeInteger(value) || value < 1) {
      problems.push(
        `${limitVariable(name)}: expected a whole number of ${definition.unit} above 0, got "${given}"`,
      );
    }
    limits[name] = value;
  }
  if (problems.length > 0) throw new RangeError(problems.join("\n"));
  return limits as Limits;
}

export const DEFAULT_LIMITS: Limits = readLimits({});
