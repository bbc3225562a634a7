import { connect, createServer, type Socket } from "node:net";

/**
 * What happens to the bytes of one direction from now on. `hold`: they wait, as on a network that has gone, and arrive
 * when it passes again (TCP sends them anew). `swallow`: they are read and lost for ever, as by a peer that has died
 * without a word: the connection looks open and is not.
 */
export type Flow = "pass" | "hold" | "swallow";
export type Direction = "toServer" | "toClient";

export interface Proxy {
  readonly port: number;
  /** One direction, or both. What was on its way goes by the new rule, too. */
  flow(flow: Flow, direction?: Direction): void;
  /** Every chunk takes so much longer, each way, milliseconds. */
  delay(ms: number): void;
  /** False: new connections are closed at once. */
  accept(accepting: boolean): void;
  /** Ends every connection now by a reset. */
  cut(): void;
  /** Everything passes again; connections that lost bytes are cut, as they can make no sense any more. */
  heal(): void;
  /** Open connections. */
  connections(): number;
  /** Bytes taken in so far, by direction. */
  bytes(direction: Direction): number;
  close(): Promise<void>;
}

/** Where the real server listens: a TCP port on this machine, or the path of a Unix socket. */
export type Target = { readonly port: number } | { readonly path: string };

interface Chunk {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** A TCP proxy on 127.0.0.1 between two parts of a test, whose network can be spoilt. */
export async function startProxy(target: Target): Promise<Proxy> {
  const flows: Record<Direction, Flow> = { toServer: "pass", toClient: "pass" };
  const taken: Record<Direction, number> = { toServer: 0, toClient: 0 };
  const pairs = new Set<{ cut(): void; pump(): void; readonly lossy: () => boolean }>();
  let delayMs = 0;
  let accepting = true;

  const server = createServer((client) => {
    if (!accepting) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target);
    let lossy = false;
    let open = true;
    const cut = (): void => {
      if (!open) return;
      open = false;
      client.resetAndDestroy();
      upstream.destroy();
      pairs.delete(pair);
    };
    const lane = (from: Socket, to: Socket, direction: Direction): (() => void) => {
      const queue: Chunk[] = [];
      let ended = false;
      let timer: NodeJS.Timeout | undefined;
      const pump = (): void => {
        clearTimeout(timer);
        if (flows[direction] === "swallow" && queue.length > 0) {
          lossy = true;
          queue.length = 0;
        }
        while (flows[direction] === "pass") {
          const [head] = queue;
          if (head === undefined) break;
          const waitMs = head.dueMs - performance.now();
          if (waitMs > 0) {
            timer = setTimeout(pump, waitMs);
            return;
          }
          queue.shift();
          // The reader's own slowness reaches the writer.
          if (!to.write(head.bytes)) {
            from.pause();
            to.once("drain", () => from.resume());
          }
        }
        // An end is news as well: it travels only where bytes do.
        if (ended && queue.length === 0 && flows[direction] === "pass") to.end();
      };
      from.on("data", (bytes: Buffer) => {
        taken[direction] += bytes.length;
        queue.push({ bytes, dueMs: performance.now() + delayMs });
        pump();
      });
      from.on("end", () => {
        ended = true;
        pump();
      });
      from.on("error", () => {
        if (flows[direction] === "pass") cut();
      });
      from.on("close", () => {
        ended = true;
        pump();
        if (flows[direction] === "pass" && to.destroyed) cut();
      });
      return pump;
    };
    const pumps = [lane(client, upstream, "toServer"), lane(upstream, client, "toClient")];
    const pair = {
      cut,
      pump: () => {
        for (const pump of pumps) pump();
      },
      lossy: () => lossy,
    };
    pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");

  const setFlow = (flow: Flow, direction?: Direction): void => {
    for (const one of direction === undefined ? (["toServer", "toClient"] as const) : [direction]) {
      flows[one] = flow;
    }
    for (const pair of pairs) pair.pump();
  };
  return {
    port: address.port,
    flow: setFlow,
    delay: (ms) => void (delayMs = ms),
    accept: (now) => void (accepting = now),
    cut() {
      for (const pair of pairs) pair.cut();
    },
    heal() {
      for (const pair of pairs) if (pair.lossy()) pair.cut();
      accepting = true;
      delayMs = 0;
      setFlow("pass");
    },
    connections: () => pairs.size,
    bytes: (direction) => taken[direction],
    async close() {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const pair of pairs) pair.cut();
      await closed;
    },
  };
}

/** The URL of a service as it is reached through its proxy. */
export function throughProxy(url: string, proxy: Proxy): string {
  const [scheme = "", rest = ""] = url.split("://");
  const slash = rest.indexOf("/");
  return `${scheme}://127.0.0.1:${proxy.port}${slash < 0 ? "" : rest.slice(slash)}`;
}

/** Where a `scheme://host:port/…` URL leads; a percent-encoded host is the path of a Unix socket (MongoDB's form). */
export function targetOf(url: string): Target {
  const host = /^[a-z]+:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url)?.[1] ?? "";
  const decoded = decodeURIComponent(host);
  if (decoded.startsWith("/")) return { path: decoded };
  const port = Number(host.slice(host.lastIndexOf(":") + 1));
  if (!Number.isInteger(port) || port <= 0) throw new Error(`no port in ${url}`);
  return { port };
}
