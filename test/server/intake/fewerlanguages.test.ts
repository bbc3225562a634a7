import { afterEach, expect, it } from "vitest";
import { submissionsInStream } from "../../../src/server/broker/jobs.ts";
import type { LanguageId } from "../../../src/shared/language.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openWire, putProblem, type Server, startServer, until } from "../rig.ts";

const ns = namespace();
let server: Server | undefined;
afterEach(() => server?.stop());

/** A server whose owners have one job of each language in the queue at most. */
async function restart(languages?: readonly LanguageId[]): Promise<Server> {
  await server?.stop();
  server = await startServer({ ...ns, topology: { ...ns.topology, languages }, limits: { ownerWindow: 1 } });
  return server;
}

it("what waits for a language that a deployment has left out holds up nobody, and is judged when it is back", async () => {
  const wire = await openWire(ns);
  const before = await restart();
  await putProblem(before.store);
  const owner = "ann";
  const left = [];
  for (let i = 0; i < 3; i++) left.push(await accepted(before, { owner, language: "c" }));
  const [, cancelled, last] = left.map(({ submission }) => submission._id);
  if (cancelled === undefined || last === undefined) throw new Error("three were accepted");

  // Its name comes before the other's, in a lane that is served first, so it would stand in the way.
  const fewer = await restart(["python"]);
  const others = [];
  for (let i = 0; i < 3; i++) others.push(await accepted(fewer, { owner, language: "python" }));
  const executor = wire.executor("e1");
  for (const { submission } of others) {
    const held = await executor.take("python");
    expect(held.job.submission).toBe(submission._id);
    await executor.emit(held, 1, { type: "finished", result: { verdict: "AC" } });
    await executor.ack(held);
    await until(fewer, submission._id, ({ judgement }) => judgement.state === "FINISHED");
  }
  expect(await fewer.backbone.cancel(cancelled)).toMatchObject({ type: "cancelled" });

  const again = await restart();
  const first = await executor.take("c");
  await executor.emit(first, 1, { type: "finished", result: { verdict: "AC" } });
  await executor.ack(first);
  await eventually(
    () => submissionsInStream({ jsm: wire.jsm, topology: ns.topology }, "c"),
    (ids) => ids.has(last),
  );
  expect((await again.store.snapshots.get(last))?.judgement.state).not.toBe("CANCELLED");
  await wire.close();
});
