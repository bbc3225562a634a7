import { type Client, createClient } from "graphql-ws";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/** A few subscribers among all who submit: what each one sees of its submission, whatever breaks. */

const View = z.object({
  verdictUpdated: z.object({
    revision: z.int(),
    state: z.enum(["PENDING", "QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELLED"]),
    verdict: z.string().nullable(),
  }),
});

const QUERY = `subscription ($id: ID!, $afterRevision: Int) {
  verdictUpdated(submissionId: $id, afterRevision: $afterRevision) { revision state verdict }
}`;

const FINAL: ReadonlySet<string> = new Set(["FINISHED", "FAILED", "CANCELLED"]);

export interface Followed {
  readonly id: string;
  /** Revisions of the final states it was shown; exactly one is right. */
  readonly finals: number[];
  /** What it must never see: a revision that does not grow, a state after the final one. */
  readonly wrongs: string[];
  resumes: number;
}

export interface Following {
  follow(id: string): void;
  /** Waits until each has seen its end, at most so long; then what each has seen. */
  finish(withinMs: number): Promise<readonly Followed[]>;
}

/** A socket whose other end is silent for so long is given up, milliseconds. */
const PING_MS = 2_000;

function socketsTo(url: string, token: string): Client {
  let late: NodeJS.Timeout | undefined;
  const client = createClient({
    url: `${url.replace(/^http/, "ws")}/graphql`,
    connectionParams: { Authorization: `Bearer ${token}` },
    retryAttempts: 0,
    keepAlive: PING_MS,
    lazyCloseTimeout: 1_000,
    on: {
      ping: (received) => {
        if (!received) late = setTimeout(() => client.terminate(), PING_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(late);
      },
      closed: () => clearTimeout(late),
    },
  });
  return client;
}

export function startFollowing(urls: readonly string[], token: string): Following {
  const clients = urls.map((url) => socketsTo(url, token));
  const all: Followed[] = [];
  const running = new Set<Promise<void>>();
  const stopped = new AbortController();
  let turn = 0;

  /** One connection's worth of states. */
  async function listen(of: Followed, seen: { revision: number | undefined }): Promise<void> {
    const client = clients[turn++ % clients.length];
    if (client === undefined) return;
    const states = client.iterate({ query: QUERY, variables: { id: of.id, afterRevision: seen.revision } });
    stopped.signal.addEventListener("abort", () => void states.return?.(), { once: true });
    for await (const result of states) {
      if (result.errors !== undefined) return;
      const { verdictUpdated: view } = View.parse(result.data);
      if (of.finals.length > 0) of.wrongs.push(`${view.state} after the final state`);
      if (seen.revision !== undefined && view.revision <= seen.revision) {
        of.wrongs.push(`revision ${view.revision} after ${seen.revision}`);
      }
      seen.revision = view.revision;
      if (FINAL.has(view.state)) of.finals.push(view.revision);
    }
  }

  async function followToTheEnd(of: Followed): Promise<void> {
    const seen = { revision: undefined as number | undefined };
    while (!stopped.signal.aborted) {
      await listen(of, seen).catch(() => undefined);
      if (of.finals.length > 0) break;
      of.resumes += 1;
      await sleep(200);
    }
    // Once more, as a client does that lost its connection just then: there must be nothing more to hear.
    await Promise.race([listen(of, seen).catch(() => undefined), sleep(5_000)]);
  }

  return {
    follow(id) {
      const of: Followed = { id, finals: [], wrongs: [], resumes: 0 };
      all.push(of);
      const one: Promise<void> = followToTheEnd(of).finally(() => running.delete(one));
      running.add(one);
    },
    async finish(withinMs) {
      await Promise.race([Promise.all(running), sleep(withinMs)]);
      stopped.abort();
      for (const client of clients) await client.dispose();
      return all;
    },
  };
}
