import { createInterface } from "node:readline";
import { z } from "zod";
import { crashPoint } from "../../src/shared/crashpoint.ts";
import { SubmissionId } from "../../src/shared/ids.ts";
import { program, startServer } from "./rig.ts";

/**
 * A server's core in a process of its own, to be killed: ends itself by SIGKILL at the place given as last
 * argument. Submits what comes as JSON lines on stdin, or redrives the submission that a line names, and answers each
 * on stdout.
 */
const Input = z.object({
  mongodbUrl: z.string(),
  natsUrl: z.string(),
  database: z.string(),
  topology: z.object({ prefix: z.string(), replicas: z.int() }),
  limits: z.object({ tries: z.int() }).exactOptional(),
  reconcile: z.object({ intervalMs: z.number(), quietMs: z.number() }).exactOptional(),
});
const [, , input = "", place] = process.argv;
const server = await startServer({
  ...Input.parse(JSON.parse(input)),
  instance: `victim-${process.pid}`,
  crash: crashPoint(place),
});
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const asked = z.record(z.string(), z.string()).parse(JSON.parse(line));
  const dead = SubmissionId.safeParse(asked["redrive"]);
  const outcome = dead.success
    ? await server.backbone.redrive({ submission: dead.data, by: "victim" })
    : await server.backbone.submit(program(asked));
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
await server.stop();
