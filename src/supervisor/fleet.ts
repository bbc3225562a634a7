import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../cli/client.ts";
import { EXECUTORS, LANGUAGES } from "../cli/operations.ts";
import { NOT_INSTALLED } from "../shared/language.ts";

export interface LanguageState {
  readonly language: { readonly id: string; readonly name: string };
  readonly offered: boolean;
  readonly versions: readonly string[];
  readonly reasons: readonly string[];
}

export interface Fleet {
  readonly languages: readonly LanguageState[];
  /** What is installed and does not work, executor by executor. */
  readonly broken: readonly {
    readonly executor: string;
    readonly language: string;
    readonly reason: string;
  }[];
}

const LOOK_MS = 50;
const HEARD_MS = 15_000;

/** Waits until the server has heard of all executors, then says what they offer. The client needs a jury key. */
export async function heardFleet(client: Client, names: readonly string[]): Promise<Fleet> {
  const until = performance.now() + HEARD_MS;
  for (;;) {
    const { executors } = await client.request(EXECUTORS);
    const heard = new Set(executors.filter((one) => one.state !== "STARTING").map((one) => one.name));
    if (names.every((name) => heard.has(name))) {
      const { languages } = await client.request(LANGUAGES);
      const broken = executors.flatMap(({ name: executor, notOffered }) =>
        notOffered
          .filter(({ reason }) => !reason.startsWith(NOT_INSTALLED))
          .map(({ id: language, reason }) => ({ executor, language, reason })),
      );
      return { languages, broken };
    }
    if (performance.now() > until) {
      const silent = names.filter((name) => !heard.has(name)).join(", ");
      throw new Error(`the server has not heard of these executors: ${silent}`);
    }
    await sleep(LOOK_MS);
  }
}
