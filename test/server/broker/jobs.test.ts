import { expect, it } from "vitest";
import { findJob, removeJobUpTo } from "../../../src/server/broker/jobs.ts";
import type { JudgementDocument } from "../../../src/server/store/documents.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, openSuite, until } from "../rig.ts";

const ns = namespace();

const { server, wire } = await openSuite(ns);

const jobs = () => ({ jsm: wire.jsm, topology: ns.topology });
async function queued(): Promise<JudgementDocument> {
  const { submission } = await accepted(server);
  return (await until(server, submission._id, ({ judgement }) => judgement.state === "QUEUED")).judgement;
}

it("what is left of a judgement is removed, and a job of the next one with the same subject stays", async () => {
  const judgement = await queued();
  const found = await findJob(jobs(), judgement);
  expect(found?.job).toMatchObject({ generation: 1, dispatch: 1 });
  // As when a server is slow to tidy up, and somebody has redriven the dead letter meanwhile.
  await removeJobUpTo(jobs(), { ...judgement, generation: 0 });
  expect(await findJob(jobs(), judgement)).toEqual(found);
  await removeJobUpTo(jobs(), judgement);
  expect(await findJob(jobs(), judgement)).toBeUndefined();
  // Twice is fine.
  await removeJobUpTo(jobs(), judgement);
});
