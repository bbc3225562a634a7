import { expect, it } from "vitest";
import { StoreUnavailable } from "../../../src/server/store/unavailable.ts";
import { eventStreamOf, RECORDER_CONSUMER } from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openSuite, until } from "../rig.ts";

const ns = namespace();

// The reconciler would give the consumer its ack_wait back.
const { server, wire } = await openSuite(ns, { reconcile: { intervalMs: 600_000, quietMs: 600_000 } });

it("events that wait for the database are not handed out again and again, and do not pile up", async () => {
  const stream = eventStreamOf(ns.topology);
  await wire.jsm.consumers.update(stream, RECORDER_CONSUMER, { ack_wait: 1_000_000_000 });
  const { submission } = await accepted(server);
  const executor = wire.executor("e1");
  const job = await executor.take();
  await until(server, submission._id, ({ judgement }) => judgement.state === "QUEUED");

  const { judgements } = server.store;
  const replaceIfUnchanged = judgements.replaceIfUnchanged.bind(judgements);
  let failures = 0;
  judgements.replaceIfUnchanged = () => {
    failures += 1;
    return Promise.reject(new StoreUnavailable("taken away by the test"));
  };
  const COUNT = 5;
  for (let seq = 1; seq < COUNT; seq++) {
    await executor.emit(job, seq, { type: "progress", result: { testsTotal: 3, tests: [] } });
  }
  await executor.emit(job, COUNT, { type: "finished", result: { verdict: "AC", tests: [] } });
  // Half a second each: four times ack_wait.
  await eventually(
    async () => failures,
    (count) => count >= 8,
  );
  const { num_redelivered, num_ack_pending } = await wire.jsm.consumers.info(stream, RECORDER_CONSUMER);
  expect({ num_redelivered, num_ack_pending }).toEqual({ num_redelivered: 0, num_ack_pending: COUNT });

  judgements.replaceIfUnchanged = replaceIfUnchanged;
  await until(server, submission._id, ({ judgement }) => judgement.state === "FINISHED");
  await executor.ack(job);
});
