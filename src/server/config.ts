import { z } from "zod";
import { EnvironmentError, envInt, envList, readEnv } from "../shared/env.ts";
import { LanguageId } from "../shared/language.ts";
import { type Limits, readLimits } from "../shared/limits.ts";
import { otlpVariables } from "../shared/otlp.ts";
import { ScaleByPool } from "../shared/scaling.ts";
import { WorkloadFolders } from "../shared/workload.ts";
import { wrongRange } from "./webhooks/address.ts";

const Environment = z.object({
  MONGODB_URL: z
    .string("where MongoDB is, e.g. mongodb://127.0.0.1:27017/?replicaSet=rs0")
    .regex(/^mongodb(\+srv)?:\/\//, "must start with mongodb:// or mongodb+srv://"),
  MONGODB_DATABASE: z.string().default("docket"),
  NATS_URL: z.string("where NATS is, e.g. nats://127.0.0.1:4222; several are separated by commas"),
  NATS_USER: z.string().optional(),
  NATS_PASSWORD: z.string().optional(),
  DOCKET_HOST: z.string().default("127.0.0.1"),
  DOCKET_PORT: envInt(4000).pipe(z.int().max(65_535, "a port is at most 65535")),
  DOCKET_ALLOWED_HOSTS: z.string().default(""),
  DOCKET_CAPABILITY_SECRET: z
    .string("a secret of at least 32 characters, the same on every server")
    .min(32, "must have at least 32 characters"),
  DOCKET_TOPOLOGY_PREFIX: z.string().default(""),
  DOCKET_REPLICAS: envInt(1, 1),
  /** Left out: all. */
  DOCKET_LANGUAGES: envList(LanguageId).optional(),
  /** Folders of kinds of work besides judging: shared/workload.ts. */
  DOCKET_WORKLOADS: WorkloadFolders,
  DOCKET_SCALE: ScaleByPool,
  DOCKET_WEBHOOK_ALLOW: envList(z.string())
    .default([])
    .check(({ value, issues }) => {
      for (const range of value) {
        const message = wrongRange(range);
        if (message !== undefined) issues.push({ code: "custom", message, input: value });
      }
    }),
  DOCKET_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  ...otlpVariables,
  DOCKET_GRACE_MS: envInt(10_000),
  /** Tests only: shared/crashpoint.ts. */
  DOCKET_CRASH_AT: z.string().optional(),
});

export interface Config {
  readonly environment: z.infer<typeof Environment>;
  readonly allowedHosts: readonly string[];
  readonly limits: Limits;
}

/** Throws EnvironmentError that names everything that is wrong, limits included. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (error instanceof EnvironmentError) problems.push(...error.problems);
      else if (error instanceof RangeError) problems.push(...error.message.split("\n"));
      else throw error;
      return undefined;
    }
  };
  const environment = attempt(() => readEnv(Environment, env));
  const limits = attempt(() => readLimits(env));
  if (environment === undefined || limits === undefined) throw new EnvironmentError(problems);
  return {
    environment,
    limits,
    allowedHosts: environment.DOCKET_ALLOWED_HOSTS.split(",")
      .map((host) => host.trim())
      .filter((host) => host !== ""),
  };
}
