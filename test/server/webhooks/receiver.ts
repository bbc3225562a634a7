import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { until } from "../../support/processes.ts";

export interface Call {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}

/** A real HTTP server that webhooks are sent to. */
export interface Receiver {
  readonly url: string;
  readonly calls: Call[];
  /** How it answers the next calls; 200 when nothing is left to say. */
  answers: ((response: ServerResponse) => void)[];
  called(times: number): Promise<Call[]>;
  close(): Promise<void>;
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end();

export async function startReceiver(): Promise<Receiver> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      calls.push({ headers: request.headers, body, at: performance.now() });
      (receiver.answers.shift() ?? status(200))(response);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const receiver: Receiver = {
    url: `http://127.0.0.1:${address.port}/hook`,
    calls,
    answers: [],
    called: (times) => until(`${times} calls`, () => (calls.length >= times ? calls : undefined), 30_000),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return receiver;
}
