import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import type { Service } from "../../shared/lifecycle.ts";
import type { Presence } from "../../shared/protocol.ts";

export interface HealthServer extends Service {
  /** Base URL, once started. */
  url(): string;
}

/** Who listens everywhere is found here, too. */
const reachable = (host: string): string =>
  host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;

/** `/livez` the process runs, `/readyz` it takes jobs, `/metrics` for Prometheus. */
export function createHealthServer(deps: {
  /** Address to listen on. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly registry: Registry;
  readonly state: () => Presence["state"];
  readonly reason: () => string | undefined;
}): HealthServer {
  const metrics = async (response: ServerResponse): Promise<void> => {
    const text = await deps.registry.metrics();
    response.writeHead(200, { "content-type": deps.registry.contentType }).end(text);
  };
  const server: Server = createServer((request, response) => {
    const json = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    switch (request.url) {
      case "/livez":
        json(200, { status: "ok" });
        return;
      case "/readyz": {
        const state = deps.state();
        json(state === "ready" ? 200 : 503, { state, reason: deps.reason() });
        return;
      }
      case "/metrics":
        void metrics(response);
        return;
      default:
        json(404, { error: "not found" });
    }
  });
  return {
    name: "health server",
    url: () => `http://${reachable(deps.host)}:${(server.address() as AddressInfo).port}`,
    start: () =>
      new Promise((resolve, reject) => {
        if (server.listening) {
          resolve();
          return;
        }
        const refused = (error: Error): void =>
          reject(
            new Error(
              `${deps.host}:${deps.port} cannot be used for health (${error.message}): see DOCKET_HEALTH_HOST and DOCKET_HEALTH_PORT.`,
            ),
          );
        server.once("error", refused);
        server.listen(deps.port, deps.host, () => {
          server.off("error", refused);
          resolve();
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        if (!server.listening) {
          resolve();
          return;
        }
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
