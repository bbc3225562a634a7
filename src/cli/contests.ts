import { z } from "zod";
import type { Client } from "./client.ts";
import { operation } from "./operations.ts";
import { type Output, plain, table } from "./output.ts";
import { ApiRefusal } from "./trouble.ts";

const fields = `id name startsAt endsAt open participants version problems { id }`;

const ContestView = z.object({
  id: z.string(),
  name: z.string(),
  startsAt: z.string(),
  endsAt: z.string(),
  open: z.boolean(),
  participants: z.array(z.string()).nullable(),
  version: z.int(),
  problems: z.array(z.object({ id: z.string() })).nullable(),
});
type ContestView = z.infer<typeof ContestView>;

const Kept = z.union([
  z.object({ contest: ContestView }),
  z.object({ code: z.string(), message: z.string() }),
]);

const CREATE = operation(
  `mutation ($input: CreateContestInput!) { createContest(input: $input) {
    ... on CreateContestSuccess { contest { ${fields} } } ... on UserError { code message } } }`,
  z.object({ createContest: Kept }),
);

const UPDATE = operation(
  `mutation ($input: UpdateContestInput!) { updateContest(input: $input) {
    ... on UpdateContestSuccess { contest { ${fields} } } ... on UserError { code message } } }`,
  z.object({ updateContest: Kept }),
);

const CONTESTS = operation(
  `query ($after: String) { contests(first: 100, after: $after) {
    edges { node { ${fields} } } pageInfo { endCursor hasNextPage } } }`,
  z.object({
    contests: z.object({
      edges: z.array(z.object({ node: ContestView })),
      pageInfo: z.object({ endCursor: z.string().nullable(), hasNextPage: z.boolean() }),
    }),
  }),
);

export interface ContestOptions {
  readonly name?: string;
  readonly from?: string;
  readonly to?: string;
  readonly problem?: readonly string[];
  readonly participant?: readonly string[];
  readonly open?: true;
  /** Of all its submissions together, `<per second>:<burst>`. */
  readonly rate?: string;
}

function inputOf(id: string, options: ContestOptions): object {
  const [perSecond, burst] = options.rate?.split(":").map(Number) ?? [];
  return {
    id,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.from === undefined ? {} : { startsAt: options.from }),
    ...(options.to === undefined ? {} : { endsAt: options.to }),
    ...(options.problem === undefined ? {} : { problems: options.problem }),
    ...(options.participant === undefined ? {} : { participants: options.participant }),
    ...(options.open === undefined ? {} : { open: true }),
    ...(options.rate === undefined ? {} : { rate: { perSecond, burst } }),
  };
}

const peopleOf = ({ open, participants }: ContestView): string =>
  open ? "open" : `${participants?.length ?? "named"} participants`;

function show(out: Output, json: boolean, kept: z.infer<typeof Kept>): void {
  if ("code" in kept) throw new ApiRefusal(kept.code, kept.message);
  const { contest } = kept;
  if (json) return out.json(contest);
  const problems = contest.problems?.map((problem) => problem.id).join(" ") ?? "";
  out.line(
    `${out.bold(contest.id)}  ${plain(contest.name)}, ${contest.startsAt} to ${contest.endsAt}, ${peopleOf(contest)}: ${problems}`,
  );
}

/** Makes a contest. Throws ApiRefusal. */
export async function createContest(
  client: Client,
  out: Output,
  given: { readonly id: string; readonly options: ContestOptions; readonly json: boolean },
): Promise<void> {
  const { createContest: kept } = await client.request(CREATE, { input: inputOf(given.id, given.options) });
  show(out, given.json, kept);
}

/** Changes what the options say of it. Throws ApiRefusal. */
export async function updateContest(
  client: Client,
  out: Output,
  given: { readonly id: string; readonly options: ContestOptions; readonly json: boolean },
): Promise<void> {
  const { updateContest: kept } = await client.request(UPDATE, { input: inputOf(given.id, given.options) });
  show(out, given.json, kept);
}

export async function listContests(
  client: Client,
  out: Output,
  { json }: { readonly json: boolean },
): Promise<void> {
  const contests: ContestView[] = [];
  let after: string | null = null;
  do {
    const { contests: page }: z.infer<(typeof CONTESTS)["data"]> = await client.request(CONTESTS, { after });
    contests.push(...page.edges.map(({ node }) => node));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  if (json) return out.json(contests);
  const rows = contests.map((one) => [
    one.id,
    plain(one.name),
    one.startsAt,
    one.endsAt,
    peopleOf(one),
    one.problems?.map((problem) => problem.id).join(" ") ?? "(not yet)",
  ]);
  if (rows.length === 0) out.line("There are no contests: docket contests create --help");
  else
    for (const line of table([["id", "name", "from", "to", "who", "problems"], ...rows], {
      paint: (cell, row) => (row === 0 ? out.dim(cell) : cell),
    }))
      out.line(line);
}
