import { z } from "zod";
import type { Client } from "./client.ts";
import { ask, mutation } from "./mutation.ts";
import { type Output, plain } from "./output.ts";
import { SETTINGS_FIELDS, settingsLine, SettingsView } from "./poolsettings.ts";
import { CliTrouble } from "./trouble.ts";

/** What takes no further jobs for a while. */
export type PauseTarget =
  /** Or another kind of work. */
  { readonly language: string } | { readonly problem: string } | { readonly pool: string };

const about = { reason: z.string(), by: z.string(), at: z.string() };
const QueuePauses = z.object({ pauses: z.array(z.object({ queue: z.string(), ...about })) });
const ProblemPauses = z.object({
  pauses: z.array(z.object({ problemId: z.string(), waiting: z.int(), ...about })),
});
const Settings = z.object({ settings: SettingsView });

const QUEUES = "pauses { queue reason by at }";
const PROBLEMS = "pauses { problemId waiting reason by at }";
const POOL = `settings { ${SETTINGS_FIELDS} }`;

const PAUSE = {
  language: mutation("pauseQueue", QUEUES, QueuePauses),
  problem: mutation("pauseProblem", PROBLEMS, ProblemPauses),
  pool: mutation("pausePool", POOL, Settings),
};
const RESUME = {
  language: mutation("resumeQueue", QUEUES, QueuePauses),
  problem: mutation("resumeProblem", PROBLEMS, ProblemPauses),
  pool: mutation("resumePool", POOL, Settings),
};

interface Line {
  readonly name: string;
  readonly reason: string;
  readonly by: string;
  readonly at: string;
  readonly waiting?: number;
}

function show(out: Output, json: boolean, { what, lines }: { what: string; lines: readonly Line[] }): void {
  if (json) return out.json(lines);
  for (const { name, reason, by, at, waiting } of lines) {
    const waits = waiting === undefined ? "" : `, ${waiting} wait`;
    out.line(`${out.bold(name)}  paused by ${plain(by)} at ${at}${waits}: ${plain(reason)}`);
  }
  if (lines.length === 0) out.line(`No ${what} is paused.`);
}

/** Pauses with these words, or without any lets it go on; shows what is paused of its kind then. */
async function change(
  client: Client,
  out: Output,
  given: {
    readonly target: PauseTarget;
    readonly by: typeof PAUSE;
    readonly input: { readonly reason?: string; readonly drain?: boolean };
    readonly json: boolean;
  },
): Promise<void> {
  const { target, by, input, json } = given;
  if ("pool" in target) {
    const { settings } = await ask(client, by.pool, { pool: target.pool, ...input });
    if (json) out.json(settings);
    else out.line(settingsLine(out, settings));
    return;
  }
  if (input.drain !== undefined)
    throw new CliTrouble("--drain is for a pool: a language or problem holds no jobs.");
  if ("problem" in target) {
    const { pauses } = await ask(client, by.problem, { problem: target.problem, ...input });
    const lines = pauses.map(({ problemId, ...more }) => ({ name: problemId, ...more }));
    return show(out, json, { what: "problem", lines });
  }
  const { pauses } = await ask(client, by.language, { queue: target.language, ...input });
  const lines = pauses.map(({ queue, ...more }) => ({ name: queue, ...more }));
  show(out, json, { what: "language", lines });
}

/** Throws ApiRefusal, CliTrouble. */
export async function pause(
  client: Client,
  out: Output,
  given: {
    readonly target: PauseTarget;
    readonly reason: string;
    readonly drain?: true | undefined;
    readonly json: boolean;
  },
): Promise<void> {
  const { target, reason, drain, json } = given;
  const input = { reason, ...(drain === undefined ? {} : { drain }) };
  await change(client, out, { target, by: PAUSE, input, json });
}

/** Throws ApiRefusal. */
export async function resume(
  client: Client,
  out: Output,
  { target, json }: { readonly target: PauseTarget; readonly json: boolean },
): Promise<void> {
  await change(client, out, { target, by: RESUME, input: {}, json });
}
