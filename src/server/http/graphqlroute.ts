import type { IncomingMessage, ServerResponse } from "node:http";
import { type CodedError, ERRORS } from "../../shared/errors.ts";
import type { Limits } from "../../shared/limits.ts";
import { type Authenticate, type Authentication, isJury } from "../auth.ts";
import { asCodedError } from "../coded.ts";
import { runJson } from "../graphql/jsonrequest.ts";
import type { GraphQLHandler } from "../graphql/yoga.ts";
import { readBody, sendJson } from "./answer.ts";
import type { ConnectionCounts } from "./connections.ts";
import type { Places } from "./places.ts";
import type { Exchange } from "./server.ts";
import { importsBusy } from "../graphql/importproblem.ts";
import type { Refused } from "../overflow.ts";

export interface GraphQLRouteDeps {
  /** Reads JSON, up to requestBytes. */
  readonly graphql: GraphQLHandler;
  /** Reads multipart requests with an archive, up to packageBytes. */
  readonly uploads: GraphQLHandler;
  readonly page: (request: IncomingMessage, response: ServerResponse, name: string) => Promise<boolean>;
  readonly authenticate: Authenticate;
  readonly connections: ConnectionCounts;
  readonly imports: Places;
  readonly refused: Refused;
  readonly limits: Pick<Limits, "requestBytes" | "packageBytes" | "connectionsPerOwner" | "importsAtOnce">;
  /** Event streams that are open: cut when the server stops, since they would not end. */
  readonly streams: Set<ServerResponse>;
}

/** A refusal before GraphQL has a say, in its form. */
function refuse(response: ServerResponse, { code, message, retryAfterMs }: CodedError): void {
  const extensions = { code, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  sendJson(
    response,
    ERRORS[code].httpStatus,
    { errors: [{ message, extensions }] },
    {
      ...(retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) }),
      ...(code === "UNAUTHENTICATED" ? { "WWW-Authenticate": 'Bearer realm="docket"' } : {}),
      // What was not read of the body must not be taken for the next request.
      Connection: "close",
    },
  );
}

const isPage = ({ method, headers }: IncomingMessage): boolean =>
  method === "GET" && (headers.accept ?? "").includes("text/html");
const isUpload = ({ headers }: IncomingMessage): boolean =>
  /^multipart\/form-data\b/i.test(headers["content-type"] ?? "");
const isStream = ({ headers }: IncomingMessage): boolean =>
  (headers.accept ?? "").includes("text/event-stream");

/** JSON in, JSON out. Everything else (other media types of GraphQL, streams, forms) is Yoga's. */
const isPlainJson = ({ method, headers }: IncomingMessage): boolean =>
  method === "POST" &&
  /^application\/json\b/i.test(headers["content-type"] ?? "") &&
  /^(\*\/\*|application\/json)?$/i.test((headers.accept ?? "").trim());

/** Who may send this at all; undefined when GraphQL may look at it. */
function checkCaller(request: IncomingMessage, authentication: Authentication): CodedError | undefined {
  if (authentication.type === "wrong") {
    return { code: "UNAUTHENTICATED", message: "This API key is unknown, expired or revoked." };
  }
  if (!isUpload(request)) return undefined;
  // An archive can be large: it is not even read for those who may not import it.
  if (authentication.type === "missing") {
    return { code: "UNAUTHENTICATED", message: "Send an API key: Authorization: Bearer <key>." };
  }
  if (!isJury(authentication.viewer)) {
    return { code: "FORBIDDEN", message: "Only the jury imports problems: use a key with the role jury." };
  }
  return undefined;
}

function checkSize(deps: GraphQLRouteDeps, request: IncomingMessage): CodedError | undefined {
  const { requestBytes, packageBytes } = deps.limits;
  const most = isUpload(request) ? packageBytes + requestBytes : requestBytes;
  if (Number(request.headers["content-length"] ?? 0) <= most) return undefined;
  deps.refused(isUpload(request) ? "packageBytes" : "requestBytes");
  return { code: "REQUEST_TOO_LARGE", message: `The request body is larger than ${most} bytes.` };
}

/** Counts an event stream of the owner in, until it closes; false when there are too many. */
function holdStream(
  deps: GraphQLRouteDeps,
  authentication: Authentication,
  response: ServerResponse,
): boolean {
  if (authentication.type !== "viewer") return true;
  const release = deps.connections.take(authentication.viewer.owner);
  if (release === undefined) return false;
  deps.streams.add(response);
  response.once("close", () => {
    release();
    deps.streams.delete(response);
  });
  return true;
}

/** `/graphql`: GraphiQL for a browser that opens it, GraphQL for everything else. */
export async function handleGraphQL(
  deps: GraphQLRouteDeps,
  { request, response, waits }: Exchange,
): Promise<void> {
  if (isPage(request)) {
    await deps.page(request, response, "");
    return;
  }
  let authentication: Authentication;
  try {
    authentication = await deps.authenticate(request.headers.authorization);
  } catch (error) {
    const coded = asCodedError(error);
    if (coded === undefined) throw error;
    refuse(response, coded);
    return;
  }
  // Gone while its key was looked up: nothing would count a stream out again.
  if (response.destroyed) return;
  const refused = checkCaller(request, authentication) ?? checkSize(deps, request);
  if (refused !== undefined) {
    refuse(response, refused);
    return;
  }
  if (isStream(request)) {
    if (!holdStream(deps, authentication, response)) {
      const message = `You hold ${deps.limits.connectionsPerOwner} connections already (limit connectionsPerOwner).`;
      refuse(response, { code: "TOO_MANY_CONNECTIONS", message, retryAfterMs: 5_000 });
      return;
    }
    waits();
  }
  if (isPlainJson(request)) {
    const bytes = await readBody(request, deps.limits.requestBytes);
    if (bytes === undefined) {
      deps.refused("requestBytes");
      const message = `The request body is larger than ${deps.limits.requestBytes} bytes.`;
      refuse(response, { code: "REQUEST_TOO_LARGE", message });
      return;
    }
    const caller = { authentication, authorization: request.headers.authorization };
    const { status, body, headers } = await runJson(deps.graphql, caller, bytes);
    sendJson(response, status, body, headers);
    return;
  }
  if (isUpload(request)) {
    // Before it is read: it is held in memory as a whole.
    const release = deps.imports.take();
    if (release === undefined) {
      refuse(response, importsBusy(deps.limits));
      return;
    }
    response.once("close", release);
  }
  response.setHeader("Cache-Control", "no-store");
  const handler = isUpload(request) ? deps.uploads : deps.graphql;
  await handler.handle(request, response, { authentication, authorization: request.headers.authorization });
}
