/**
 * Every limit that can refuse or cut something: name, unit, default and what it is for.
 * Set one with the environment variable `DOCKET_LIMIT_<NAME IN UPPER SNAKE CASE>`.
 * docs/limits.md is printed from this table by codegen.ts.
 */
interface LimitDefinition {
  readonly unit: "bytes" | "ms" | "count" | "perSecond" | "characters";
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
    doc: "Largest request body of GraphQL and REST, archive uploads apart.",
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
    doc: "Most WebSockets and event streams at once of one owner on one server.",
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
  dispatchWindow: {
    unit: "count",
    default: 1_000,
    doc: "Most jobs of one language and lane in the queue; the rest waits in MongoDB.",
  },
  tries: {
    unit: "count",
    default: 5,
    doc: "Faults and starts without an end before a judgement becomes a dead letter.",
  },
  blobCacheBytes: {
    unit: "bytes",
    default: 2 * 1024 * 1024 * 1024,
    doc: "Disk cache of blobs on one executor.",
  },
  executorFreeDiskBytes: {
    unit: "bytes",
    default: 256 * 1024 * 1024,
    doc: "An executor with less free space in its work folder takes no jobs.",
  },
  artefactCacheBytes: {
    unit: "bytes",
    default: 1024 * 1024 * 1024,
    doc: "Disk cache of compiled programs on one executor.",
  },
});

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
