import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExecutorId } from "../../src/shared/ids.ts";
import { encodeJson } from "../../src/shared/nats.ts";
import type { Presence } from "../../src/shared/protocol.ts";
import { subjects } from "../../src/shared/topology.ts";
import { createFleet, type Fleet } from "../../src/server/fleet.ts";
import { createLink, type Link } from "../../src/server/broker/link.ts";
import { createLog } from "../../src/shared/log.ts";
import { namespace } from "../support/namespace.ts";
import { eventually, openWire, type Wire } from "./rig.ts";

const ns = namespace();
let link: Link;
let fleet: Fleet;
let wire: Wire;
let nowMs = 1_700_000_000_000;

beforeAll(async () => {
  link = createLink({ access: { url: ns.natsUrl }, name: "test", log: createLog("test", "silent") });
  fleet = createFleet({ link, topology: ns.topology, clock: { now: () => nowMs }, evicted: () => undefined });
  await link.start();
  wire = await openWire(ns);
});
afterAll(async () => {
  await wire.close();
  await link.stop();
});

const presence = (id: string, more: Partial<Presence> = {}): Presence => ({
  executor: id as ExecutorId,
  pool: "main",
  languages: [{ id: "python", version: "Python 3.11.2" }],
  notOffered: [{ id: "rust", reason: "rustc is not installed: apt-get install rustc" }],
  lanes: ["practice"],
  slots: 2,
  running: [],
  state: "ready",
  version: "0.1.0",
  startedAtMs: nowMs,
  ...more,
});

async function say(one: Presence, as: string = one.executor): Promise<void> {
  wire.connection.publish(subjects.presence(ns.topology, as as ExecutorId), encodeJson(one));
  await wire.connection.flush();
}

describe("what is offered", () => {
  it("is never what the deployment has no queue for", () => {
    const topology = { ...ns.topology, languages: ["python", "c"] as const };
    const few = createFleet({ link, topology, clock: { now: () => nowMs }, evicted: () => undefined });
    expect(few.notOffered("rust")).toBe(
      "Rust is not on offer: this deployment takes only python, c (DOCKET_LANGUAGES).",
    );
    expect(few.notOffered("python")).toBeUndefined();
    expect(few.languages().find(({ id }) => id === "rust")).toMatchObject({
      offered: false,
      reasons: ["this deployment takes only python, c (DOCKET_LANGUAGES)"],
    });
  });

  it("is everything as long as nobody has been heard: it is stored and waits", () => {
    expect(fleet.notOffered("rust")).toBeUndefined();
    expect(fleet.languages().some((language) => language.offered)).toBe(false);
  });

  it("is what some executor says, with versions; otherwise the reasons", async () => {
    await say(presence("e1"));
    await say(presence("e2", { languages: [{ id: "python", version: "Python 3.12.1" }] }));
    // Neither under another's name nor in another form.
    await say(presence("e3"), "e4");
    wire.connection.publish(subjects.presence(ns.topology, "e5" as ExecutorId), "{");
    await eventually(
      async () => fleet.executors().length,
      (count) => count === 2,
    );
    expect(fleet.executors().map((one) => one.executor)).toEqual(["e1", "e2"]);
    expect(fleet.languages().find((language) => language.id === "python")).toEqual({
      id: "python",
      name: "Python 3",
      offered: true,
      versions: ["Python 3.11.2", "Python 3.12.1"],
      reasons: [],
    });
    expect(fleet.notOffered("python")).toBeUndefined();
    // A server that has just started may not have heard the one that offers it.
    expect(fleet.notOffered("rust")).toBeUndefined();
    nowMs += 3_000;
    expect(fleet.notOffered("go")).toBeUndefined();
    expect(fleet.notOffered("rust")).toBe(
      "No executor offers Rust (rustc is not installed: apt-get install rustc). On offer: python.",
    );
    nowMs += 12_000;
    await say(presence("e1"));
    await eventually(
      async () => fleet.executors().length,
      (count) => count === 1,
    );
    expect(fleet.notOffered("go")).toMatch(/^No executor offers Go\. /);
  });

  it("stays for some minutes when its executors have gone, and no longer", async () => {
    nowMs += 8_000;
    expect(fleet.executors()).toEqual([]);
    await say(presence("e6", { languages: [{ id: "c", version: "gcc 12" }] }));
    await eventually(
      async () => fleet.executors().length,
      (count) => count === 1,
    );
    expect(fleet.notOffered("python")).toBeUndefined();
    nowMs += 10 * 60_000;
    await say(presence("e6", { languages: [{ id: "c", version: "gcc 12" }] }));
    await eventually(
      async () => fleet.notOffered("python"),
      (reason) => reason !== undefined,
    );
    expect(fleet.notOffered("c")).toBeUndefined();
  });
});
