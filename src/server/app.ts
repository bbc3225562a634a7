import type { ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import type { Clock } from "../shared/clock.ts";
import { ProblemId } from "../shared/ids.ts";
import type { Service } from "../shared/lifecycle.ts";
import type { Limits } from "../shared/limits.ts";
import type { Log } from "../shared/log.ts";
import { type Authenticate, createAuthenticate, type Viewer } from "./auth.ts";
import type { Backbone } from "./backbone.ts";
import { countEvictions, countRefusals } from "./overflow.ts";
import type { Context } from "./graphql/context.ts";
import { schema } from "./graphql/schema.ts";
import { createSockets } from "./graphql/websocket.ts";
import { type Caller, createGraphQL } from "./graphql/yoga.ts";
import { sendJson, sendProblem } from "./http/answer.ts";
import { createBlobRoute } from "./http/blobs.ts";
import { createConnectionCounts } from "./http/connections.ts";
import { createDoor } from "./http/door.ts";
import { createGraphiQL } from "./http/graphiql.ts";
import { handleGraphQL } from "./http/graphqlroute.ts";
import { answerReady } from "./http/health.ts";
import { createMetrics } from "./http/metrics.ts";
import { createPlaces, type Places } from "./http/places.ts";
import { openApiDocument } from "./http/openapi.ts";
import { createHttpService, type Exchange, type Route } from "./http/server.ts";
import { getSubmission, postSubmission } from "./http/submissions.ts";
import { importPackage } from "./problems/importpackage.ts";
import type { Store } from "./store/store.ts";

export interface AppDeps {
  readonly store: Store;
  readonly backbone: Backbone;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
}

export interface AppInput {
  readonly host: string;
  readonly port: number;
  /** More host names that this server answers to. */
  readonly allowedHosts: readonly string[];
  readonly capabilitySecret: string;
  readonly graceMs: number;
}

/** Everything that speaks HTTP: GraphQL, REST, blobs, health and metrics, on one port. */
export interface App extends Service {
  url(): string;
}

const makeContext =
  (deps: AppDeps, authenticate: Authenticate, imports: Places) =>
  ({ authentication, authorization }: Caller): Context => {
    const { store, backbone, limits, clock, log } = deps;
    const problems = new Map<string, ReturnType<Store["problems"]["get"]>>();
    return {
      viewer: authentication.type === "viewer" ? authentication.viewer : undefined,
      stillAllowed: async () => (await authenticate(authorization)).type === "viewer",
      limits,
      clock,
      log,
      store,
      backbone,
      imports,
      importPackage: (input) => importPackage({ ...store, limits, clock }, input),
      findProblem: async (id) => {
        const parsed = ProblemId.safeParse(id);
        if (!parsed.success) return undefined;
        const known = problems.get(id) ?? store.problems.get(parsed.data);
        problems.set(id, known);
        // A subscription's operation is long: what failed once is asked again.
        known.catch(() => problems.delete(id));
        return await known;
      },
    };
  };

/** Runs `then` for a right key; answers 401 for all else. */
const withKey =
  (authenticate: Authenticate, then: (viewer: Viewer, exchange: Exchange) => Promise<void>) =>
  async (exchange: Exchange): Promise<void> => {
    const authentication = await authenticate(exchange.request.headers.authorization);
    if (authentication.type === "viewer") return await then(authentication.viewer, exchange);
    const message =
      authentication.type === "missing"
        ? "Send an API key: Authorization: Bearer <key>."
        : "This API key is unknown, expired or revoked.";
    sendProblem(exchange.response, { code: "UNAUTHENTICATED", message });
  };

export function createApp(deps: AppDeps, input: AppInput): App {
  const { store, backbone, limits, log, registry } = deps;
  const stopping = new AbortController();
  const evicted = countEvictions(registry);
  const refused = countRefusals(registry);
  const imports = createPlaces({ limits, refused }, "importsAtOnce");
  const authenticate = createAuthenticate({
    findKey: (hash) => store.apiKeys.get(hash),
    clock: deps.clock,
    evicted,
  });
  const connections = createConnectionCounts({ limits, refused });
  const metrics = createMetrics({ registry, backbone, connections });
  const yoga = { schema, limits, refused, log, makeContext: makeContext(deps, authenticate, imports) };
  const graphql = createGraphQL(yoga, { uploads: false });
  const uploads = createGraphQL(yoga, { uploads: true });
  const sockets = createSockets({ graphql, authenticate, connections, limits, log, refused });
  const page = createGraphiQL();
  const streams = new Set<ServerResponse>();
  const graphQLDeps = {
    graphql,
    uploads,
    page,
    authenticate,
    connections,
    limits,
    streams,
    imports,
    refused,
  };
  const blobs = createBlobRoute({ store, capabilitySecret: input.capabilitySecret, evicted });
  const submissions = { store, backbone, limits, log, connections, refused, stopping: stopping.signal };
  const openApi = openApiDocument(limits);
  const ready = { store, backbone, stopping: stopping.signal };

  const fixed: Readonly<Record<string, Route>> = {
    "/": {
      name: "home",
      methods: ["GET"],
      handle: ({ response }) => void response.writeHead(302, { Location: "/graphql" }).end(),
    },
    "/graphql": {
      name: "graphql",
      methods: ["GET", "POST"],
      handle: (exchange) => handleGraphQL(graphQLDeps, exchange),
    },
    "/submissions": {
      name: "submit",
      methods: ["POST"],
      handle: withKey(authenticate, (viewer, { request, response }) =>
        postSubmission(submissions, viewer, request, response),
      ),
    },
    "/openapi.json": {
      name: "openapi",
      methods: ["GET"],
      handle: ({ response }) => sendJson(response, 200, openApi),
    },
    "/livez": {
      name: "livez",
      methods: ["GET"],
      open: true,
      vital: true,
      handle: ({ response }) => sendJson(response, 200, { status: "ok" }),
    },
    "/readyz": {
      name: "readyz",
      methods: ["GET"],
      open: true,
      vital: true,
      handle: ({ response }) => answerReady(ready, response),
    },
    "/metrics": {
      name: "metrics",
      methods: ["GET"],
      vital: true,
      handle: async ({ response }) => {
        const text = await registry.metrics();
        response.writeHead(200, { "Content-Type": registry.contentType }).end(text);
      },
    },
  };

  const prefixed: Readonly<Record<string, (rest: string) => Route>> = {
    "/submissions/": (id) => ({
      name: "submission",
      methods: ["GET"],
      handle: withKey(authenticate, (viewer, exchange) => getSubmission(submissions, viewer, exchange, id)),
    }),
    "/blobs/": (name) => ({
      name: "blob",
      methods: ["GET"],
      handle: ({ request, response }) => blobs(request, response, name),
    }),
    "/graphql/assets/": (name) => ({
      name: "graphiql",
      methods: ["GET"],
      handle: async ({ request, response, path }) => {
        if (name !== "" && (await page(request, response, name))) return;
        sendProblem(response, { code: "NOT_FOUND", message: `There is nothing at ${path}.` });
      },
    }),
  };

  function route(path: string): Route | undefined {
    if (Object.hasOwn(fixed, path)) return fixed[path];
    const prefix = Object.keys(prefixed).find((one) => path.startsWith(one));
    return prefix === undefined ? undefined : prefixed[prefix]?.(path.slice(prefix.length));
  }

  const http = createHttpService(
    {
      door: createDoor(input.host, input.allowedHosts),
      log,
      metrics,
      limits,
      refused,
      places: createPlaces({ limits, refused }, "requestsAtOnce"),
      route,
      upgrade: (path, request, socket, head) => {
        if (path !== "/graphql" || stopping.signal.aborted) return false;
        sockets.upgrade(request, socket, head);
        return true;
      },
    },
    input,
  );

  return {
    name: "app",
    url: () => http.url(),
    start: () => http.start(),
    stop: async () => {
      stopping.abort();
      sockets.stop();
      for (const stream of streams) stream.destroy();
      await http.stop();
    },
  };
}
