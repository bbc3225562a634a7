import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { LanguageId } from "../shared/language.ts";
import { type ApiAccess, ask } from "./api.ts";

const Fleet = z.object({
  executors: z.array(z.object({ name: z.string(), state: z.string() })),
  languages: z.array(
    z.object({
      language: z.object({ id: LanguageId, name: z.string() }),
      offered: z.boolean(),
      versions: z.array(z.string()),
      reasons: z.array(z.string()),
    }),
  ),
});
export type LanguageState = z.infer<typeof Fleet>["languages"][number];

const FLEET = `{
  executors { name state }
  languages { language { id name } offered versions reasons }
}`;

const LOOK_MS = 50;
const HEARD_MS = 15_000;

/** Waits until the server has heard of all executors, then says what they offer. `api` needs a jury key. */
export async function offeredLanguages(
  api: ApiAccess,
  executors: readonly string[],
): Promise<readonly LanguageState[]> {
  const until = performance.now() + HEARD_MS;
  for (;;) {
    const fleet = await ask(api, Fleet, FLEET);
    const heard = new Set(fleet.executors.filter((one) => one.state !== "STARTING").map((one) => one.name));
    if (executors.every((name) => heard.has(name))) return fleet.languages;
    if (performance.now() > until) {
      const silent = executors.filter((name) => !heard.has(name)).join(", ");
      throw new Error(`the server has not heard of these executors: ${silent}`);
    }
    await sleep(LOOK_MS);
  }
}
