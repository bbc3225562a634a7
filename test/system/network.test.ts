import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Client, createClient } from "../../src/cli/client.ts";
import { importProblem } from "../../src/cli/importproblem.ts";
import { EXECUTORS, isFinal, SUBMIT, type SubmissionView } from "../../src/cli/operations.ts";
import { freePort } from "../../src/supervisor/preflight.ts";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { type Proxy, startProxy, throughProxy } from "../support/proxy.ts";
import { until } from "../support/processes.ts";

/** A spoilt network between executors and the server they fetch blobs from, and between the server and its clients. */

let stack: Stack;
/** Where executors fetch blobs. */
let blobs: Proxy;
/** Where clients come in. */
let door: Proxy;
/** Straight to the server. */
let near: Client;
let far: Client;
let jury: Client;

beforeAll(async () => {
  const port = await freePort("127.0.0.1", 0);
  [blobs, door] = await Promise.all([startProxy({ port }), startProxy({ port })]);
  stack = await startStack({
    port,
    pools: [{ name: "scripts", languages: ["python"], executors: 1, slots: 1 }],
    extraEnv: { executors: { DOCKET_SERVER_URL: `http://127.0.0.1:${blobs.port}` } },
    env: process.env,
  });
  jury = createClient({ url: stack.url, token: stack.keys.jury });
  const sum = join(import.meta.dirname, "../../examples/problems/sum");
  expect(await importProblem(jury, { path: sum })).toMatchObject({ type: "imported" });
  near = createClient({ url: stack.url, token: stack.keys.participant });
  far = createClient({ url: throughProxy(stack.url, door), token: stack.keys.participant });
}, 120_000);
afterEach(() => {
  blobs.heal();
  door.heal();
});
afterAll(async () => {
  await Promise.all([near.close(), far.close(), jury.close()]);
  await stack.stop();
  await Promise.all([blobs.close(), door.close()]);
}, 60_000);

let count = 0;
/** New to every cache. */
const program = (sleepS = 0): string =>
  `# ${++count}\nimport time\ntime.sleep(${sleepS})\na, b = map(int, input().split())\nprint(a + b)\n`;

async function submit(client: Client, source: string, idempotencyKey: string | null = null): Promise<string> {
  const input = { problem: "sum", language: "python", source, idempotencyKey };
  const { submitSubmission: answer } = await client.request(SUBMIT, { input });
  if (!("submission" in answer)) throw new Error(answer.message);
  return answer.submission.id;
}

/** Follows it; `views` grows, `ended` resolves after the final state. */
function follow(client: Client, id: string): { readonly views: SubmissionView[]; ended: Promise<void> } {
  const views: SubmissionView[] = [];
  const ended = (async () => {
    for await (const view of client.watch(id)) views.push(view);
  })();
  return { views, ended };
}

/** One end, accepted, and only growing revisions. */
function expectAccepted(views: readonly SubmissionView[]): void {
  expect(views.filter(isFinal)).toHaveLength(1);
  expect(views.at(-1)).toMatchObject({ state: "FINISHED", verdict: "AC" });
  const revisions = views.map(({ revision }) => revision);
  expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
}

describe("between an executor and the server's blobs", () => {
  const troubles: Record<string, () => void> = {
    "every answer late": () => blobs.delay(300),
    "answers that stay away": () => blobs.flow("hold", "toClient"),
    "connections that died without a word": () => blobs.flow("swallow"),
    "no connection at all": () => {
      blobs.accept(false);
      blobs.cut();
    },
  };

  it.each(Object.entries(troubles))("%s: the job waits for it, and is judged once", async (name, begin) => {
    begin();
    const before = blobs.bytes("toServer");
    const { views, ended } = follow(near, await submit(near, program()));
    await until("it runs", () => views.some(({ state }) => state === "RUNNING"));
    if (name === "no connection at all") {
      const sick = async (): Promise<boolean> =>
        (await jury.request(EXECUTORS)).executors[0]?.state === "UNHEALTHY";
      await until("the executor takes no more", sick);
    } else await until("it asked for the source", () => blobs.bytes("toServer") > before);
    if (name !== "every answer late") {
      expect(views.some(isFinal)).toBe(false);
      blobs.heal();
    }
    await ended;
    expectAccepted(views);
  });
});

describe("between a client and the server", () => {
  it("slow: it sees the same, later", async () => {
    door.delay(200);
    const { views, ended } = follow(far, await submit(far, program()));
    await ended;
    expectAccepted(views);
  });

  it("cut, and shut out for a while: it goes on from what it has seen", async () => {
    const { views, ended } = follow(far, await submit(far, program(0.2)));
    await until("it runs", () => views.some(({ testsDone }) => testsDone > 0));
    door.accept(false);
    door.cut();
    const others = follow(near, views[0]?.id ?? "");
    await others.ended;
    expect(views.some(isFinal)).toBe(false);
    door.accept(true);
    await ended;
    expectAccepted(views);
  });

  it("a connection that died without a word, while the verdict came: it notices and asks again", async () => {
    const { views, ended } = follow(far, await submit(far, program(0.2)));
    await until("it runs", () => views.some(({ testsDone }) => testsDone > 0));
    door.flow("swallow");
    await follow(near, views[0]?.id ?? "").ended;
    // More than its signs of life: it has given the connection up and tries a new one.
    const before = door.bytes("toServer");
    await until("it asks anew", () => door.bytes("toServer") > before + 100, 20_000);
    door.heal();
    await ended;
    expectAccepted(views);
  });

  it("the answer to a submission lost: the same key again gives the same submission", async () => {
    const source = program();
    door.flow("swallow", "toClient");
    const before = door.bytes("toClient");
    const first = submit(far, source, "lost").catch(() => "no answer");
    await until("the server answered", () => door.bytes("toClient") > before);
    door.heal();
    expect(await first).toBe("no answer");
    const id = await submit(far, source, "lost");
    const { views, ended } = follow(far, id);
    await ended;
    expectAccepted(views);
    expect(await submit(near, source, "lost")).toBe(id);
  });
});
