import { unlessAborted } from "../shared/unlessaborted.ts";
import { readPools } from "../supervisor/pools.ts";
import { readSettings } from "../supervisor/settings.ts";
import { startStack } from "../supervisor/stack.ts";
import { findRunningStack, type RunningStack } from "../supervisor/stackfile.ts";
import { type Client, createClient } from "./client.ts";
import type { Output } from "./output.ts";
import { CliTrouble } from "./trouble.ts";

export interface ConnectOptions {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly ephemeral?: boolean | undefined;
}

export interface ConnectDeps {
  readonly env: NodeJS.ProcessEnv;
  /** Progress, for a person. */
  readonly notes: Output;
  /** Aborted by Ctrl-C, with Interrupted as its reason: a stack of its own is stopped before the command ends. */
  readonly signal: AbortSignal;
}

const sameServer = (a: string, b: string): boolean => a.replace(/\/$/, "") === b.replace(/\/$/, "");

/** Key of the local stack for `role`, when `url` is that stack. */
function keyOf(stack: RunningStack | undefined, url: string, role: Role): string | undefined {
  return stack !== undefined && sameServer(stack.url, url) ? stack.keys[role] : undefined;
}

type Role = "participant" | "jury";

async function connectEphemeral<Result>(
  deps: ConnectDeps,
  role: Role,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { env, notes, signal } = deps;
  notes.line(notes.dim("Starting a stack of its own for this command …"));
  const pools = await readPools(readSettings(env).DOCKET_CONFIG);
  const stack = await startStack({
    pools,
    env,
    signal,
    onEvent: (event) => {
      if (event.type === "died") notes.line(notes.warn(`${event.process} died and is started again`));
    },
  });
  try {
    const client = createClient({ url: stack.url, token: stack.keys[role] });
    try {
      return await unlessAborted(use(client), signal);
    } finally {
      await client.close();
    }
  } finally {
    await stack.stop();
  }
}

/**
 * Runs `use` with a client for --url / DOCKET_URL, else for the stack that `npm start` runs, or with --ephemeral for a
 * stack made for this command alone. Throws CliTrouble when there is none.
 */
export async function withClient<Result>(
  deps: ConnectDeps,
  options: ConnectOptions,
  role: Role,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  if (options.ephemeral === true) return await connectEphemeral(deps, role, use);
  const stack = await findRunningStack(deps.env);
  const url = options.url ?? deps.env["DOCKET_URL"] ?? stack?.url;
  if (url === undefined) {
    throw new CliTrouble(
      "No Docket is running here. Start one with npm start, name one with --url or DOCKET_URL, or use --ephemeral.",
    );
  }
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new CliTrouble(`${url} is no address of a server: give something like http://127.0.0.1:4000.`);
  }
  const token = options.token ?? deps.env["DOCKET_TOKEN"] ?? keyOf(stack, url, role);
  if (token === undefined) {
    throw new CliTrouble(`An API key for ${url} is needed: give --token or DOCKET_TOKEN.`);
  }
  const client = createClient({ url, token });
  try {
    return await unlessAborted(use(client), deps.signal);
  } finally {
    await client.close();
  }
}
