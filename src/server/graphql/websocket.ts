import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ExecutionArgs } from "graphql";
import {
  CloseCode,
  type ExecutionResult,
  handleProtocols,
  makeServer,
  type OperationResult,
} from "graphql-ws";
import type { Extra } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import type { Authenticate } from "../auth.ts";
import { orCoded } from "../coded.ts";
import type { ConnectionCounts } from "../http/connections.ts";
import type { Refused } from "../overflow.ts";
import { codedGraphQLError, formatErrors, formatResult } from "./errors.ts";
import { type Prepared, prepareOperation } from "./operation.ts";
import { mapUpdates } from "./updates.ts";
import { carryMessages } from "./carrymessages.ts";
import { type GraphQLHandler, maskError } from "./yoga.ts";

export interface WebSocketDeps {
  readonly graphql: GraphQLHandler;
  readonly authenticate: Authenticate;
  readonly connections: ConnectionCounts;
  readonly refused: Refused;
  readonly log: Log;
  readonly limits: Pick<Limits, "requestBytes" | "subscriptionsPerConnection" | "socketBufferBytes">;
}

export interface GraphQLSockets {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells every client to come again (1012), here or at another server. */
  stop(): void;
}

interface Connection extends Extra {
  release?: () => void;
  authorization?: string;
}

/** Standard codes of the WebSocket protocol. */
const SERVICE_RESTART = 1012;
const TRY_AGAIN_LATER = 1013;
/** How long a client may take to answer a close, milliseconds: one that hangs must not hold up the server's end. */
const CLOSE_MS = 1_000;

/** What `onSubscribe` puts into the arguments: how to run them. */
type Runner = Extract<Prepared, { args: unknown }>;

const isRunner = (value: unknown): value is Runner =>
  typeof value === "object" && value !== null && "execute" in value && "subscribe" in value;

function run(how: "execute" | "subscribe", args: ExecutionArgs): OperationResult {
  if (!isRunner(args.rootValue)) throw new Error("onSubscribe did not say how to run the operation");
  return args.rootValue[how](args);
}

function bearer(params: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const given = params?.["Authorization"] ?? params?.["authorization"];
  return typeof given === "string" ? given : undefined;
}

/**
 * GraphQL over WebSocket (graphql-transport-ws) on Yoga's path. The key comes with `connection_init` as
 * `{ "Authorization": "Bearer …" }`; without a right one the socket is closed with 4403, before it with 4401.
 * The key is looked at again for each operation.
 */
export function createSockets(deps: WebSocketDeps): GraphQLSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: deps.limits.requestBytes,
    handleProtocols,
  });
  const protocol = makeServer<Record<string, unknown>, Connection & Record<PropertyKey, unknown>>({
    execute: (args) => run("execute", args),
    subscribe: async (args) => {
      const result = await run("subscribe", args);
      if (!(Symbol.asyncIterator in result)) return result;
      // An error between two updates becomes the last update, as it does in an event stream.
      return mapUpdates<ExecutionResult, ExecutionResult>(result[Symbol.asyncIterator](), {
        each: (update) => update,
        last: (error) => ({ errors: [maskError(deps.log, error)] }),
      });
    },
    onConnect: async ({ connectionParams, extra }) => {
      const authorization = bearer(connectionParams);
      const authentication = await orCoded(() => deps.authenticate(authorization));
      if ("code" in authentication) {
        extra.socket.close(TRY_AGAIN_LATER, authentication.code);
        return false;
      }
      if (authentication.type !== "viewer" || authorization === undefined) return false;
      // Gone while its key was looked up: nobody would count it out again.
      if (extra.socket.readyState !== extra.socket.OPEN) return false;
      const release = deps.connections.take(authentication.viewer.owner);
      if (release === undefined) {
        extra.socket.close(TRY_AGAIN_LATER, "too many connections of this owner");
        return false;
      }
      Object.assign(extra, { release, authorization });
      return true;
    },
    onClose: ({ extra }) => extra.release?.(),
    onSubscribe: async ({ extra, subscriptions }, _id, params) => {
      if (Object.keys(subscriptions).length > deps.limits.subscriptionsPerConnection) {
        deps.refused("subscriptionsPerConnection");
        const message = `More than ${deps.limits.subscriptionsPerConnection} operations at once on this connection.`;
        return [codedGraphQLError({ code: "TOO_MANY_CONNECTIONS", message, retryAfterMs: 1_000 })];
      }
      const authentication = await orCoded(() => deps.authenticate(extra.authorization));
      if ("code" in authentication) return [codedGraphQLError(authentication)];
      if (authentication.type !== "viewer") {
        extra.socket.close(CloseCode.Forbidden, "the API key has been revoked");
        return [];
      }
      const caller = { authentication, authorization: extra.authorization };
      const prepared = await prepareOperation(deps.graphql, caller, params);
      if ("errors" in prepared) return prepared.errors;
      return { ...prepared.args, rootValue: prepared };
    },
    onNext: (_context, _id, _params, _args, result) => formatResult(result),
    onError: (_context, _id, _params, errors) => formatErrors(errors),
  });
  server.on("connection", (socket, request) => carryMessages({ protocol, log: deps.log }, socket, request));

  return {
    upgrade: (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        // Updates wait for their reader; answers to pings and messages do not, and would pile up.
        const cutGreedy = (): void => {
          if (webSocket.bufferedAmount <= deps.limits.socketBufferBytes) return;
          deps.refused("socketBufferBytes");
          webSocket.terminate();
        };
        webSocket.on("ping", cutGreedy);
        webSocket.on("message", cutGreedy);
        server.emit("connection", webSocket, request);
      });
    },
    stop: () => {
      for (const client of server.clients) {
        client.close(SERVICE_RESTART, "the server is stopping");
        setTimeout(() => client.terminate(), CLOSE_MS).unref();
      }
    },
  };
}
