import { createClient as createSockets } from "graphql-ws";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { isFinal, type Operation, SUBMISSION, type SubmissionView, WATCH } from "./operations.ts";
import { ApiRefusal, CliTrouble, ServerUnreachable } from "./trouble.ts";

export interface ClientAccess {
  /** http://127.0.0.1:4000 */
  readonly url: string;
  readonly token: string;
}

export interface Client {
  readonly url: string;
  /** Throws ServerUnreachable, ApiRefusal. */
  request<Data>(operation: Operation<Data>, variables?: Record<string, unknown>): Promise<Data>;
  /** A mutation whose variable `input.archive` is a file (GraphQL multipart request). */
  upload<Data>(
    operation: Operation<Data>,
    input: Record<string, unknown>,
    archive: { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> },
  ): Promise<Data>;
  /**
   * The submission now, then every newer state up to the final one. Goes on after a broken connection from the last
   * revision seen, and asks by itself while there is none.
   */
  watch(submissionId: string): AsyncGenerator<SubmissionView, void>;
  close(): Promise<void>;
}

const Answer = z.object({
  data: z.unknown().optional(),
  errors: z
    .array(
      z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).optional() }),
    )
    .optional(),
});

/** How long a watch goes on without any answer before it gives up, milliseconds. */
const PATIENCE_MS = 60_000;
const LONGEST_PAUSE_MS = 2_000;
/** An answer is given up after so long, milliseconds. */
const REQUEST_MS = 30_000;
/** A large package takes its time to send, unpack and store. */
const UPLOAD_MS = 15 * 60_000;
/** A socket is asked for a sign of life this often, and given up when none comes for as long, milliseconds. */
const PING_MS = 5_000;
/** Close codes with which the server turns a key down. */
const REFUSING = new Set([4401, 4403]);

/** Codes of a connection that never came about. */
const UNHEARD = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

function dataOf<Data>(operation: Operation<Data>, answer: unknown): Data {
  const parsed = Answer.safeParse(answer);
  if (!parsed.success) throw new CliTrouble("The answer is not one of Docket's: is this the right address?");
  const [error] = parsed.data.errors ?? [];
  if (error !== undefined) throw new ApiRefusal(error.extensions?.code ?? "UNKNOWN", error.message);
  const data = operation.data.safeParse(parsed.data.data);
  if (data.success) return data.data;
  throw new CliTrouble(
    `The server's answer has another shape than this version knows: ${z.prettifyError(data.error)}`,
  );
}

const isRefusing = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && REFUSING.has(Number(error.code));

export function createClient(access: ClientAccess): Client {
  const endpoint = `${access.url.replace(/\/$/, "")}/graphql`;
  const headers = {
    authorization: `Bearer ${access.token}`,
    accept: "application/json",
    // The server's guard against forged multipart requests of browsers wants some header of this name.
    "x-graphql-yoga-csrf": "docket",
  };
  let late: NodeJS.Timeout | undefined;
  const sockets = createSockets({
    url: endpoint.replace(/^http/, "ws"),
    connectionParams: { Authorization: headers.authorization },
    retryAttempts: 0,
    lazyCloseTimeout: 500,
    // A connection that looks open and is not (a laptop that slept, a network that changed) says nothing for ever.
    keepAlive: PING_MS,
    on: {
      ping: (received) => {
        if (!received) late = setTimeout(() => sockets.terminate(), PING_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(late);
      },
      closed: () => clearTimeout(late),
    },
  });

  async function post<Data>(operation: Operation<Data>, init: RequestInit, timeoutMs: number): Promise<Data> {
    let text: string;
    try {
      const signal = AbortSignal.timeout(timeoutMs);
      const response = await fetch(endpoint, { method: "POST", signal, ...init });
      text = await response.text();
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      const unheard = cause instanceof Error && "code" in cause && UNHEARD.has(String(cause.code));
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ServerUnreachable(`No answer from ${access.url}: ${why}`, unheard);
    }
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {
      throw new CliTrouble(`${access.url} answers something that is not JSON: is a Docket server there?`);
    }
    return dataOf(operation, answer);
  }

  const request: Client["request"] = (operation, variables = {}) =>
    post(
      operation,
      {
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({ query: operation.query, variables }),
      },
      REQUEST_MS,
    );

  /** States over one connection, as long as it holds. */
  async function* subscribe(id: string, afterRevision: number | undefined): AsyncGenerator<SubmissionView> {
    const results = sockets.iterate({ query: WATCH.query, variables: { id, afterRevision } });
    try {
      for await (const result of results) yield dataOf(WATCH, result).verdictUpdated;
    } catch (error) {
      if (error instanceof CliTrouble) throw error;
      if (isRefusing(error))
        throw new ApiRefusal("UNAUTHENTICATED", "The server does not take this API key.");
      // Any other end of a connection is a pause: the caller asks again.
    }
  }

  async function* watch(submissionId: string): AsyncGenerator<SubmissionView, void> {
    let seen: SubmissionView | undefined;
    let heardAt = Date.now();
    for (let failures = 0; ; failures++) {
      for await (const view of subscribe(submissionId, seen?.revision)) {
        failures = 0;
        heardAt = Date.now();
        if (seen !== undefined && view.revision <= seen.revision) continue;
        seen = view;
        yield view;
      }
      if (seen !== undefined && isFinal(seen)) return;
      try {
        const { submission } = await request(SUBMISSION, { id: submissionId });
        heardAt = Date.now();
        if (submission === null)
          throw new CliTrouble(`There is no submission ${submissionId} that you may see.`);
        if (seen === undefined || submission.revision > seen.revision) {
          seen = submission;
          yield submission;
        }
        if (isFinal(submission)) return;
      } catch (error) {
        if (!(error instanceof ServerUnreachable) || Date.now() - heardAt > PATIENCE_MS) throw error;
      }
      await wait(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** Math.min(failures, 5)));
    }
  }

  return {
    url: access.url,
    request,
    upload: (operation, input, archive) => {
      const form = new FormData();
      const variables = { input: { ...input, archive: null } };
      form.set("operations", JSON.stringify({ query: operation.query, variables }));
      form.set("map", JSON.stringify({ 0: ["variables.input.archive"] }));
      form.set("0", new Blob([archive.bytes]), archive.name);
      return post(operation, { headers, body: form }, UPLOAD_MS);
    },
    watch,
    close: async () => {
      await sockets.dispose();
    },
  };
}
