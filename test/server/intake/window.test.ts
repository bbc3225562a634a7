import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createLink, type Link } from "../../../src/server/broker/link.ts";
import { createWindow, type Window } from "../../../src/server/intake/window.ts";
import { createLog } from "../../../src/shared/log.ts";
import { streamOf } from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openSuite, purgeJob } from "../rig.ts";

const ns = namespace();
const topology = { ...ns.topology, languages: ["python", "go"] as const };
const SIZE = 8;
const { server, wire } = await openSuite(ns, { topology });
const log = createLog("test", "silent");
let link: Link;
const windows: Window[] = [];

beforeAll(async () => {
  link = createLink({ access: { url: ns.natsUrl }, name: "window", log });
  await link.start();
});
afterAll(async () => {
  for (const { refresh } of windows) await refresh.stop();
  await link.stop();
});

/** A window that is counted once at its start, and then not again of itself within a test. */
async function open(): Promise<{ window: Window; refilled: () => number }> {
  let refills = 0;
  const window = createWindow({
    link,
    topology,
    size: SIZE,
    refilled: () => void (refills += 1),
    refreshMs: 3_600_000,
    log,
  });
  windows.push(window);
  await window.refresh.start();
  return { window, refilled: () => refills };
}
const room = (window: Window) => window.room("python", "practice");
const roomOf = (window: Window, wanted: number) =>
  eventually(
    async () => room(window),
    (found) => found === wanted,
  );

describe("the window", () => {
  it("is counted anew as soon as it runs low, however fast jobs go in and out", async () => {
    const { window, refilled } = await open();
    window.setBehind("python", "practice", true);
    // Three times its size, all of it taken by executors as fast as it comes: it waits for no turn.
    for (let round = 1; round <= 3; round++) {
      await roomOf(window, SIZE);
      for (let i = 0; i < SIZE; i++) window.took("python", "practice")();
      expect(room(window)).toBe(0);
      await eventually(
        async () => refilled(),
        (count) => count === round,
      );
    }
  });

  it("hears of the room that the ends of jobs leave", async () => {
    const jobs = [];
    for (let i = 0; i < SIZE; i++) jobs.push(await accepted(server, { owner: `owner${i}` }));
    const { window, refilled } = await open();
    window.setBehind("python", "practice", true);
    await roomOf(window, 0);
    for (const { submission } of jobs.slice(0, 3)) {
      await purgeJob(wire, topology, { language: "python", lane: "practice", submission: submission._id });
    }
    expect(room(window)).toBe(0);
    window.freed("python", "practice");
    await roomOf(window, 3);
    expect(refilled()).toBe(1);
  });

  it("asks nothing of the broker about a queue that has room", async () => {
    const { window } = await open();
    await roomOf(window, 3);
    const { jsm } = link.use();
    const asked: string[] = [];
    const list = jsm.consumers.list.bind(jsm.consumers);
    jsm.consumers.list = (stream) => {
      asked.push(stream);
      return list(stream);
    };
    try {
      window.took("python", "practice")();
      expect(room(window)).toBe(2);
      // Later than the first one would be, if it were.
      for (let i = 0; i < SIZE; i++) window.took("go", "practice")();
      await eventually(
        async () => window.room("go", "practice"),
        (found) => found === SIZE,
      );
      expect(asked).toEqual([streamOf(topology, "go")]);
    } finally {
      jsm.consumers.list = list;
    }
  });
});
