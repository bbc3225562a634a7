import {
  type ConnectionOptions,
  connect,
  headers,
  type MsgHdrs,
  type NatsConnection,
} from "@nats-io/transport-node";
import type { z } from "zod";
import { type SpanContext, TRACEPARENT, traceparentOf } from "./trace.ts";

export interface NatsAccess {
  /** One or more, comma separated: nats://127.0.0.1:4222 */
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Private reply prefix; each executor has one of its own, allowed by its permissions. */
  readonly inboxPrefix?: string | undefined;
}

/** Connects once, then stays connected for ever: reconnects without a limit every 250 ms or so. */
export async function connectNats(
  access: NatsAccess,
  name: string,
  more: Partial<ConnectionOptions> = {},
): Promise<NatsConnection> {
  return await connect({
    servers: access.url.split(","),
    name,
    ...(access.user === undefined ? {} : { user: access.user }),
    ...(access.password === undefined ? {} : { pass: access.password }),
    ...(access.inboxPrefix === undefined ? {} : { inboxPrefix: access.inboxPrefix }),
    maxReconnectAttempts: -1,
    // Else the client would give up for ever when it is refused twice, as by a broker in the middle of a mistaken
    // configuration.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    pingInterval: 5_000,
    maxPingOut: 2,
    ...more,
  });
}

/** What a message carries of the trace that it belongs to; nothing where there are no traces. */
export function traceHeaders(context: SpanContext): { readonly headers?: MsgHdrs } {
  if (context.traceId === "") return {};
  const made = headers();
  made.set(TRACEPARENT, traceparentOf(context));
  return { headers: made };
}

export const encodeJson = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** Parses bytes from the wire with the schema of the boundary; undefined for anything that does not fit. */
export function decodeJson<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
): z.infer<Schema> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
