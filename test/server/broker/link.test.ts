import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLink } from "../../../src/server/broker/link.ts";
import { createLog } from "../../../src/shared/log.ts";
import { type NatsServer, startNatsServer } from "../../../src/supervisor/natsserver.ts";
import { startWatchdog } from "../../../src/supervisor/watchdog.ts";
import { binaryPath } from "../../support/binaries.ts";
import { eventually } from "../rig.ts";

let folder: string;
const watchdog = startWatchdog();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-link-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const startNats = (password: string, port = 0): Promise<NatsServer> =>
  startNatsServer(
    { watchdog },
    {
      binary: binaryPath("nats-server"),
      folder: join(folder, "nats"),
      port,
      authorization: `authorization { users: [{ user: server, password: "${password}" }] }`,
      user: { name: "server", password },
    },
  );

it("stops while it is connecting", async () => {
  const nats = await startNats("right");
  const log = createLog("test", "silent");
  const access = { url: nats.url, user: "server", password: "right" };
  const link = createLink({ access, name: "test", log });
  const started = link.start();
  await link.stop();
  await started;
  expect(link.connected()).toBe(false);
  await nats.child.stop(5_000);
});

it("goes on after a message that its reader stumbles over", async () => {
  const nats = await startNats("right");
  const log = createLog("test", "silent");
  const access = { url: nats.url, user: "server", password: "right" };
  const link = createLink({ access, name: "test", log });
  const heard: string[] = [];
  link.subscribe("words", (message) => {
    const word = message.string();
    if (word === "stone") throw new Error("stumbled");
    heard.push(word);
  });
  await link.start();
  for (const word of ["first", "stone", "last"]) link.tell("words", new TextEncoder().encode(word));
  await eventually(
    async () => heard.length,
    (count) => count === 2,
  );
  expect(heard).toEqual(["first", "last"]);
  await link.stop();
  await nats.child.stop(5_000);
});

it("comes back after a time in which the broker did not know its password", async () => {
  let nats = await startNats("right");
  const { port } = nats;
  let refused = 0;
  const log = createLog("test", "silent");
  const countRefused: typeof log.error = (what: unknown) => {
    if (String(Object(what).err).includes("Authorization")) refused += 1;
  };
  const link = createLink({
    access: { url: nats.url, user: "server", password: "right" },
    name: "test",
    log: Object.assign(Object.create(log) as typeof log, { error: countRefused }),
  });
  await link.start();
  expect(link.connected()).toBe(true);

  await nats.child.stop(5_000);
  nats = await startNats("wrong", port);
  await eventually(
    async () => refused,
    (count) => count >= 3,
  );
  expect(link.connected()).toBe(false);
  await nats.child.stop(5_000);
  nats = await startNats("right", port);
  await eventually(
    async () => link.connected(),
    (connected) => connected,
  );
  await link.stop();
  await nats.child.stop(5_000);
});
