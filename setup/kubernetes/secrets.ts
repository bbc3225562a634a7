import { randomBytes } from "node:crypto";
import { stringify } from "yaml";
import { ExecutorId } from "../../src/shared/ids.ts";
import { lanesOf } from "../../src/shared/lane.ts";
import {
  authorizationConf,
  executorAllowance,
  type NatsUser,
  SERVER_USER,
} from "../../src/supervisor/natsusers.ts";
import { EXECUTOR_NAMESPACE, executorsOf, REPLICAS, SERVER_NAMESPACE } from "./pools.ts";
import { TOPOLOGY } from "./print.ts";
import { readKubernetesPools } from "./readpools.ts";

/**
 * `MONGODB_URL=… node setup/kubernetes/secrets.ts | kubectl apply --server-side -f -`: the secrets that docker/k8s refers to, new at
 * each run. Printed, never written: nothing of it belongs into the repository.
 */

/** A letter first: nats.conf would read a value that starts with a digit as a number. */
const password = (): string => `k${randomBytes(32).toString("hex")}`;

const secret = (namespace: string, name: string, stringData: Readonly<Record<string, string>>) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace },
  type: "Opaque",
  stringData,
});

/** What NACK's controller needs: make and read streams and consumers, and hear the answers. */
const NACK_USER = "nack";
const NACK_ALLOWANCE = { publish: ["$JS.API.>"], subscribe: ["_INBOX.>"] };

const mongodbUrl = process.env["MONGODB_URL"] ?? "";
if (!/^mongodb(\+srv)?:\/\//.test(mongodbUrl)) {
  process.stderr.write(
    "Set MONGODB_URL to the connection string of a replica set that the servers shall use.\n",
  );
  process.exit(78);
}

const executors: NatsUser[] = readKubernetesPools().flatMap((pool) =>
  executorsOf(pool).map((name) => ({
    name,
    password: password(),
    allow: executorAllowance(TOPOLOGY, {
      ...pool,
      id: ExecutorId.parse(name),
      lanes: lanesOf(pool.lanes),
    }),
  })),
);
const server: NatsUser = { name: SERVER_USER, password: password() };
const nack: NatsUser = { name: NACK_USER, password: password(), allow: NACK_ALLOWANCE };

const route = password();
const routes = Array.from(
  { length: REPLICAS },
  (_, at) => `nats-route://route:${route}@nats-${at}.nats:6222`,
);

const secrets = [
  secret(SERVER_NAMESPACE, "docket-server", {
    MONGODB_URL: mongodbUrl,
    DOCKET_CAPABILITY_SECRET: password(),
    NATS_PASSWORD: server.password,
  }),
  secret(SERVER_NAMESPACE, "docket-nats", {
    "users.conf": authorizationConf([server, nack, ...executors]),
    "routes.conf": `authorization { user: "route", password: "${route}" }\nroutes: ${JSON.stringify(routes)}\n`,
  }),
  secret(SERVER_NAMESPACE, "docket-nack", { username: nack.name, password: nack.password }),
  secret(
    EXECUTOR_NAMESPACE,
    "docket-executors",
    Object.fromEntries(executors.map((user) => [user.name, user.password])),
  ),
];
process.stdout.write(secrets.map((one) => stringify(one, { lineWidth: 0 })).join("---\n"));
