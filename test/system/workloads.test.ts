import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { graphql, socketClient } from "../server/http/client.ts";

/** The two kinds of work in examples/workloads, on a whole stack: nothing of it judges. */

const folder = (name: string): string => join(import.meta.dirname, "../../examples/workloads", name);

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    pools: [{ name: "work", workloads: [folder("sleep"), folder("thumbnail")], executors: 2, slots: 2 }],
    env: process.env,
    extraEnv: { server: { DOCKET_LIMIT_TRIES: "2" } },
  });
}, 120_000);
afterAll(() => stack.stop(), 60_000);

const FIELDS = `id kind state revision input result files { name sizeBytes }`;
const JURY_FIELDS = `${FIELDS} tries { executor delivery end } failure { code reason }`;
const Work = z.object({
  id: z.string(),
  state: z.string(),
  revision: z.int(),
  result: z.unknown(),
  tries: z.array(z.object({ executor: z.string(), delivery: z.int(), end: z.string().nullable() })).nullish(),
  failure: z.object({ code: z.string(), reason: z.string() }).nullish(),
});
type Work = z.infer<typeof Work>;
const Answer = z.object({
  type: z.string(),
  code: z.string().optional(),
  message: z.string().optional(),
  replayed: z.boolean().optional(),
  work: Work.optional(),
});

async function mutate(key: string, name: string, input: Record<string, unknown>) {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  const success = name === "submitWork" ? `replayed work { ${FIELDS} }` : `work { ${FIELDS} }`;
  const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    type: __typename ... on UserError { code message } ... on ${type}Success { ${success} }
  } }`;
  const { data, errors } = await graphql(stack.url, key, query, { input });
  if (data === undefined) throw new Error(JSON.stringify(errors));
  return Answer.parse(data[name]);
}

async function handIn(kind: string, input: object, files: object[] = []): Promise<Work> {
  const answer = await mutate(stack.keys.participant, "submitWork", { kind, input, files });
  if (answer.work === undefined) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.work;
}

/** Every state that a subscriber of the jury sees, until the server completes. */
async function* watch(id: string): AsyncGenerator<Work, void> {
  const client = socketClient(stack.url, { Authorization: `Bearer ${stack.keys.jury}` });
  try {
    const query = `subscription ($id: ID!) { workUpdated(workId: $id) { ${JURY_FIELDS} } }`;
    for await (const { data, errors } of client.iterate({ query, variables: { id } })) {
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      yield Work.parse(data?.["workUpdated"]);
    }
  } finally {
    await client.dispose();
  }
}

async function ended(id: string): Promise<Work> {
  const states: Work[] = [];
  for await (const state of watch(id)) states.push(state);
  const last = states.at(-1);
  if (last === undefined) throw new Error("the subscription ended without a word");
  return last;
}

test("what an executor is killed over is done by another process, once", async () => {
  const { id } = await handIn("sleep", { ms: 1_500 });
  const pidOf = (name = "") => stack.processes().find((process) => process.name === name)?.pid;
  let holder: string | undefined;
  let killed: number | undefined;
  const states: Work[] = [];
  for await (const work of watch(id)) {
    states.push(work);
    if (holder !== undefined || work.state !== "RUNNING") continue;
    holder = work.tries?.[0]?.executor ?? "";
    killed = pidOf(holder);
    expect(stack.kill(holder)).toBe(true);
  }
  expect(states.filter(({ state }) => state === "FINISHED")).toHaveLength(1);
  expect(states.at(-1)).toMatchObject({ state: "FINISHED", result: { sleptMs: 1_500 } });
  const tries = states.at(-1)?.tries ?? [];
  expect(tries.map(({ end, delivery }) => [delivery, end])).toEqual([
    [1, null],
    [2, "finished"],
  ]);
  // Perhaps of the same name: it is started again at once.
  const finisher = pidOf(tries[1]?.executor);
  expect(finisher).toBeGreaterThan(0);
  expect(killed).toBeGreaterThan(0);
  expect(finisher).not.toBe(killed);
});

test("faults use up the tries, the dead letter is redriven, and both are the jury's alone", async () => {
  const { id } = await handIn("sleep", { ms: 0, fault: "the lamp is broken" });
  const dead = await ended(id);
  expect(dead).toMatchObject({
    state: "FAILED",
    failure: { code: "WORK_FAILED", reason: expect.stringContaining("the lamp is broken") },
  });
  expect(dead.tries).toHaveLength(2);
  const own = await graphql(stack.url, stack.keys.participant, `{ work(id: "${id}") { ${JURY_FIELDS} } }`);
  expect(own.data?.["work"]).toMatchObject({ state: "FAILED", tries: null, failure: null });
  expect(await mutate(stack.keys.participant, "redriveWork", { id })).toMatchObject({ code: "FORBIDDEN" });
  const again = await mutate(stack.keys.jury, "redriveWork", { id });
  expect(again).toMatchObject({ type: "RedriveWorkSuccess", work: { state: "PENDING" } });
  const deadAgain = await ended(id);
  expect(deadAgain).toMatchObject({ state: "FAILED", failure: { code: "WORK_FAILED" } });
  expect(deadAgain.revision).toBeGreaterThan(again.work?.revision ?? Infinity);
  const lists = `{ deadLetters { edges { node { code } } } works(kind: "sleep", state: FAILED) { edges { node { id } } } }`;
  const { data } = await graphql(stack.url, stack.keys.jury, lists);
  expect(data).toEqual({ deadLetters: { edges: [] }, works: { edges: [{ node: { id } }] } });
});

test("what runs is stopped when it is cancelled", async () => {
  const { id } = await handIn("sleep", { ms: 600_000 });
  for await (const { state } of watch(id)) {
    if (state !== "RUNNING") continue;
    expect(await mutate(stack.keys.participant, "cancelWork", { id })).toMatchObject({
      work: { state: "CANCELLED" },
    });
  }
  expect(await mutate(stack.keys.participant, "cancelWork", { id })).toMatchObject({
    code: "SUBMISSION_FINAL",
  });
  const executors = `{ executors { running { submissionId } } }`;
  await expect
    .poll(async () => JSON.stringify((await graphql(stack.url, stack.keys.jury, executors)).data))
    .not.toContain(id);
});

test("the same key is the same work, and no submission", async () => {
  const input = { kind: "sleep", input: { ms: 0 }, idempotencyKey: "once" };
  const first = await mutate(stack.keys.participant, "submitWork", input);
  const second = await mutate(stack.keys.participant, "submitWork", input);
  expect([first.replayed, second.replayed]).toEqual([false, true]);
  expect(second.work?.id).toBe(first.work?.id);
  const other = await mutate(stack.keys.participant, "submitWork", { ...input, input: { ms: 1 } });
  expect(other.code).toBe("IDEMPOTENCY_CONFLICT");
  const shown = `{ submission(id: "${first.work?.id}") { id } submissions { edges { node { id } } } }`;
  expect((await graphql(stack.url, stack.keys.jury, shown)).data).toEqual({
    submission: null,
    submissions: { edges: [] },
  });
});

test("what cannot be done is refused before it is stored, with what to do", async () => {
  const refused: [Record<string, unknown>, string][] = [
    [{ kind: "no-such" }, "there are: sleep, thumbnail"],
    [{ kind: "judge" }, "there are: sleep, thumbnail"],
    [{ kind: "sleep", input: { ms: -1 } }, "ms"],
    [{ kind: "sleep", input: { ms: 0, fault: "x".repeat(201) } }, "fault"],
    [{ kind: "thumbnail", input: { widthPx: 8 } }, "thumbnail takes 1, and not 0"],
    [{ kind: "sleep", input: { ms: 0 }, lane: "CONTEST" }, "lane"],
    [{ kind: "sleep", input: { ms: 0 }, idempotencyKey: "" }, "idempotencyKey"],
  ];
  for (const [input, words] of refused) {
    const answer = await mutate(stack.keys.participant, "submitWork", input);
    expect([answer.work, answer.message]).toEqual([undefined, expect.stringContaining(words)]);
  }
});

/** A PNG of one colour channel. */
function grey(widthPx: number, heightPx: number, value: (x: number, y: number) => number): Buffer {
  const chunk = (kind: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(body.length, 0);
    head.write(kind, 4, "latin1");
    return Buffer.concat([head, body, Buffer.alloc(4)]);
  };
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0]);
  head.writeUInt32BE(widthPx, 0);
  head.writeUInt32BE(heightPx, 4);
  const rows = Array.from({ length: heightPx }, (_, y) =>
    Buffer.from([0, ...Array.from({ length: widthPx }, (__, x) => value(x, y))]),
  );
  const body = deflateSync(Buffer.concat(rows));
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([signature, chunk("IHDR", head), chunk("IDAT", body), chunk("IEND", Buffer.alloc(0))]);
}

test("a thumbnail is made in the sandbox, and bytes that are no picture are the sender's mistake", async () => {
  const png = grey(64, 32, (x) => (x < 32 ? 10 : 210));
  const thumbnail = (content: Buffer) =>
    handIn("thumbnail", { widthPx: 2 }, [{ name: "a.png", contentBase64: content.toString("base64") }]);
  const [good, bad] = await Promise.all([thumbnail(png), thumbnail(Buffer.from("no picture"))]);
  const { state, result } = await ended(good.id);
  expect(state).toBe("FINISHED");
  const { pngBase64 } = z.object({ ok: z.literal(true), pngBase64: z.string() }).parse(result);
  const small = Buffer.from(pngBase64, "base64");
  expect([small.readUInt32BE(16), small.readUInt32BE(20)]).toEqual([2, 1]);
  const pixels = small.indexOf("IDAT") + 4;
  expect([...inflateSync(small.subarray(pixels))]).toEqual([0, 10, 210]);
  expect(await ended(bad.id)).toMatchObject({
    state: "FINISHED",
    result: { ok: false, reason: "this is no PNG" },
  });
});
