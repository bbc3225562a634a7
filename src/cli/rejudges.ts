import { setTimeout as wait } from "node:timers/promises";
import type { Client } from "./client.ts";
import type { Operation } from "./operations.ts";
import { type Output, plain } from "./output.ts";
import {
  APPLY_REJUDGE,
  CANCEL_REJUDGE,
  CANCEL_SUBMISSION,
  CREATE_REJUDGE,
  type ItemPage,
  REJUDGE,
  REJUDGE_ITEMS,
  REJUDGES,
  type RejudgeView,
} from "./rejudgeoperations.ts";
import { ApiRefusal, CliTrouble } from "./trouble.ts";

export interface RejudgeOptions {
  readonly problem?: string;
  readonly language?: string;
  readonly contest?: string;
  readonly verdict?: string;
  readonly owner?: string;
  readonly since?: string;
  readonly before?: string;
  readonly reason: string;
  readonly priority?: string;
  readonly autoApply?: boolean;
}

const LOOK_MS = 500;

function lines(out: Output, one: RejudgeView): string[] {
  const { progress: of, skipped } = one;
  const left = of.pending + of.queued + of.running;
  const leftOutCount = skipped.unfinished + skipped.cancelled + skipped.busy;
  const counts = [`${one.selected} submissions`, `${of.finished} judged`];
  if (left > 0) counts.push(`${left} to go`);
  if (of.failed > 0) counts.push(`${of.failed} could not be judged`);
  if (of.cancelled > 0) counts.push(`${of.cancelled} cancelled`);
  const leftOut = `left out: ${skipped.unfinished} being judged, ${skipped.cancelled} cancelled, ${skipped.busy} in another rejudge`;
  const changed = one.changes.filter(({ from, to }) => from !== to);
  return [
    `${out.bold(one.id)}  ${one.state}  by ${plain(one.by)}, ${one.createdAt}: ${plain(one.reason)}`,
    `  ${counts.join(", ")}`,
    ...(leftOutCount > 0 ? [out.warn(`  ${leftOut}`)] : []),
    ...(changed.length === 0 ? ["  no verdict changes"] : []),
    ...changed.map(({ from, to, count }) => `  ${from} → ${to}  ${count}`),
    ...(one.applied === null
      ? []
      : [
          `  applied by ${plain(one.applied.by)}: ${one.applied.moved ?? 0} count now, ${one.applied.superseded ?? 0} superseded, ${one.applied.kept ?? 0} kept`,
        ]),
  ];
}

function show(out: Output, json: boolean, one: RejudgeView): void {
  if (json) out.json(one);
  else for (const line of lines(out, one)) out.line(line);
}

type Answer = { readonly answer: { readonly rejudge: RejudgeView } | { code: string; message: string } };

async function ask(client: Client, mutation: Operation<Answer>, input: object): Promise<RejudgeView> {
  const { answer } = await client.request(mutation, { input });
  if ("rejudge" in answer) return answer.rejudge;
  throw new ApiRefusal(answer.code, answer.message);
}

async function find(client: Client, id: string): Promise<RejudgeView> {
  const { rejudge } = await client.request(REJUDGE, { id });
  if (rejudge === null) throw new CliTrouble(`There is no rejudge ${id}.`);
  return rejudge;
}

/** Asks until it waits for somebody's word or is closed. */
async function follow(client: Client, id: string): Promise<RejudgeView> {
  for (;;) {
    const one = await find(client, id);
    if (["READY", "APPLIED", "CANCELLED"].includes(one.state)) return one;
    await wait(LOOK_MS);
  }
}

export async function createRejudge(
  client: Client,
  out: Output,
  input: RejudgeOptions & {
    readonly ids: readonly string[];
    readonly watch: boolean;
    readonly json: boolean;
  },
): Promise<void> {
  const { ids, watch, json, reason, priority, autoApply, ...given } = input;
  const members = Object.entries(given).filter(([, value]) => value !== undefined);
  const filter = ids.length > 0 ? { ids } : Object.fromEntries(members);
  if (ids.length > 0 && members.length > 0) throw new CliTrouble("Give ids or a filter, and not both.");
  if (Object.keys(filter).length === 0) throw new CliTrouble("Say which: ids, --problem, --verdict, …");
  const more = { priority: (priority ?? "low").toUpperCase(), autoApply: autoApply ?? false };
  const made = await ask(client, CREATE_REJUDGE, { filter, reason, ...more });
  show(out, json, watch ? await follow(client, made.id) : made);
}

export async function listRejudges(client: Client, out: Output, json: boolean): Promise<void> {
  const { rejudges } = await client.request(REJUDGES, { first: 20 });
  const all = rejudges.edges.map(({ node }) => node);
  if (json) return out.json(all);
  if (all.length === 0) out.line("No rejudges.");
  for (const one of all) show(out, false, one);
}

export async function showRejudge(
  client: Client,
  out: Output,
  input: { readonly id: string; readonly changed: boolean; readonly watch: boolean; readonly json: boolean },
): Promise<void> {
  const { id, json } = input;
  show(out, json, input.watch ? await follow(client, id) : await find(client, id));
  if (!input.changed || json) return;
  let after: string | null = null;
  do {
    const variables: Record<string, unknown> = { id, after, changedOnly: true };
    const answer: { rejudge: { items: ItemPage } | null } = await client.request(REJUDGE_ITEMS, variables);
    if (answer.rejudge === null) return;
    const { edges, pageInfo } = answer.rejudge.items;
    for (const { node } of edges) {
      const { submission: of, from, to } = node;
      const was = from.verdict ?? from.state;
      out.line(`  ${of.id}  ${plain(of.owner)}  ${of.language.id}  ${was} → ${to.verdict ?? to.state}`);
    }
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
}

export async function closeRejudge(
  client: Client,
  out: Output,
  input: { readonly id: string; readonly how: "apply" | "cancel"; readonly json: boolean },
): Promise<void> {
  const mutation = input.how === "apply" ? APPLY_REJUDGE : CANCEL_REJUDGE;
  show(out, input.json, await ask(client, mutation, { id: input.id }));
}

export async function cancelByName(client: Client, out: Output, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const { answer } = await client.request(CANCEL_SUBMISSION, { input: { id } });
    if ("code" in answer) throw new ApiRefusal(answer.code, `${id}: ${answer.message}`);
    out.line(`${out.good("cancelled")}  ${answer.submission.id}`);
  }
}
