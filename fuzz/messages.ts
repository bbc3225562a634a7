import { Empty } from "@nats-io/transport-node";
import { issueCapability } from "../src/shared/capability.ts";
import type { SubmissionId } from "../src/shared/ids.ts";
import type { Chance } from "./chance.ts";
import { junk, junkString } from "./junk.ts";
import { mutateBytes, mutateJson } from "./mutate.ts";
import type { Input, World } from "./world.ts";

const RESULT = {
  verdict: "AC",
  cpuMs: 3,
  memoryKiB: 900,
  compile: { ok: true, cpuMs: 1, wallMs: 2, cached: false, message: "fine" },
  testsTotal: 1,
  tests: [{ name: "sample/1", verdict: "AC", cpuMs: 3, wallMs: 5, memoryKiB: 900, exit: "0" }],
};
const FAULT = { code: "INTERNAL", message: "broke", log: "…", retry: true, shared: false };

function capability(chance: Chance, world: World, submission: string): string {
  const claims = { submission: submission as SubmissionId, generation: 1, dispatch: 1, blobs: [] };
  const right = issueCapability(world.capabilitySecret, claims);
  if (chance.yes(0.8)) return right;
  return chance.yes(0.5) ? mutateBytes(chance, Buffer.from(right)).toString("latin1") : junkString(chance);
}

const oneToken = (text: string): string => text.replaceAll(/[^\w-]/g, "_").slice(0, 60) || "_";

/** A judge event, a job, or a word of presence, fence or control, mostly well-formed in its envelope. */
export function messageInput(chance: Chance, world: World): Input {
  const submission = (chance.yes(0.9) ? chance.any(world.submissions) : undefined) ?? "0".repeat(26);
  const base = {
    v: 1,
    kind: "judge",
    submission,
    generation: 1,
    dispatch: 1,
    capability: capability(chance, world, submission),
  };
  const event = {
    ...base,
    delivery: 1 + chance.int(20),
    executor: "fuzz-1",
    seq: 1 + chance.int(1_000),
    atMs: 1_760_000_000_000,
    type: chance.pick(["started", "compiled", "progress", "finished", "fault", "released"]),
    result: chance.yes(0.5) ? mutateJson(chance, RESULT, 0.3) : RESULT,
    fault: FAULT,
  };
  const presence = {
    executor: "fuzz-1",
    pool: "fuzz",
    languages: [{ id: "python", version: "3" }],
    notOffered: [],
    lanes: ["practice"],
    slots: 1,
    running: [],
    state: "ready",
    version: "0",
    startedAtMs: 1,
  };
  const job = {
    ...base,
    language: "python",
    lane: "contest",
    deadlineMs: 60_000,
    payload: {
      language: "python",
      files: [{ name: "main.py", sha256: "ab".repeat(32), sizeBytes: 3 }],
      problem: world.problem,
      manifest: "ab".repeat(32),
    },
  };
  const [subject, good]: [string, unknown] = chance.pick([
    [`events.fuzz-1.${submission}`, event],
    [`events.fuzz-1.${submission}`, event],
    [`events.fuzz-1.${submission}`, event],
    [`events.${oneToken(junkString(chance))}.${submission}`, event],
    ["presence.fuzz-1", presence],
    ["fence.check", { submission, generation: 1, dispatch: 1, delivery: 1 }],
    [`updates.${submission}`, { revision: 1, final: chance.yes(0.5) }],
    [`jobs.python.contest.${submission}`, job],
  ]);
  const made = chance.yes(0.6) ? mutateJson(chance, good, 0.15) : good;
  let body: Buffer = Buffer.from(JSON.stringify(chance.yes(0.05) ? junk(chance) : made) ?? "");
  if (chance.yes(0.1)) body = mutateBytes(chance, body);
  return {
    kind: subject.split(".")[0] ?? "message",
    text: `${subject}\n${body.toString("utf8")}`,
    send: async () => {
      // More than a broker takes no client can send: its own library refuses that.
      const most = world.nats.info?.max_payload;
      world.nats.publish(`${world.prefix}${subject}`, body.length === 0 ? Empty : body.subarray(0, most));
      return await Promise.resolve({ text: "", fault: false });
    },
  };
}
