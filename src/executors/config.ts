import { z } from "zod";
import { EnvironmentError, envInt, envList, readEnv } from "../shared/env.ts";
import { ExecutorId } from "../shared/ids.ts";
import { type Limits, readLimits } from "../shared/limits.ts";
import type { NatsAccess } from "../shared/nats.ts";
import { otlpVariables, type TraceSettings, traceSettingsOf } from "../shared/otlp.ts";
import { type PoolSetup, poolSetupOf, poolVariables, variableProblems } from "../shared/pool.ts";
import type { Topology } from "../shared/topology.ts";

export interface ExecutorConfig extends PoolSetup {
  readonly id: ExecutorId;
  readonly nats: NatsAccess;
  readonly topology: Topology;
  /** Any of them can answer; the next one is asked when one does not. */
  readonly serverUrls: readonly string[];
  /** Absolute; of this executor alone. */
  readonly workDir: string;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly logLevel: string;
  readonly trace: TraceSettings;
  readonly graceMs: number;
  /** So long it waits, at its start, to be told of changes to its pool before it takes jobs, milliseconds. */
  readonly hearPoolMs: number;
  /** A place to die at, for tests (crashpoint.ts). */
  readonly crashAt: string | undefined;
  readonly limits: Limits;
}

/** What the privileged part needs. */
export interface SandboxEnvironment {
  readonly bwrap: string;
  readonly uid: number;
  readonly slotUidBase: number;
  /** 100 as anybody; see sandbox/native.ts. */
  readonly cpuWeight: number;
  /** What toolchains have to have built once; root's, shared by the executors of a machine. */
  readonly toolchainDir: string | undefined;
  /** File by which the executors of a machine take turns at being alone on it. */
  readonly machineLock: string;
}

const someOf = <Item extends z.ZodType<string, string>>(item: Item) =>
  envList(item).refine((items) => items.length > 0, "expected at least one, comma separated");

const Environment = z.object({
  DOCKET_EXECUTOR_ID: ExecutorId,
  ...poolVariables,
  NATS_URL: z.string().min(1),
  NATS_USER: z.string().optional(),
  NATS_PASSWORD: z.string().optional(),
  DOCKET_SERVER_URL: someOf(z.url()),
  DOCKET_TOPOLOGY_PREFIX: z.string().default(""),
  DOCKET_WORK_DIR: z.string().startsWith("/", "expected an absolute path"),
  DOCKET_HEALTH_HOST: z.string().min(1).default("127.0.0.1"),
  DOCKET_HEALTH_PORT: envInt(0),
  DOCKET_LOG_LEVEL: z.string().default("info"),
  ...otlpVariables,
  DOCKET_GRACE_MS: envInt(10_000),
  DOCKET_HEAR_POOL_MS: envInt(1_000),
  DOCKET_CRASH_AT: z.string().optional(),
});

/** Runs every reader and throws one EnvironmentError with the problems of all. */
function readTogether<Values extends readonly unknown[]>(readers: {
  readonly [Index in keyof Values]: () => Values[Index];
}): Values {
  const problems: string[] = [];
  const values = readers.map((read) => {
    try {
      return read();
    } catch (error) {
      if (error instanceof EnvironmentError) problems.push(...error.problems);
      else if (error instanceof RangeError) problems.push(...error.message.split("\n"));
      else throw error;
      return undefined;
    }
  });
  if (problems.length > 0) throw new EnvironmentError(problems);
  return values as unknown as Values;
}

/** Everything that an executor process needs. Throws EnvironmentError with all problems together. */
export function readExecutorEnvironment(env: NodeJS.ProcessEnv): {
  readonly config: ExecutorConfig;
  readonly privileged: SandboxEnvironment;
} {
  const [config, privileged] = readTogether<[ExecutorConfig, SandboxEnvironment]>([
    () => readConfig(env),
    () => readSandboxEnvironment(env),
  ]);
  return { config, privileged };
}

/** Reads the backbone's settings. Throws EnvironmentError with all problems together. */
export function readConfig(env: NodeJS.ProcessEnv): ExecutorConfig {
  const [given, limits] = readTogether<[z.infer<typeof Environment>, Limits]>([
    () => readEnv(Environment, env),
    () => readLimits(env),
  ]);
  const setup = poolSetupOf(given);
  const problems = variableProblems(setup);
  if (problems.length > 0) throw new EnvironmentError(problems);
  return {
    id: given.DOCKET_EXECUTOR_ID,
    ...setup,
    nats: {
      url: given.NATS_URL,
      user: given.NATS_USER,
      password: given.NATS_PASSWORD,
      // The only inbox that its user may subscribe to (see the supervisor's executorAllowance).
      inboxPrefix: `_INBOX_${given.DOCKET_EXECUTOR_ID}`,
    },
    topology: { prefix: given.DOCKET_TOPOLOGY_PREFIX, replicas: 1 },
    serverUrls: given.DOCKET_SERVER_URL,
    workDir: given.DOCKET_WORK_DIR,
    healthHost: given.DOCKET_HEALTH_HOST,
    healthPort: given.DOCKET_HEALTH_PORT,
    logLevel: given.DOCKET_LOG_LEVEL,
    trace: traceSettingsOf(given),
    graceMs: given.DOCKET_GRACE_MS,
    hearPoolMs: given.DOCKET_HEAR_POOL_MS,
    crashAt: given.DOCKET_CRASH_AT,
    limits,
  };
}

const Privileged = z.object({
  DOCKET_BWRAP: z.string().startsWith("/", "expected an absolute path").default("/usr/bin/bwrap"),
  DOCKET_UID: z.coerce.number().int().min(1),
  DOCKET_SLOT_UID_BASE: z.coerce.number().int().min(1),
  /** Share of the CPU that its programs have together, against everything else with 100. */
  DOCKET_CPU_WEIGHT: envInt(100, 1).pipe(z.int().max(10_000)),
  DOCKET_TOOLCHAIN_DIR: z.string().startsWith("/", "expected an absolute path").optional(),
  DOCKET_MACHINE_LOCK: z.string().startsWith("/", "expected an absolute path").default("/run/docket/alone"),
});

/** Reads what the sandbox needs. Throws EnvironmentError with all problems together. */
export function readSandboxEnvironment(env: NodeJS.ProcessEnv): SandboxEnvironment {
  const given = readEnv(Privileged, env);
  return {
    bwrap: given.DOCKET_BWRAP,
    uid: given.DOCKET_UID,
    slotUidBase: given.DOCKET_SLOT_UID_BASE,
    cpuWeight: given.DOCKET_CPU_WEIGHT,
    toolchainDir: given.DOCKET_TOOLCHAIN_DIR,
    machineLock: given.DOCKET_MACHINE_LOCK,
  };
}
