import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Service } from "../../shared/lifecycle.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import { asCodedError } from "../coded.ts";
import { sendProblem } from "./answer.ts";
import { checkHost, checkOrigin, crossOriginHeaders, type Door, SECURITY_HEADERS } from "./door.ts";
import type { Refused } from "../overflow.ts";
import type { Metrics } from "./metrics.ts";
import type { Places } from "./places.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  /** From here on it waits for news and is counted as a connection of its owner, not as a request under way. */
  readonly waits: () => void;
}

export interface Route {
  /** For metrics. */
  readonly name: string;
  readonly methods: readonly string[];
  /** Answered to any Host and Origin: health checks come by address. */
  readonly open?: true;
  /** Answered also when all places are taken: how one finds out why. */
  readonly vital?: true;
  handle(exchange: Exchange): void | Promise<void>;
}

export interface HttpDeps {
  readonly door: Door;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly limits: Pick<Limits, "connections" | "requestsAtOnce">;
  readonly refused: Refused;
  /** Requests under way. */
  readonly places: Places;
  /** The route of a path, if there is one. */
  readonly route: (path: string) => Route | undefined;
  /** A WebSocket handshake that passed the door; false when there is none at this path. */
  readonly upgrade: (path: string, request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;
}

export interface HttpInput {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** How long `stop` waits for requests to be answered, milliseconds. */
  readonly graceMs: number;
}

export interface HttpService extends Service {
  /** Known once started. */
  url(): string;
  /** The address as others on this machine reach it. */
  readonly name: string;
}

const pathOf = (request: IncomingMessage): { path: string; query: URLSearchParams } => {
  const target = request.url ?? "/";
  const mark = target.indexOf("?");
  return mark < 0
    ? { path: target, query: new URLSearchParams() }
    : { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
};

async function answer(deps: HttpDeps, route: Route | undefined, exchange: Exchange): Promise<void> {
  const { request, response, path } = exchange;
  if (route === undefined) {
    sendProblem(response, { code: "NOT_FOUND", message: `There is nothing at ${path}.` });
    return;
  }
  const refused =
    route.open === true
      ? undefined
      : (checkHost(deps.door, request.headers) ?? checkOrigin(deps.door, request.headers));
  if (refused !== undefined) {
    sendProblem(response, refused);
    return;
  }
  const crossOrigin = crossOriginHeaders(deps.door, request.headers);
  for (const [name, value] of Object.entries(crossOrigin ?? {})) response.setHeader(name, value);
  if (crossOrigin !== undefined && request.method === "OPTIONS") {
    const methods = route.methods.join(", ");
    response
      .writeHead(204, { "Access-Control-Allow-Methods": methods, "Access-Control-Max-Age": "600" })
      .end();
    return;
  }
  if (!route.methods.includes(request.method ?? "")) {
    const allow = route.methods.join(", ");
    sendProblem(
      response,
      { code: "METHOD_NOT_ALLOWED", message: `This address answers ${allow}.` },
      { Allow: allow },
    );
    return;
  }
  await route.handle(exchange);
}

/** What a handler threw: a coded answer, or our own fault. Too late for either once the answer has begun. */
function answerError(log: Log, { response, path }: Exchange, error: unknown): void {
  const coded = asCodedError(error);
  const gone = response.destroyed || response.writableEnded;
  if (coded === undefined && !gone) log.error({ err: error, path }, "a request failed");
  if (response.headersSent) response.destroy();
  else if (!gone) {
    sendProblem(
      response,
      coded ?? { code: "INTERNAL_SERVER_ERROR", message: "Something went wrong on our side." },
    );
  }
}

function serve(deps: HttpDeps, request: IncomingMessage, response: ServerResponse): void {
  const startedAt = performance.now();
  const { path, query } = pathOf(request);
  const route = deps.route(path);
  const leave = route?.vital === true ? (): void => undefined : deps.places.take();
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  response.once("close", () => {
    leave?.();
    const seconds = (performance.now() - startedAt) / 1000;
    const [name, method, status] = [route?.name ?? "none", request.method ?? "", response.statusCode];
    deps.metrics.request(name, method, status, seconds);
    deps.log.debug({ method, path, status, ms: Math.round(seconds * 1000) }, "answered");
  });
  if (leave === undefined) {
    const message = `This server answers ${deps.limits.requestsAtOnce} requests already (limit requestsAtOnce). Try again.`;
    const busy = { code: "SERVICE_UNAVAILABLE", message, retryAfterMs: BUSY_MS } as const;
    // What was not read of the body must not be taken for the next request.
    sendProblem(response, busy, { Connection: "close" });
    return;
  }
  const exchange = { request, response, path, query, waits: leave };
  answer(deps, route, exchange).catch((error: unknown) => answerError(deps.log, exchange, error));
}

function refuseUpgrade(socket: Duplex, status: string, message: string): void {
  const body = Buffer.from(message);
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${message}`,
  );
}

function upgrade(deps: HttpDeps, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on("error", (error) => deps.log.debug({ err: error }, "a socket broke"));
  const refused = checkHost(deps.door, request.headers) ?? checkOrigin(deps.door, request.headers);
  if (refused !== undefined) {
    refuseUpgrade(socket, "403 Forbidden", refused.message);
  } else if (!deps.upgrade(pathOf(request).path, request, socket, head)) {
    refuseUpgrade(socket, "404 Not Found", "There is no WebSocket at this address; use /graphql.");
  }
}

async function listen(server: Server, { host, port }: HttpInput): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, () => {
    server.off("error", reject);
    resolve();
  });
  await promise;
}

const IDLE_LOOK_MS = 25;
/** Who found no place may come again after this, milliseconds. */
const BUSY_MS = 1_000;

/** `stop` takes no new connections, lets requests finish within the grace time, then cuts what is left. */
export function createHttpService(deps: HttpDeps, input: HttpInput): HttpService {
  const server = createServer({ keepAliveTimeout: 65_000, headersTimeout: 20_000 });
  server.maxConnections = deps.limits.connections;
  server.on("drop", () => deps.refused("connections"));
  server.on("request", (request, response) => serve(deps, request, response));
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    upgrade(deps, request, socket, head),
  );
  let stopped: Promise<void> | undefined;

  async function close(): Promise<void> {
    if (!server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    // A connection becomes idle when its request has been answered: it is looked for again and again.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
    const timer = setTimeout(() => server.closeAllConnections(), input.graceMs);
    await promise;
    clearInterval(idle);
    clearTimeout(timer);
  }

  return {
    name: "http",
    start: async () => {
      if (!server.listening) await listen(server, input);
    },
    stop: () => (stopped ??= close()),
    url: () => {
      const { address, port, family } = server.address() as AddressInfo;
      const everywhere = address === "0.0.0.0" || address === "::";
      const host = everywhere ? "127.0.0.1" : family === "IPv6" ? `[${address}]` : address;
      return `http://${host}:${port}`;
    },
  };
}
