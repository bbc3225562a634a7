import type { IncomingMessage, ServerResponse } from "node:http";
import { type CodedError, ERRORS } from "../../shared/errors.ts";

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    ...headers,
    "Content-Length": bytes.length,
  });
  response.end(bytes);
}

/** RFC 9457 problem document. `type` leads to the code's place in the documentation. */
export function sendProblem(
  response: ServerResponse,
  error: CodedError,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { httpStatus, type } = ERRORS[error.code];
  const { retryAfterMs, limit } = error;
  sendJson(
    response,
    httpStatus,
    {
      type: `urn:docket:error:${error.code}`,
      title: type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "),
      status: httpStatus,
      detail: error.message,
      code: error.code,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(limit === undefined ? {} : { limit }),
    },
    {
      ...headers,
      "Content-Type": "application/problem+json; charset=utf-8",
      ...(retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) }),
      ...(httpStatus === 401 ? { "WWW-Authenticate": 'Bearer realm="docket"' } : {}),
    },
  );
}

/** The whole body, or undefined when it is larger than `limit` bytes; then the rest is not read. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > limit) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
