import { type LookupAddress, lookup as lookUp } from "node:dns";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Addresses } from "./address.ts";

export type Posted =
  | { readonly status: number; readonly retryAfterMs?: number | undefined }
  | { readonly error: string };

class AddressClosed extends Error {
  constructor(host: string) {
    super(`${host} leads to an address that webhooks may not call (private, loopback or reserved)`);
  }
}

/**
 * Resolves and sorts out in one: what the connection is made to is what was checked, whatever the name resolves to a
 * moment later.
 */
const openLookup =
  (isUsable: (address: string) => boolean): LookupFunction =>
  (host, options, callback) => {
    lookUp(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return callback(error, [], 4);
      const usable = found.filter(({ address }) => isUsable(address));
      const [first] = usable;
      if (first === undefined) return callback(new AddressClosed(host), [], 4);
      if (options.all === true) return callback(null, usable);
      callback(null, first.address, first.family);
    });
  };

const LONGEST_WAIT_S = 24 * 3600;

function retryAfterMs(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isInteger(seconds) && seconds >= 0
    ? Math.min(seconds, LONGEST_WAIT_S) * 1000
    : undefined;
}

/**
 * Sends one request and takes the status of the answer; nothing of its body, and no redirect. Never throws, and ends
 * within `timeoutMs` of name look-up, connect and wait together.
 */
export async function post(
  deps: { readonly addresses: Addresses; readonly timeoutMs: number },
  input: { readonly url: string; readonly headers: Record<string, string>; readonly body: string },
): Promise<Posted> {
  const { addresses } = deps;
  const url = new URL(input.url);
  const secure = url.protocol === "https:";
  const isUsable = secure ? addresses.isOpen : addresses.isNamed;
  // A literal address is never looked up.
  const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(literal) !== 0 && !isUsable(literal)) return { error: new AddressClosed(literal).message };
  const signal = AbortSignal.timeout(deps.timeoutMs);
  const body = Buffer.from(input.body);
  return await new Promise<Posted>((resolve) => {
    const send = secure ? requestHttps : requestHttp;
    const sent = send(url, {
      method: "POST",
      // A connection of its own: none that was opened to another address is taken.
      agent: false,
      lookup: openLookup(isUsable),
      signal,
      headers: {
        "content-type": "application/json",
        "content-length": body.length,
        "user-agent": "Docket-Webhooks",
        ...input.headers,
      },
    });
    sent.once("response", (response) => {
      resolve({
        status: response.statusCode ?? 0,
        retryAfterMs: retryAfterMs(response.headers["retry-after"]),
      });
      response.on("error", () => undefined);
      response.destroy();
    });
    sent.on("error", (error) => {
      resolve({ error: signal.aborted ? `no answer within ${deps.timeoutMs} ms` : error.message });
    });
    sent.end(body);
  });
}
