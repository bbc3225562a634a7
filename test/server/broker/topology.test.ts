import { afterAll, beforeAll, expect, it } from "vitest";
import { keepTopology } from "../../../src/server/broker/topology.ts";
import { WorkName } from "../../../src/shared/queue.ts";
import { namespace } from "../../support/namespace.ts";
import { openWire, type Wire } from "../rig.ts";

const ns = namespace();
let wire: Wire;

beforeAll(async () => {
  wire = await openWire(ns);
});
afterAll(() => wire.close());

it("has a queue for each language of the deployment and each kind of work, and makes only what is missing", async () => {
  const topology = { ...ns.topology, languages: ["c", "go"] as const, works: [WorkName.parse("sleep")] };
  await keepTopology(wire.jsm, topology);
  const names: string[] = [];
  for await (const name of wire.jsm.streams.names()) if (name.startsWith(topology.prefix)) names.push(name);
  expect(names.map((name) => name.slice(topology.prefix.length)).toSorted()).toEqual([
    "JOBS_C",
    "JOBS_GO",
    "JOBS_SLEEP",
    "JOB_ADVISORIES",
    "JUDGE_EVENTS",
  ]);
  expect(await keepTopology(wire.jsm, topology)).toEqual({ made: [], changed: [] });

  // One more: its stream, and the advisories of it.
  const { made, changed } = await keepTopology(wire.jsm, { ...topology, languages: ["c", "go", "rust"] });
  expect(made).toContain(`${topology.prefix}JOBS_RUST`);
  expect(made).toHaveLength(5);
  expect(changed).toEqual([`${topology.prefix}JOB_ADVISORIES: subjects`]);
});
