import type { IncomingHttpHeaders } from "node:http";
import type { ErrorCode } from "../../shared/errors.ts";

/**
 * What is checked of every request before anything reads it. Keys are never ambient (no cookies), so a page of
 * another origin has nothing to ride on; these checks keep it out all the same, and DNS rebinding with it.
 */

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export interface Door {
  /** Host names, lower case, without a port; "*" lets all pass. */
  readonly hosts: ReadonlySet<string>;
}

export interface Refused {
  readonly code: ErrorCode;
  readonly message: string;
}

/** `listening`: the address that the server listens on; `allowed`: more host names, from the configuration. */
export function createDoor(listening: string, allowed: readonly string[]): Door {
  const hosts = new Set([...LOOPBACK, ...allowed.map((host) => host.toLowerCase())]);
  if (listening !== "0.0.0.0" && listening !== "::") {
    hosts.add(listening.includes(":") ? `[${listening}]` : listening.toLowerCase());
  }
  return { hosts };
}

const hostName = (host: string): string => host.toLowerCase().replace(/:\d+$/, "");

const isKnown = (door: Door, host: string): boolean => door.hosts.has("*") || door.hosts.has(hostName(host));

/** Undefined when the Host header names this server. */
export function checkHost(door: Door, headers: IncomingHttpHeaders): Refused | undefined {
  const host = headers.host ?? "";
  if (isKnown(door, host)) return undefined;
  return {
    code: "HOST_NOT_ALLOWED",
    message: `This server does not answer to the host name "${hostName(host)}". Use localhost, or name it in DOCKET_ALLOWED_HOSTS.`,
  };
}

const hostOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).host : "");

const isOwnOrigin = (origin: string, { host }: IncomingHttpHeaders): boolean =>
  host !== undefined && hostOf(origin) === host;

/** Named in the configuration. Other programs' pages on this machine are not: loopback names do not count. */
function isAllowedOrigin(door: Door, origin: string): boolean {
  const name = hostName(hostOf(origin));
  return door.hosts.has(name) && !LOOPBACK.has(name);
}

/** What lets a page on an allowed host read the answers (CORS); undefined for everybody else. */
export function crossOriginHeaders(
  door: Door,
  { origin }: IncomingHttpHeaders,
): Readonly<Record<string, string>> | undefined {
  if (origin === undefined || !isAllowedOrigin(door, origin)) return undefined;
  return {
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-None-Match",
    "Access-Control-Expose-Headers": "ETag, Idempotency-Key, Location, Retry-After",
    Vary: "Origin",
  };
}

/**
 * Undefined for programs (no Origin), pages of this server, and pages on an allowed host. `Sec-Fetch-Site` catches
 * what browsers send across sites without an Origin; opening a page by a link is no such thing.
 */
export function checkOrigin(door: Door, headers: IncomingHttpHeaders): Refused | undefined {
  const { origin } = headers;
  if (origin === undefined) {
    if (headers["sec-fetch-site"] !== "cross-site" || headers["sec-fetch-mode"] === "navigate")
      return undefined;
    return { code: "ORIGIN_NOT_ALLOWED", message: "A page of another site may not use this server." };
  }
  if (isOwnOrigin(origin, headers) || isAllowedOrigin(door, origin)) return undefined;
  return {
    code: "ORIGIN_NOT_ALLOWED",
    message: `A page of ${origin} may not use this server. Name its host in DOCKET_ALLOWED_HOSTS to allow it.`,
  };
}

/** Sent with every answer. The policy fits GraphiQL, which draws with inline styles and workers from blobs. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": [
    "default-src 'none'",
    "script-src 'self'",
    "worker-src 'self' blob:",
    "style-src 'self' 'unsafe-inline'",
    "font-src 'self' data:",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cross-Origin-Opener-Policy": "same-origin",
};
