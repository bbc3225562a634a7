import type { PoolSetup } from "../../src/shared/pool.ts";

export const SERVER_NAMESPACE = "docket";
export const EXECUTOR_NAMESPACE = "docket-executors";

/** Brokers, so copies of each stream. */
export const REPLICAS = 3;

/** One executor of each pool stays when nothing waits: its languages remain offered and the next job starts at once. */
export const LEAST_EXECUTORS = 1;
/** Most executors of a pool; each has a user at the broker, made beforehand. */
export const MOST_EXECUTORS = 20;

type Named = Pick<PoolSetup, "pool">;

/** The StatefulSet of a pool; its pods are named by it and a number from 0. */
export const statefulSetOf = ({ pool }: Named): string => `${pool}-executor`;

/** Every executor that a pool may ever have. */
export const executorsOf = (pool: Named): string[] =>
  Array.from({ length: MOST_EXECUTORS }, (_, ordinal) => `${statefulSetOf(pool)}-${ordinal}`);
