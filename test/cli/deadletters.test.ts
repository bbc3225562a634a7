import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { WorkKind } from "../../src/executors/work.ts";
import { newSubmissionId } from "../../src/shared/ids.ts";
import { JUDGE_KIND } from "../../src/shared/judging.ts";
import { connectNats } from "../../src/shared/nats.ts";
import { subjects } from "../../src/shared/topology.ts";
import { openTestExecutor } from "../executors/backbone/inprocess.ts";
import { executorEnv, temporaryFolder } from "../executors/backbone/stage.ts";
import { graphql, submitted } from "../server/http/client.ts";
import { startTestServer, type TestServer } from "../server/http/testserver.ts";
import { namespace } from "../support/namespace.ts";
import { until } from "../support/processes.ts";
import { type CliEnd, lastJson, startCli } from "./running.ts";

const space = namespace();
const folder = temporaryFolder();
let server: TestServer;
let alice: string;
let jury: string;
/** What the executor makes of a job. */
let broken = false;
let count = 0;

const kind: WorkKind = {
  kind: JUDGE_KIND,
  run: () =>
    Promise.resolve(
      broken
        ? {
            type: "fault",
            fault: {
              code: "SANDBOX_FAILED",
              message: "no cgroup",
              log: "mkdir: no",
              retry: false,
              shared: false,
            },
          }
        : { type: "finished", result: { verdict: "AC", cpuMs: 1, memoryKiB: 1, testsTotal: 0, tests: [] } },
    ),
};

beforeAll(async () => {
  server = await startTestServer(space);
  alice = await server.key("alice");
  jury = await server.key("judge", "jury");
  await server.problem("sum");
});
afterEach(() => {
  broken = false;
});
afterAll(() => server.stop());

const docket = (...args: string[]): Promise<CliEnd> =>
  startCli(args, { DOCKET_URL: server.url, DOCKET_TOKEN: jury }).end;

/** An executor whose self-test never passes again. */
async function executor(): Promise<string> {
  const id = `cli-${++count}`;
  const workDir = join(folder(), id);
  mkdirSync(workDir);
  await openTestExecutor(
    executorEnv(space.natsUrl, space.topology, {
      id,
      workDir,
      DOCKET_SLOTS: "1",
      DOCKET_SERVER_URL: server.url,
    }),
    kind,
    (language) => Promise.resolve({ id: language, reason: "no" }),
  );
  return id;
}

const STATE = "query ($id: ID!) { submission(id: $id) { state } }";
const ended = async (id: string, state: string): Promise<void> => {
  await until(`${id} is ${state}`, async () => {
    const { data } = await graphql(server.url, jury, STATE, { id });
    return JSON.stringify(data).includes(state) || undefined;
  });
};
async function handIn(state: string): Promise<string> {
  const id = await submitted(server.url, alice, "sum");
  await ended(id, state);
  return id;
}

describe("docket deadletters and reinstate", () => {
  it("show what a broken executor left, put it back and judge again", async () => {
    const name = await executor();
    broken = true;
    const ids = [await handIn("FAILED"), await handIn("FAILED"), await handIn("FAILED")];
    const waiting = await submitted(server.url, alice, "sum");

    const shown = await docket("executors");
    expect(shown.stdout).toContain("3 jobs in a row ended with SANDBOX_FAILED");
    const offers = await docket("languages", "--json");
    expect(offers.stdout).toContain("3 jobs in a row ended with SANDBOX_FAILED");

    const list = await docket("deadletters");
    expect(list.code).toBe(0);
    for (const id of ids) expect(list.stdout).toContain(`${id}  Problem sum, Python 3, of alice`);
    expect(list.stdout).toContain("SANDBOX_FAILED");
    expect(list.stdout).toContain(`${name}  fault SANDBOX_FAILED no cgroup`);
    expect(list.stdout).toContain("    mkdir: no");
    expect((await docket("deadletters", "list", "--code", "DISK_FULL")).stdout).toBe("No dead letters.\n");
    const two = await docket("deadletters", "list", "--limit", "2", "--json");
    expect(lastJson(two)).toHaveLength(2);

    const [first, second, third] = ids as [string, string, string];
    const discarded = await docket("deadletters", "discard", first, "--reason", "a trial");
    expect(discarded).toMatchObject({ code: 0, stdout: `discarded  ${first}\n` });
    expect((await docket("deadletters")).stdout).not.toContain(first);
    expect((await docket("deadletters", "list", "--discarded")).stdout).toContain(
      "discarded by judge: a trial",
    );

    broken = false;
    const back = await docket("reinstate", name, "--language", "python");
    expect(back).toMatchObject({ code: 0, stdout: `${name} is ready and offers python\n` });
    await ended(waiting, "FINISHED");
    expect(await docket("deadletters", "redrive", second)).toMatchObject({
      code: 0,
      stdout: `redriven  ${second}  judging 2\n`,
    });
    expect((await docket("deadletters", "redrive", "--all")).stdout).toBe("redriven  1\n");
    await ended(second, "FINISHED");
    await ended(third, "FINISHED");
    await ended(first, "FAILED");
  });

  it("refuse in words what cannot be done", async () => {
    const id = newSubmissionId(Date.now());
    const cases: [string[], string][] = [
      [["deadletters", "redrive", id], "There is no submission"],
      [["deadletters", "redrive"], "Give a filter with at least one member, or all: true"],
      [["deadletters", "list", "--limit", "0"], "a whole number above 0"],
      [["reinstate", "nobody"], "No executor nobody has been heard of"],
    ];
    const ends = await Promise.all(cases.map(([args]) => docket(...args)));
    for (const [i, end] of ends.entries()) {
      expect(end.code, cases[i]?.[0].join(" ")).toBe(2);
      expect(end.stderr).toContain(cases[i]?.[1]);
    }
  });
});

it("docket rejected shows what could not be read, fit for a terminal", async () => {
  expect((await docket("rejected")).stdout).toBe("No message was rejected.\n");
  const nats = await connectNats({ url: space.natsUrl }, "test");
  const submission = newSubmissionId(Date.now());
  nats.publish(subjects.job(space.topology, "python", "practice", submission), "\u001b[31mnonsense");
  await executor();
  await until(
    "it is written down",
    async () => (await docket("rejected")).stdout.includes("nonsense") || undefined,
  );
  const { stdout } = await docket("rejected");
  expect(stdout).toMatch(/job {2}terminated {2}\S*JOBS_PYTHON practice \d+/);
  expect(stdout).toContain("JOB_MALFORMED: ·[31mnonsense");
  expect((await graphql(server.url, alice, "{ rejectedMessages { at } }")).codes).toEqual(["FORBIDDEN"]);
  const reinstate = `mutation { reinstateExecutor(input: { executor: "by-hand" }) { type: __typename } }`;
  expect((await graphql(server.url, alice, reinstate)).data).toEqual({
    reinstateExecutor: { type: "Forbidden" },
  });
  await nats.close();
});
