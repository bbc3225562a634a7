import { createHmac } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { DeliveryState } from "../../../src/server/store/deliveries.ts";
import type { WebhookDocument, WebhookEvent } from "../../../src/server/store/webhooks.ts";
import type { WebhookId } from "../../../src/shared/ids.ts";
import { namespace } from "../../support/namespace.ts";
import { createStage } from "../rejudge/stage.ts";
import { accepted, eventually, openWire, putProblem, type Server, startServer, type Wire } from "../rig.ts";
import { type Call, type Receiver, startReceiver, status } from "./receiver.ts";

const ns = namespace();
const limits = { webhookRetryMs: 20, webhookTries: 4, webhookTimeoutMs: 20_000, webhookAtOnce: 3 };
let server: Server;
let wire: Wire;
const receivers: Receiver[] = [];
const stage = createStage(
  () => server,
  () => wire,
);

beforeAll(async () => {
  server = await startServer({ ...ns, limits, webhookAllow: ["127.0.0.1"] });
  wire = await openWire(ns);
  await putProblem(server.store);
});
afterEach(async () => {
  for (const receiver of receivers.splice(0)) await receiver.close();
});
afterAll(async () => {
  await wire.close();
  await server.stop();
});

const FINALS: readonly WebhookEvent[] = [
  "submission.finished",
  "submission.failed",
  "submission.cancelled",
  "submission.rejudged",
];

async function hook(
  owner: string,
  more: Partial<Pick<WebhookDocument, "url" | "events" | "scope">> = {},
): Promise<{ receiver: Receiver; id: WebhookId; secret: string }> {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const wish = { owner, url: receiver.url, events: FINALS, scope: "OWN", description: "", ...more } as const;
  const made = await server.backbone.webhooks.create(wish);
  if ("code" in made) throw new Error(made.message);
  return { receiver, id: made.webhook._id, secret: made.secret ?? "" };
}

const Body = z.object({
  type: z.string(),
  timestamp: z.string(),
  data: z.object({
    submission: z
      .object({ id: z.string(), state: z.string(), verdict: z.string().nullable(), revision: z.int() })
      .optional(),
    previous: z.object({ verdict: z.string().nullable() }).optional(),
  }),
});
const bodyOf = ({ body }: Call) => Body.parse(JSON.parse(body));

/** As a receiver checks it (standardwebhooks.com). */
function isSigned({ headers, body }: Call, secret: string): boolean {
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
  const mac = `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  return String(headers["webhook-signature"]).split(" ").includes(mac);
}

const deliveries = async (webhook: WebhookId, state?: DeliveryState) =>
  await server.store.deliveries.page({ webhook, state, first: 100 });
const settled = async (webhook: WebhookId, state: DeliveryState) =>
  (
    await eventually(
      () => deliveries(webhook, state),
      (found) => found.length > 0,
      30_000,
    )
  )[0];

describe("a webhook", () => {
  it("hears of each final state once, signed, and of nobody else's", async () => {
    const { receiver, id, secret } = await hook("ann");
    const jury = await hook("judge", { scope: "ALL", events: ["submission.finished"] });
    const { submission } = await stage.judged("WA", { owner: "ann" });
    await stage.judged("AC", { owner: "bob" });
    const cancelled = await accepted(server, { owner: "ann" });
    await server.backbone.cancel(cancelled.submission._id);
    const calls = await receiver.called(2);
    const bodies = calls.map(bodyOf);
    expect(bodies.map(({ type }) => type).toSorted()).toEqual([
      "submission.cancelled",
      "submission.finished",
    ]);
    const finished = bodies.find(({ type }) => type === "submission.finished");
    expect(finished?.data.submission).toMatchObject({ id: submission._id, state: "FINISHED", verdict: "WA" });
    for (const call of calls) {
      expect(isSigned(call, secret)).toBe(true);
      expect(isSigned(call, jury.secret)).toBe(false);
      expect(isSigned({ ...call, body: `${call.body} ` }, secret)).toBe(false);
      const age = Date.now() / 1000 - Number(call.headers["webhook-timestamp"]);
      expect(Math.abs(age)).toBeLessThan(60);
    }
    const all = (await jury.receiver.called(2)).map(bodyOf);
    expect(all.map(({ data }) => String(data.submission?.verdict)).toSorted()).toEqual(["AC", "WA"]);
    await eventually(
      () => deliveries(id, "DELIVERED"),
      (done) => done.length === 2,
    );
    expect(receiver.calls).toHaveLength(2);
    expect(await server.store.deliveries.untold(10)).toEqual([]);
    await server.backbone.webhooks.remove(jury.id);
    expect(await deliveries(jury.id)).toEqual([]);
  });

  it("hears of a rejudge when it is applied, and not before", async () => {
    const { receiver } = await hook("cat");
    await stage.judged("WA", { owner: "cat" });
    await receiver.called(1);
    const id = await stage.create({ owner: "cat" });
    await stage.judgeAll(1, "AC");
    await stage.state(id, "READY");
    expect(receiver.calls).toHaveLength(1);
    await server.backbone.applyRejudge({ id, by: "jury" });
    const [, second] = (await receiver.called(2)).map(bodyOf);
    expect(second).toMatchObject({
      type: "submission.rejudged",
      data: { submission: { verdict: "AC" }, previous: { verdict: "WA" } },
    });
  });

  it("that fails is tried again, the same each time, until it answers; redirects are failures", async () => {
    const other = await startReceiver();
    receivers.push(other);
    const { receiver, id } = await hook("dan");
    receiver.answers = [status(500), status(302, { location: other.url })];
    await stage.judged("AC", { owner: "dan" });
    const calls = await receiver.called(3);
    expect(new Set(calls.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(calls.map(({ body }) => body)).size).toBe(1);
    expect((await settled(id, "DELIVERED"))?.attempts).toMatchObject([
      { status: 500 },
      { status: 302, error: "redirects are not followed" },
      { status: 200 },
    ]);
    expect(other.calls).toEqual([]);
  });

  it("that goes on failing is given up, and can be replayed", async () => {
    const { receiver, id } = await hook("eve");
    receiver.answers = Array.from({ length: 4 }, () => status(503));
    await stage.judged("AC", { owner: "eve" });
    const dead = await settled(id, "DEAD");
    expect(dead).toMatchObject({ tries: 4, attempts: [{}, {}, {}, { status: 503 }] });
    expect((await server.store.deliveries.counts()).get("DEAD")).toBe(1);
    expect(await server.backbone.webhooks.replay({ webhook: id, state: "DEAD" })).toBe(1);
    const calls = await receiver.called(5);
    expect(calls[4]?.headers["webhook-id"]).toBe(dead?._id);
    await settled(id, "DELIVERED");
  });

  it("whose receiver says 410 is switched off; a test is sent when it is on again", async () => {
    const { receiver, id } = await hook("fay");
    receiver.answers = [status(410)];
    await stage.judged("AC", { owner: "fay" });
    await settled(id, "DEAD");
    const off = await eventually(
      () => server.store.webhooks.get(id),
      (one) => one?.enabled === false,
    );
    expect(off?.disabledReason).toContain("410");
    await stage.judged("AC", { owner: "fay" });
    const on = await server.backbone.webhooks.update({ id, enabled: true });
    expect("webhook" in on && on.webhook.disabledReason).toBe(undefined);
    await server.backbone.webhooks.test(id);
    const [, test] = (await receiver.called(2)).map(bodyOf);
    expect(test).toMatchObject({ type: "webhook.test", data: {} });
  });

  it("that is slow delays no other", async () => {
    const slow = await hook("gus");
    const open: (() => void)[] = [];
    slow.receiver.answers = Array.from({ length: 8 }, () => (response) => {
      open.push(() => response.writeHead(200).end());
    });
    const quick = await hook("gus");
    for (let i = 0; i < 8; i++) await stage.judged("AC", { owner: "gus" });
    // The slow one holds all that it may and answers nothing; the other one has them all.
    await quick.receiver.called(8);
    expect(await slow.receiver.called(limits.webhookAtOnce)).toHaveLength(limits.webhookAtOnce);
    expect(await deliveries(slow.id, "DELIVERED")).toEqual([]);
    for (const answer of open) answer();
    slow.receiver.answers = [];
    await eventually(
      () => deliveries(slow.id, "DELIVERED"),
      (done) => done.length === 8,
      30_000,
    );
  });

  it("signs with the old secret beside the new one after a rotation", async () => {
    const { receiver, id, secret } = await hook("hal");
    const rotated = await server.backbone.webhooks.update({ id, rotateSecret: true });
    if ("code" in rotated || rotated.secret === undefined) throw new Error("no secret");
    expect(rotated.secret).not.toBe(secret);
    await server.backbone.webhooks.test(id);
    const [call] = await receiver.called(1);
    if (call === undefined) throw new Error("no call");
    expect(isSigned(call, rotated.secret)).toBe(true);
    expect(isSigned(call, secret)).toBe(true);
    // What is stored does not give it away.
    expect(JSON.stringify(await server.store.webhooks.get(id))).not.toContain(secret.slice(6));
  });
});

describe("an address that may not be called", () => {
  it("is refused when it can be told, and at the connect otherwise: names that lead inside, redirects apart", async () => {
    const strict = await startServer({ ...ns, instance: "strict", limits });
    const wish = { owner: "ida", events: FINALS, scope: "OWN", description: "" } as const;
    for (const url of [
      "http://example.org/hook",
      "https://127.0.0.1/hook",
      "https://[::1]/hook",
      "https://169.254.169.254/latest/meta-data",
      "https://2130706433/",
      "https://user:password@example.org/",
      "ftp://example.org/",
      "nonsense",
    ]) {
      const refused = await strict.backbone.webhooks.create({ ...wish, url });
      expect([url, refused]).toMatchObject([url, { code: "INPUT_INVALID" }]);
    }
    await strict.stop();
    // This server may call 127.0.0.1 and nothing else of its own: a name is looked up at the connect.
    const named = await hook("ida", { url: "https://localhost:1/hook", events: ["submission.finished"] });
    const inside = await startServer({ ...ns, instance: "inside", limits, webhookAllow: ["127.0.0.9"] });
    await server.stop();
    server = inside;
    try {
      await inside.backbone.webhooks.test(named.id);
      const dead = await settled(named.id, "DEAD");
      expect(dead?.attempts.map(({ error }) => error)).toEqual(
        Array.from({ length: 4 }, () => expect.stringContaining("may not call")),
      );
    } finally {
      await inside.stop();
      server = await startServer({ ...ns, limits, webhookAllow: ["127.0.0.1"] });
    }
  });

  it("owners have a bounded number of webhooks", async () => {
    const few = await startServer({ ...ns, instance: "few", limits: { ...limits, webhooksPerOwner: 1 } });
    const wish = {
      owner: "joe",
      url: "https://example.org/",
      events: FINALS,
      scope: "OWN",
      description: "",
    } as const;
    expect(await few.backbone.webhooks.create(wish)).toHaveProperty("secret");
    expect(await few.backbone.webhooks.create(wish)).toMatchObject({ code: "INPUT_INVALID" });
    await few.stop();
  });
});
