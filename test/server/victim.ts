import { createInterface } from "node:readline";
import { z } from "zod";
import { crashPoint } from "../../src/shared/crashpoint.ts";
import { RejudgeId, SubmissionId } from "../../src/shared/ids.ts";
import { program, startServer } from "./rig.ts";

/**
 * A server's core in a process of its own, to be killed: ends itself by SIGKILL at the place given as last
 * argument. Submits what comes as JSON lines on stdin, redrives the submission or applies the rejudge that a line names,
 * or rejudges all of an owner, and answers each on stdout.
 */
const Input = z.object({
  mongodbUrl: z.string(),
  natsUrl: z.string(),
  database: z.string(),
  topology: z.object({ prefix: z.string(), replicas: z.int() }),
  limits: z.record(z.string(), z.int()).exactOptional(),
  webhookAllow: z.array(z.string()).exactOptional(),
  reconcile: z.object({ intervalMs: z.number(), quietMs: z.number() }).exactOptional(),
});
const [, , input = "", place] = process.argv;
const server = await startServer({
  ...Input.parse(JSON.parse(input)),
  instance: `victim-${process.pid}`,
  crash: crashPoint(place),
});

async function act(asked: Readonly<Record<string, string>>): Promise<unknown> {
  const { backbone } = server;
  const dead = SubmissionId.safeParse(asked["redrive"]);
  if (dead.success) return await backbone.redrive({ submission: dead.data, by: "victim" });
  const ready = RejudgeId.safeParse(asked["apply"]);
  if (ready.success) return await backbone.applyRejudge({ id: ready.data, by: "victim" });
  const owner = asked["rejudge"];
  if (owner === undefined) return await backbone.submit(program(asked));
  const how = { priority: "LOW", autoApply: false, reason: "a victim's wish" } as const;
  return await backbone.createRejudge({ by: "victim", filter: { owner }, ...how });
}

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const asked = z.record(z.string(), z.string()).parse(JSON.parse(line));
  const outcome = await act(asked);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
await server.stop();
