import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/**
 * The load generator: a process of its own, so that its work is not the server's. Reads one Load as JSON from its
 * argument, submits through the public GraphQL API, prints one LoadReport as JSON.
 */

export const Load = z.object({
  url: z.string(),
  token: z.string(),
  problem: z.string(),
  language: z.string(),
  /** Submissions under way at once; or, with `perSecond`, started on schedule whether earlier ones are done or not. */
  mode: z.discriminatedUnion("type", [
    z.object({ type: z.literal("closed"), atOnce: z.int() }),
    z.object({ type: z.literal("open"), perSecond: z.number() }),
  ]),
  warmUpMs: z.int(),
  measureMs: z.int(),
});
export type Load = z.infer<typeof Load>;

export const LoadReport = z.object({
  /** Accepted of those that started within the measured time. */
  count: z.int(),
  /** From the measured time's beginning to the last answer. */
  seconds: z.number(),
  /** Of each one from its scheduled start to the answer, milliseconds. */
  latencies: z.array(z.number()),
});
export type LoadReport = z.infer<typeof LoadReport>;

const MUTATION = `mutation Submit($input: SubmitSubmissionInput!) {
  submitSubmission(input: $input) { type: __typename ... on SubmitSubmissionSuccess { submission { id state } } ... on UserError { code message } }
}`;

const Answer = z.object({
  data: z.object({ submitSubmission: z.object({ type: z.literal("SubmitSubmissionSuccess") }) }),
});

/** Each program is another one, as from different people: no blob and no content is met twice. */
function body(load: Load, number: number): string {
  const source = `# ${process.pid} ${number}\na, b = map(int, input().split())\nprint(a + b)\n`;
  const input = { problem: load.problem, language: load.language, source };
  return JSON.stringify({ query: MUTATION, variables: { input } });
}

async function submitOne(load: Load, agent: Agent, number: number): Promise<void> {
  const sent = body(load, number);
  const answer = await new Promise<string>((resolve, reject) => {
    const call = request(
      `${load.url}/graphql`,
      {
        agent,
        method: "POST",
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(sent),
          accept: "application/json",
          authorization: `Bearer ${load.token}`,
        },
      },
      (response) => {
        text(response).then(resolve, reject);
      },
    );
    call.on("error", reject);
    call.end(sent);
  });
  const parsed = Answer.safeParse(JSON.parse(answer));
  if (!parsed.success) {
    throw new Error(`a submission was not accepted: ${answer.slice(0, 500)}`);
  }
}

/** Runs `one` as the load's mode says; only what starts after the warm-up counts. */
export async function measure(
  load: Pick<Load, "mode" | "warmUpMs" | "measureMs">,
  one: (number: number) => Promise<void>,
): Promise<LoadReport> {
  const latencies: number[] = [];
  const begin = performance.now() + load.warmUpMs;
  const end = begin + load.measureMs;
  let number = 0;
  let last = begin;
  const timed = async (scheduled: number): Promise<void> => {
    await one(number++);
    const now = performance.now();
    // The slow ones at the end count, too, however late they come.
    if (scheduled < begin) return;
    latencies.push(now - scheduled);
    last = Math.max(last, now);
  };
  if (load.mode.type === "closed") {
    await Promise.all(
      Array.from({ length: load.mode.atOnce }, async () => {
        for (let now = performance.now(); now < end; now = performance.now()) await timed(now);
      }),
    );
  } else {
    const started: Promise<void>[] = [];
    const first = performance.now();
    for (let i = 0; ; i++) {
      const scheduled = first + (i * 1000) / load.mode.perSecond;
      if (scheduled >= end) break;
      const wait = scheduled - performance.now();
      if (wait > 0.5) await sleep(wait);
      started.push(timed(scheduled));
    }
    await Promise.all(started);
  }
  return { count: latencies.length, seconds: (last - begin) / 1000, latencies };
}

if (import.meta.main) {
  const load = Load.parse(JSON.parse(process.argv[2] ?? ""));
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const report = await measure(load, (number) => submitOne(load, agent, number));
  agent.destroy();
  console.log(JSON.stringify(report));
}
