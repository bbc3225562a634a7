import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { createStage } from "../rejudge/stage.ts";
import { eventually, openWire, putProblem, type Server, startServer, type Wire } from "../rig.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

const ns = namespace();
const VICTIM = fileURLToPath(new URL("../victim.ts", import.meta.url));
const limits = { webhookRetryMs: 20, webhookTimeoutMs: 1_000 };
const webhookAllow = ["127.0.0.1"];
let server: Server | undefined;
let wire: Wire;
let receiver: Receiver;
const victims: ChildProcess[] = [];
const alive = (): Server => {
  if (server === undefined) throw new Error("no server is up");
  return server;
};
const stage = createStage(alive, () => wire);

beforeAll(async () => {
  server = await startServer({ ...ns, limits, webhookAllow });
  wire = await openWire(ns);
  await putProblem(server.store);
});
afterEach(async () => {
  for (const victim of victims.splice(0)) victim.kill("SIGKILL");
  await receiver.close();
});
afterAll(async () => {
  await wire.close();
  await server?.stop();
});

describe("a server that dies between a final state and its webhook", () => {
  for (const [place, calls] of [
    ["webhooks.afterFinal", 1],
    ["webhooks.afterInsert", 1],
    ["webhooks.beforeSettle", 2],
  ] as const) {
    it(`at ${place}: nothing is lost, and what comes twice has one id`, async () => {
      receiver = await startReceiver();
      const owner = place.slice("webhooks.".length).toLowerCase();
      const events = ["submission.finished"] as const;
      const wish = { owner, url: receiver.url, events, scope: "OWN", description: "" } as const;
      const made = await alive().backbone.webhooks.create(wish);
      if ("code" in made) throw new Error(made.message);
      await alive().stop();
      server = undefined;
      const { mongodbUrl, natsUrl, database, topology } = ns;
      const input = JSON.stringify({ mongodbUrl, natsUrl, database, topology, limits, webhookAllow });
      const child = spawn(process.execPath, [VICTIM, input, place], { stdio: ["pipe", "pipe", "inherit"] });
      victims.push(child);
      await once(child.stdout, "data");
      child.stdin.write(`${JSON.stringify({ owner })}\n`);
      await stage.judgeAll(1, "AC", "practice");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      expect(child.signalCode).toBe("SIGKILL");
      server = await startServer({ ...ns, limits, webhookAllow });
      const webhook = made.webhook._id;
      await eventually(
        () => alive().store.deliveries.page({ webhook, state: "DELIVERED", first: 10 }),
        (done) => done.length === 1,
        30_000,
      );
      expect(receiver.calls).toHaveLength(calls);
      expect(new Set(receiver.calls.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
      expect(await alive().store.deliveries.untold(10)).toEqual([]);
      await alive().backbone.webhooks.remove(webhook);
    });
  }
});
