import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createClient } from "../../src/cli/client.ts";
import { addContestsCommand } from "../../src/cli/contestscommand.ts";
import type { Output } from "../../src/cli/output.ts";
import { addPauseCommand } from "../../src/cli/pausecommand.ts";
import { addRejudgeCommand } from "../../src/cli/rejudgecommand.ts";
import { CliTrouble } from "../../src/cli/trouble.ts";
import { addWebhooksCommand } from "../../src/cli/webhookscommand.ts";
import type { WorkKind } from "../../src/executors/work.ts";
import { JUDGE_KIND } from "../../src/shared/judging.ts";
import { openTestExecutor } from "../executors/backbone/inprocess.ts";
import { executorEnv, temporaryFolder } from "../executors/backbone/stage.ts";
import { graphql, submitted } from "../server/http/client.ts";
import { startTestServer, type TestServer } from "../server/http/testserver.ts";
import { startReceiver, status } from "../server/webhooks/receiver.ts";
import { namespace } from "../support/namespace.ts";
import { until } from "../support/processes.ts";

/** What the jury does with contests, rejudges, pauses, pools and webhooks from the command line. */

const space = namespace();
const folder = temporaryFolder();
let server: TestServer;
let alice: string;
let jury: string;
/** What the executor finds. */
let verdict: "AC" | "WA" = "AC";
let count = 0;

const kind: WorkKind = {
  kind: JUDGE_KIND,
  run: () =>
    Promise.resolve({
      type: "finished",
      result: { verdict, cpuMs: 1, memoryKiB: 1, testsTotal: 0, tests: [] },
    }),
};

beforeAll(async () => {
  server = await startTestServer(space, { limits: { webhookTries: 1 }, webhookAllow: ["127.0.0.1"] });
  alice = await server.key("alice");
  jury = await server.key("judge", "jury");
  await server.problem("sum");
  await server.problem("product");
});
beforeEach(async () => {
  verdict = "AC";
  const id = `cli-${++count}`;
  const workDir = join(folder(), id);
  mkdirSync(workDir);
  const how = { DOCKET_POOL: "main", DOCKET_MOST_SLOTS: "4", DOCKET_SERVER_URL: server.url };
  await openTestExecutor(executorEnv(space.natsUrl, space.topology, { id, workDir, ...how }), kind);
  await until("the server hears of it", async () => {
    return (await executorsNow()).includes(`"${id}","pool":"main","state":"READY"`) || undefined;
  });
});
afterAll(() => server.stop());

interface End {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The commands as main.ts has them, in this process: one of its own takes longer than all they do. */
async function as(key: string, ...args: string[]): Promise<End> {
  let stdout = "";
  const paint = (text: string): string => text;
  const out: Output = {
    line: (text = "") => void (stdout += `${text}\n`),
    json: (value) => void (stdout += `${JSON.stringify(value)}\n`),
    bold: paint,
    dim: paint,
    good: paint,
    bad: paint,
    warn: paint,
  };
  const program = new Command("docket").option("--json").exitOverride();
  const client = createClient({ url: server.url, token: key });
  const run: Parameters<typeof addPauseCommand>[1] = (command, use) =>
    use(client, out, { json: command.optsWithGlobals<{ json?: true }>().json ?? false });
  for (const add of [addContestsCommand, addPauseCommand, addRejudgeCommand, addWebhooksCommand])
    add(program, run);
  try {
    await program.parseAsync(args, { from: "user" });
    return { code: 0, stdout, stderr: "" };
  } catch (error) {
    if (!(error instanceof CliTrouble)) throw error;
    return { code: 2, stdout, stderr: error.message };
  } finally {
    await client.close();
  }
}
const docket = (...args: string[]): Promise<End> => as(jury, ...args);
/** Its output; throws when it does not end well. */
async function said(...args: string[]): Promise<string> {
  const end = await docket(...args);
  if (end.code !== 0) throw new Error(`${args.join(" ")}: ${end.code} ${end.stderr}`);
  return end.stdout;
}
const READY = "{ executors { name pool state reason slots mostSlots lanes weights { weight } } }";
const executorsNow = async (): Promise<string> => {
  const { data } = await graphql(server.url, jury, READY);
  return JSON.stringify(data);
};

const see = async (id: string, fields: string): Promise<unknown> => {
  const { data } = await graphql(server.url, jury, `query ($id: ID!) { submission(id: $id) { ${fields} } }`, {
    id,
  });
  return data?.["submission"];
};
const finished = (id: string): Promise<unknown> =>
  until(`${id} is judged`, async () => {
    const seen = (await see(id, "state verdict")) as { state: string; verdict: string };
    return seen.state === "FINISHED" ? seen.verdict : undefined;
  });

it("docket contests makes one, changes it and lists them", async () => {
  const time = ["--from", "2026-01-01T08:00:00Z", "--to", "2036-01-01T13:00:00Z"];
  const made = await said(
    "contests",
    "create",
    "finals",
    "--name",
    "The Finals",
    "-p",
    "sum",
    "--open",
    ...time,
  );
  expect(made).toMatch(/^finals {2}The Finals, 2026-01-01T08:00:00.000Z to 2036-\S+, open: sum\n$/);
  expect(await said("contests", "update", "finals", "-p", "sum", "product")).toContain("open: sum product");
  expect(await said("contests")).toMatch(/^id +name .*\nfinals +The Finals .* open +sum product\n$/);
  const end = await as(alice, "contests", "create", "mine", "--name", "x", "--open", "-p", "sum");
  expect(end.code).toBe(2);
  expect(await docket("contests", "update", "nowhere", "--name", "x")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("nowhere"),
  });
});

it("docket rejudge shows what would change, and makes it count or drops it", async () => {
  const id = await submitted(server.url, alice, "sum");
  expect(await finished(id)).toBe("AC");
  verdict = "WA";
  const shown = await said("rejudge", "create", "--problem", "sum", "--reason", "new tests", "--watch");
  expect(shown).toMatch(
    /^rejudge-[0-9a-z]{26} {2}READY {2}by judge, .*: new tests\n {2}1 submissions, 1 judged\n {2}AC → WA {2}1\n$/,
  );
  const rejudge = shown.slice(0, "rejudge-".length + 26);
  expect(await finished(id)).toBe("AC");
  expect(await said("rejudge", "show", rejudge, "--changed")).toContain(`  ${id}  alice  python  AC → WA\n`);
  expect(await said("rejudge")).toContain(rejudge);
  expect(await said("rejudge", "apply", rejudge)).toContain("applied by judge: 1 count now");
  expect(await finished(id)).toBe("WA");

  verdict = "AC";
  const again = await said("rejudge", "create", id, "--reason", "a mistake", "--watch", "--json");
  const { id: dropped } = JSON.parse(again) as { id: string };
  expect(await said("rejudge", "cancel", dropped)).toMatch(/ CANCELL(ED|ING) /);
  expect(await finished(id)).toBe("WA");
  expect(await docket("rejudge", "create", "--reason", "all")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Say which: ids, --problem"),
  });
});

describe("docket pause and resume", () => {
  it("hold a language and a problem, and let them go on", async () => {
    expect(await said("pause", "java", "--reason", "new compiler")).toMatch(
      /^java {2}paused by judge at \S+: new compiler\n$/,
    );
    expect(await said("resume", "--language", "java")).toBe("No language is paused.\n");

    const paused = await said("pause", "--problem", "product", "--reason", "wrong answers");
    expect(paused).toMatch(/^product {2}paused by judge at \S+, 0 wait: wrong answers\n$/);
    const reason = "the problem product is paused: wrong answers";
    const id = await until("a submission waits for it", async () => {
      const one = await submitted(server.url, alice, "product");
      const seen = (await see(one, "waitReason")) as { waitReason: string | null };
      return seen.waitReason === reason ? one : undefined;
    });
    expect(await finished(await submitted(server.url, alice, "sum"))).toBe("AC");
    expect(await see(id, "state")).toEqual({ state: "PENDING" });
    expect(await said("resume", "--problem", "product")).toBe("No problem is paused.\n");
    expect(await finished(id)).toBe("AC");
  });

  it("hold a pool, which can be drained, too", async () => {
    expect(await said("pause", "--pool", "main", "--reason", "new disks")).toMatch(
      /^main {2}slots as configured, lanes as configured, paused: new disks, on 1 of 1 executors, by judge at /,
    );
    const id = await submitted(server.url, alice, "sum");
    expect(await executorsNow()).toContain('"state":"PAUSED","reason":"the pool main is paused: new disks"');
    expect(await said("pause", "--pool", "main", "--drain", "--reason", "moves")).toContain(
      "draining: moves",
    );
    expect(await see(id, "state")).not.toEqual({ state: "FINISHED" });
    expect(await said("resume", "--pool", "main")).toMatch(/lanes as configured, on 1 of 1 executors/);
    expect(await finished(id)).toBe("AC");
  });

  it("refuse in words what cannot be done", async () => {
    const cases: [string[], string][] = [
      [["pause", "--reason", "x"], "one of --language, --problem and --pool"],
      [["pause", "java", "--pool", "main", "--reason", "x"], "one of --language, --problem and --pool"],
      [["pause", "--problem", "nothing", "--reason", "x"], "There is no problem"],
      [["pause", "--pool", "nobody", "--reason", "x"], 'There is no pool "nobody"; there are main'],
      [["pause", "java", "--drain", "--reason", "x"], "--drain is for a pool"],
      [["pause", "java", "--reason", " "], "reason: 1 to 500 characters"],
      [["pool", "set", "main"], "There is nothing to change"],
      [["pool", "set", "main", "--slots", "many"], "--slots: a number"],
      [["pool", "set", "main", "--slots", "5"], "can have 1 to 4 (mostSlots of its configuration)"],
      [
        ["pool", "set", "main", "--lanes", "express=1"],
        "--lanes: expected lanes such as contest=4,practice=1",
      ],
    ];
    const ends = await Promise.all(cases.map(([args]) => docket(...args)));
    for (const [i, end] of ends.entries()) {
      expect(end.code, cases[i]?.[0].join(" ")).toBe(2);
      expect(end.stderr).toContain(cases[i]?.[1]);
    }
    const participant = await as(alice, "pause", "--pool", "main", "--reason", "x");
    expect([participant.code, participant.stderr]).toEqual([2, expect.stringContaining("role jury")]);
  });
});

it("docket pool changes slots and lanes, and back", async () => {
  const set = await said("pool", "set", "main", "--slots", "3", "--lanes", "contest=4,practice=1");
  expect(set).toMatch(
    /^main {2}slots 3, lanes contest=4,practice=1, on 1 of 1 executors, by judge at \S+\n$/,
  );
  expect(await executorsNow()).toContain(
    '"slots":3,"mostSlots":4,"lanes":["CONTEST","PRACTICE"],"weights":[{"weight":4},{"weight":1}]',
  );
  expect(JSON.parse(await said("pool", "list", "--json"))).toMatchObject([
    { pool: "main", slots: 3, hold: null },
  ]);
  expect(await said("pool", "set", "main", "--slots", "configured", "--lanes", "configured")).toContain(
    "slots as configured, lanes as configured",
  );
});

it("docket webhooks adds one, shows what was given up, sends it again, and removes it", async () => {
  const receiver = await startReceiver();
  try {
    const events = ["--event", "submission.finished", "submission.failed"];
    const about = ["--all", "-p", "sum", "--description", "the board"];
    const added = await said("webhooks", "add", receiver.url, ...events, ...about);
    const [id] = /^\S+/.exec(added) ?? [""];
    expect(added).toContain(
      `${id}  ${receiver.url}  submission.finished submission.failed of sum, everybody's  the board\n`,
    );
    expect(added).toMatch(/\nsecret, shown this once: whsec_\S+\n$/);
    expect(await said("webhooks")).toContain(id);
    receiver.answers = [status(500)];
    expect(await said("webhooks", "test", id)).toMatch(/^sent {2}\S+\n$/);
    const dead = await until("it is given up", async () => {
      const listed = await said("webhooks", "dead", id);
      return listed.includes("given up 2") ? listed : undefined;
    });
    expect(dead).toMatch(/^\S+ {2}webhook\.test {2}given up \S+ after 1 tries: .*500/);
    expect(await said("webhooks", "replay", id)).toBe("replayed  1\n");
    await receiver.called(2);
    await until("nothing is given up", async () => {
      return (await said("webhooks", "dead", id)) === "No delivery was given up.\n" || undefined;
    });
    expect(await said("webhooks", "remove", id)).toBe(`removed  ${id}\n`);
    expect(await said("webhooks")).toMatch(/^There are no webhooks/);
    expect(await docket("webhooks", "dead", id)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("There is no webhook"),
    });
    expect(
      await docket("webhooks", "add", "http://127.0.0.9/x", "--event", "submission.finished"),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("url"),
    });
  } finally {
    await receiver.close();
  }
});
