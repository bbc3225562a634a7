import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../cli/client.ts";
import { EXECUTORS, LANGUAGES } from "../cli/operations.ts";

export interface LanguageState {
  readonly language: { readonly id: string; readonly name: string };
  readonly offered: boolean;
  readonly versions: readonly string[];
  readonly reasons: readonly string[];
}

const LOOK_MS = 50;
const HEARD_MS = 15_000;

/** Waits until the server has heard of all executors, then says what they offer. The client needs a jury key. */
export async function offeredLanguages(
  client: Client,
  names: readonly string[],
): Promise<readonly LanguageState[]> {
  const until = performance.now() + HEARD_MS;
  for (;;) {
    const { executors } = await client.request(EXECUTORS);
    const heard = new Set(executors.filter((one) => one.state !== "STARTING").map((one) => one.name));
    if (names.every((name) => heard.has(name))) return (await client.request(LANGUAGES)).languages;
    if (performance.now() > until) {
      const silent = names.filter((name) => !heard.has(name)).join(", ");
      throw new Error(`the server has not heard of these executors: ${silent}`);
    }
    await sleep(LOOK_MS);
  }
}
