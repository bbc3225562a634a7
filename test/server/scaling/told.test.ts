import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../../support/processes.ts";
import { namespace } from "../../support/namespace.ts";
import { graphql, submit } from "../http/client.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

/** What waits in the real queue, told by GraphQL and by Prometheus. */
const ns = namespace();
const WAITING = 25;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(ns, { limits: { ownerBurst: 2 * WAITING, ownerUnfinished: 2 * WAITING } });
  await server.problem("sum");
});
afterAll(() => server.stop());

const POOLS = "{ pools { name executors slots waiting mostExecutors desiredExecutors } }";

test("the desired executors are told to the jury and to Prometheus", async () => {
  const [alice, jury] = await Promise.all([server.key("alice"), server.key("jury", "jury")]);
  for (let nth = 0; nth < WAITING; nth++) {
    const answer = await submit(server.url, alice, {
      problem: "sum",
      language: "python",
      source: `print(${nth})\n`,
    });
    expect(answer.type).toBe("SubmitSubmissionSuccess");
  }
  const pools = async () => (await graphql(server.url, jury, POOLS)).data?.["pools"];
  // Nobody has measured anything: each is taken to last a second, and the executor moved by hand has two slots.
  const desiredExecutors = Math.ceil(WAITING / (10 * 2));
  const pool = {
    name: "test",
    executors: 1,
    slots: 2,
    waiting: WAITING,
    mostExecutors: 100,
    desiredExecutors,
  };
  await until(
    "all of it is seen to wait",
    async () => JSON.stringify(await pools()) === JSON.stringify([pool]),
  );

  expect((await graphql(server.url, alice, POOLS)).errors).not.toEqual([]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain(`docket_pool_desired_executors{pool="test"} ${desiredExecutors}`);
});
