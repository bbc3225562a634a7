import { z } from "zod";
import { lanesFromText, lanesOf } from "../shared/lane.ts";
import type { Client } from "./client.ts";
import { ask, mutation } from "./mutation.ts";
import { operation } from "./operations.ts";
import { type Output, plain } from "./output.ts";
import { CliTrouble } from "./trouble.ts";

export const SETTINGS_FIELDS = "pool slots lanes { lane weight } hold reason executors applied by at";

export const SettingsView = z.object({
  pool: z.string(),
  slots: z.int().nullable(),
  lanes: z.array(z.object({ lane: z.string(), weight: z.int() })).nullable(),
  hold: z.enum(["PAUSED", "DRAINING"]).nullable(),
  reason: z.string().nullable(),
  executors: z.int(),
  applied: z.int(),
  by: z.string(),
  at: z.string(),
});
export type SettingsView = z.infer<typeof SettingsView>;

const SET = mutation("setPool", `settings { ${SETTINGS_FIELDS} }`, z.object({ settings: SettingsView }));

const LIST = operation(
  `query { poolSettings { ${SETTINGS_FIELDS} } }`,
  z.object({ poolSettings: z.array(SettingsView) }),
);

/** What is changed of a pool, in one line. */
export function settingsLine(out: Output, one: SettingsView): string {
  const lanes = one.lanes?.map(({ lane, weight }) => `${lane.toLowerCase()}=${weight}`).join(",");
  const hold = one.hold === null ? [] : [out.warn(`${one.hold.toLowerCase()}: ${plain(one.reason ?? "")}`)];
  const parts = [
    `slots ${one.slots ?? "as configured"}`,
    `lanes ${lanes ?? "as configured"}`,
    ...hold,
    `on ${one.applied} of ${one.executors} executors`,
    `by ${plain(one.by)} at ${one.at}`,
  ];
  return `${out.bold(one.pool)}  ${parts.join(", ")}`;
}

export interface SetOptions {
  /** A number, or "configured". */
  readonly slots?: string;
  /** "contest=4,practice=1", or "configured". */
  readonly lanes?: string;
}

const AS_CONFIGURED = "configured";

function slotsOf(text: string): number | null {
  if (text === AS_CONFIGURED) return null;
  if (!/^\d{1,4}$/.test(text)) throw new CliTrouble(`--slots: a number, or ${AS_CONFIGURED}; not ${text}.`);
  return Number(text);
}

function lanesInput(text: string): object | null {
  if (text === AS_CONFIGURED) return null;
  const lanes = lanesFromText(text);
  if (typeof lanes === "string") throw new CliTrouble(`--lanes: ${lanes}, or ${AS_CONFIGURED}.`);
  return lanesOf(lanes).map((lane) => ({ lane: lane.toUpperCase(), weight: lanes[lane] ?? 0 }));
}

/** Throws ApiRefusal, CliTrouble. */
export async function setPool(
  client: Client,
  out: Output,
  given: { readonly pool: string; readonly options: SetOptions; readonly json: boolean },
): Promise<void> {
  const { pool, options } = given;
  const { settings } = await ask(client, SET, {
    pool,
    ...(options.slots === undefined ? {} : { slots: slotsOf(options.slots) }),
    ...(options.lanes === undefined ? {} : { lanes: lanesInput(options.lanes) }),
  });
  if (given.json) out.json(settings);
  else out.line(settingsLine(out, settings));
}

export async function listPoolSettings(client: Client, out: Output, json: boolean): Promise<void> {
  const { poolSettings } = await client.request(LIST);
  if (json) return out.json(poolSettings);
  for (const one of poolSettings) out.line(settingsLine(out, one));
  if (poolSettings.length === 0) out.line("All pools are as configured.");
}
