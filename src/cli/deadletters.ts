import type { Client } from "./client.ts";
import {
  DEAD_LETTERS,
  type DeadLetterPage,
  type DeadLetterView,
  DISCARD,
  REDRIVE,
  REDRIVE_MANY,
  REINSTATE,
  REJECTED,
} from "./deadletteroperations.ts";
import { type Output, plain, table } from "./output.ts";
import { ApiRefusal } from "./trouble.ts";

export interface DeadLetterOptions {
  readonly problem?: string;
  readonly language?: string;
  readonly code?: string;
  readonly since?: string;
  readonly before?: string;
}

/** The filter of the API; only what was given. */
const filterOf = ({ problem, language, code, since, before }: DeadLetterOptions): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ problem, language, code, since, before }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );

/** Throws the API's refusal, if it is one. */
function accepted<Answer extends object>(answer: Answer): Exclude<Answer, { code: string; message: string }> {
  const refusal: Partial<Record<"code" | "message", unknown>> = answer;
  if (typeof refusal.code === "string") throw new ApiRefusal(refusal.code, String(refusal.message));
  return answer as Exclude<Answer, { code: string; message: string }>;
}

function lines(out: Output, one: DeadLetterView): string[] {
  const { submission: of, tries, discarded } = one;
  const log = tries.findLast((go) => (go.log ?? "") !== "")?.log ?? "";
  return [
    `${out.bold(of.id)}  ${plain(of.problem?.name ?? "?")}, ${of.language.name}, of ${plain(of.owner)}`,
    `  ${out.bad(one.code)}  ${one.at}  ${plain(one.reason)}`,
    ...tries.map(
      (go) =>
        `  ${go.startedAt}  ${go.executor}  ${plain(go.end === null ? "died without a word" : `${go.end} ${go.faultCode ?? ""} ${go.message ?? ""}`).trimEnd()}`,
    ),
    ...(log === ""
      ? []
      : plain(log)
          .trimEnd()
          .split("\n")
          .slice(-5)
          .map((line) => out.dim(`    ${line}`))),
    ...(discarded === null
      ? []
      : [out.warn(`  discarded by ${plain(discarded.by)}: ${plain(discarded.reason)}`)]),
  ];
}

export async function listDeadLetters(
  client: Client,
  out: Output,
  options: DeadLetterOptions & { readonly discarded?: true; readonly json: boolean; readonly most: number },
): Promise<void> {
  const found: DeadLetterView[] = [];
  let after: string | null = null;
  do {
    const first = Math.min(50, options.most - found.length);
    const variables = { filter: filterOf(options), discarded: options.discarded === true, first, after };
    const answer: { deadLetters: DeadLetterPage } = await client.request(DEAD_LETTERS, variables);
    const { edges, pageInfo } = answer.deadLetters;
    found.push(...edges.map(({ node }) => node));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null && found.length < options.most);
  if (options.json) return out.json(found);
  if (found.length === 0) out.line("No dead letters.");
  for (const one of found) for (const line of lines(out, one)) out.line(line);
  if (after !== null) out.line(out.dim("There are more: --limit shows them."));
}

export async function redriveByName(client: Client, out: Output, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const answer = await client.request(REDRIVE, { input: { id } });
    const { submission } = accepted(answer.redriveDeadLetter);
    out.line(`${out.good("redriven")}  ${submission.id}  judging ${submission.judgement.generation}`);
  }
}

export async function redriveByFilter(
  client: Client,
  out: Output,
  options: DeadLetterOptions & { readonly all?: true; readonly most: number },
): Promise<void> {
  const filter = filterOf(options);
  const which = Object.keys(filter).length > 0 ? { filter } : {};
  const input = { ...which, ...(options.all ? { all: true } : {}), limit: options.most };
  const { redriven, more } = accepted((await client.request(REDRIVE_MANY, { input })).redriveDeadLetters);
  out.line(`${out.good("redriven")}  ${redriven}${more ? "; there are more, ask again" : ""}`);
}

export async function discardByName(
  client: Client,
  out: Output,
  { ids, reason }: { readonly ids: readonly string[]; readonly reason: string },
): Promise<void> {
  for (const id of ids) {
    const answer = await client.request(DISCARD, { input: { id, reason } });
    out.line(`${out.good("discarded")}  ${accepted(answer.discardDeadLetter).submission.id}`);
  }
}

export async function listRejected(
  client: Client,
  out: Output,
  { json }: { readonly json: boolean },
): Promise<void> {
  const { rejectedMessages } = await client.request(REJECTED);
  if (json) return out.json(rejectedMessages);
  if (rejectedMessages.length === 0) return out.line("No message was rejected.");
  const rows = rejectedMessages.map((one) => [
    one.at,
    one.source,
    one.reason,
    plain(one.place),
    plain(`${one.why}: ${one.excerpt}`),
  ]);
  for (const line of table(rows)) out.line(line);
}

export async function reinstate(
  client: Client,
  out: Output,
  { executor: name, language }: { readonly executor: string; readonly language?: string | undefined },
): Promise<void> {
  const input = { executor: name, ...(language === undefined ? {} : { language }) };
  const { executor } = accepted((await client.request(REINSTATE, { input })).reinstateExecutor);
  const offers = executor.languages.map(({ id }) => id).join(" ");
  out.line(
    `${executor.name} is ${executor.state.toLowerCase()} and offers ${offers === "" ? "nothing" : offers}`,
  );
  for (const { id, reason } of executor.notOffered) out.line(out.warn(`  no ${id}: ${plain(reason)}`));
}
