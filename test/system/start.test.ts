import { execFile } from "node:child_process";
import { access, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClient } from "../../src/cli/client.ts";
import { EXECUTORS, PROBLEMS, SUBMISSION, SUBMIT, type SubmissionView } from "../../src/cli/operations.ts";
import { findRunningStack } from "../../src/supervisor/stackfile.ts";
import { namespace } from "../support/namespace.ts";
import { isAlive, processesWith, until } from "../support/processes.ts";
import { makeHome, type RunningStack, startSupervisor, type Supervisor } from "../support/supervisor.ts";

/** In a mount namespace of its own: nothing of a JDK can be seen. Then the command that follows. */
const HIDE_JAVA =
  'for d in /usr/lib/jvm /opt; do [ -d "$d" ] && mount -t tmpfs none "$d"; done; exec "$0" "$@"';

const ROOT = join(import.meta.dirname, "../..");
const space = namespace();

let home: Awaited<ReturnType<typeof makeHome>>;
let running: Supervisor[] = [];

beforeEach(async () => {
  home = await makeHome();
});

afterEach(async () => {
  for (const supervisor of running) {
    supervisor.kill("SIGKILL");
    await supervisor.exited;
  }
  running = [];
  await noneLeft();
  await home.remove();
});

function start(mode: "start" | "demo" = "start", env: NodeJS.ProcessEnv = {}): Supervisor {
  const supervisor = startSupervisor(mode, { ...home.env, ...env });
  running.push(supervisor);
  return supervisor;
}

/** Every process of a stack knows its data folder, by its arguments or its environment. */
const noneLeft = (): Promise<boolean> =>
  until("no process of the stack is left", async () => (await processesWith(home.folder)).length === 0);

async function submitHello(stack: RunningStack): Promise<SubmissionView> {
  const client = createClient({ url: stack.url, token: stack.keys.participant });
  try {
    const input = { problem: "hello", language: "python", source: "print('Hello World!')\n" };
    const { submitSubmission: answer } = await client.request(SUBMIT, { input });
    if (!("submission" in answer)) throw new Error(answer.message);
    let last = answer.submission;
    for await (const view of client.watch(last.id)) last = view;
    return last;
  } finally {
    await client.close();
  }
}

describe("npm start", () => {
  test("shows what it did, serves, and stops on Ctrl-C; data and keys are there at the next start", async () => {
    const first = start();
    const stack = await first.up();
    const output = first.output();
    expect(output).toMatch(/Python 3 +right +AC/);
    expect(output).toMatch(/Python 3 +wrong +WA/);
    expect(output).toMatch(/JavaScript +right +AC/);
    expect(output).toContain("4 of 4 verdicts as expected");
    expect(output).toMatch(/Java +.*not offered/);
    expect(output).toContain(`${stack.url}/graphql#token=${stack.keys.participant}`);
    // The line to try works as it is printed.
    const curl = /^ {2}(curl [^]*?-d '.*')$/m.exec(output)?.[1] ?? "";
    const { stdout } = await promisify(execFile)("bash", ["-c", curl]);
    expect(JSON.parse(stdout)).toMatchObject({ problem: expect.anything() });
    const judged = await submitHello(stack);
    expect(judged.verdict).toBe("AC");

    // A terminal's Ctrl-C goes to the whole group.
    process.kill(-first.pid, "SIGINT");
    expect(await first.exited).toBe(0);
    await noneLeft();
    const order = [...first.output().matchAll(/^ {2}(\S+) +stopped$/gm)].map((match) => match[1]);
    expect(order.at(0)).toMatch(/^scripts-1-/);
    expect(order.slice(1, 2)).toEqual(["server"]);
    expect(new Set(order.slice(2))).toEqual(new Set(["mongod", "nats-server"]));

    const second = start();
    const again = await second.up();
    expect(again.keys).toEqual(stack.keys);
    const client = createClient({ url: again.url, token: again.keys.participant });
    const { submission } = await client.request(SUBMISSION, { id: judged.id });
    const { problems } = await client.request(PROBLEMS, {});
    await client.close();
    expect(submission?.verdict).toBe("AC");
    expect(problems.edges.length).toBeGreaterThanOrEqual(3);
  }, 180_000);

  test("kept secrets are for their owner only, and no database credential reaches an executor", async () => {
    const supervisor = start();
    await supervisor.up();
    const data = supervisor.dataFolder;
    for (const file of ["identity.json", "stack.json", "nats/nats.conf", "mongod/m.sock"]) {
      expect([file, (await stat(join(data, file))).mode & 0o077]).toEqual([file, 0]);
    }
    expect((await stat(join(data, "nats/nats.conf"))).uid).not.toBe(0);
    const executors = await processesWith("DOCKET_EXECUTOR_ID=");
    const mine: string[] = [];
    for (const pid of executors) {
      const environment = await readFile(`/proc/${pid}/environ`, "latin1");
      if (environment.includes(home.folder)) mine.push(environment);
    }
    expect(mine.length).toBeGreaterThan(0);
    for (const environment of mine) expect(environment).not.toMatch(/MONGODB|CAPABILITY/);
  }, 120_000);

  test("a second one on the same data is told so; kill -9 leaves no process, and the next start heals", async () => {
    const first = start();
    const stack = await first.up();
    const second = start();
    expect(await second.exited).toBe(78);
    expect((await findRunningStack(home.env))?.url).toBe(stack.url);
    expect(second.output()).toMatch(/already running/);

    const pids = await processesWith(home.folder);
    expect(pids.length).toBeGreaterThan(4);
    process.kill(stack.pid, "SIGKILL");
    expect(await first.exited).not.toBe(0);
    for (const pid of pids) await until(`process ${pid} is gone`, async () => !(await isAlive(pid)));
    // Its file is still there, and does not pass for a stack that runs.
    await expect(access(join(first.dataFolder, "stack.json"))).resolves.toBeUndefined();
    expect(await findRunningStack(home.env)).toBeUndefined();

    const third = start();
    const healed = await third.up();
    expect(healed.keys).toEqual(stack.keys);
    expect((await submitHello(healed)).verdict).toBe("AC");
  }, 180_000);

  test("a Ctrl-C while it starts ends what was started", async () => {
    const supervisor = start();
    await until("something has started", () => supervisor.output().includes("ready"));
    process.kill(-supervisor.pid, "SIGINT");
    expect(await supervisor.exited).toBe(130);
    expect(supervisor.output()).toContain("stopped before it was ready");
  }, 60_000);

  test("a second Ctrl-C does not wait for a program that runs", async () => {
    const supervisor = start();
    const stack = await supervisor.up();
    const client = createClient({ url: stack.url, token: stack.keys.jury });
    const source = "import time\ntime.sleep(30)\n";
    await client.request(SUBMIT, { input: { problem: "hello", language: "python", source } });
    await until("it runs", async () =>
      (await client.request(EXECUTORS)).executors.some((executor) => executor.running.length > 0),
    );
    await client.close();
    process.kill(-supervisor.pid, "SIGINT");
    await until("it stops", () => supervisor.output().includes("once more forces it"));
    await sleep(600);
    process.kill(-supervisor.pid, "SIGINT");
    expect(await supervisor.exited).toBe(130);
    expect(supervisor.output()).not.toMatch(/^ {2}server +stopped$/m);
  }, 60_000);

  test("works from a checkout that only root can reach, with a MongoDB and a NATS of somebody else", async () => {
    const closed = join(home.folder, "closed");
    const script = `mkdir -m 700 ${closed}; mkdir ${closed}/docket; mount --rbind ${ROOT} ${closed}/docket`;
    const env = {
      ...home.env,
      MONGODB_URL: space.mongodbUrl,
      MONGODB_DATABASE: space.database,
      NATS_URL: space.natsUrl,
      DOCKET_TOPOLOGY_PREFIX: space.topology.prefix,
    };
    const wrap = ["unshare", "--mount", "sh", "-ec", `${script}; exec "$0" "$@"`];
    const supervisor = startSupervisor("start", env, wrap, join(closed, "docket"));
    running.push(supervisor);
    const stack = await supervisor.up();
    expect(supervisor.output()).toContain("4 of 4 verdicts as expected");
    expect(supervisor.output()).not.toMatch(/mongod|nats-server/);
    expect((await submitHello(stack)).verdict).toBe("AC");
  }, 120_000);

  test("the end of what started it, by kill -9, ends it", async () => {
    const supervisor = start();
    await supervisor.up();
    supervisor.kill("SIGKILL");
    await noneLeft();
  }, 120_000);

  test("an executor that is killed is started again and judges", async () => {
    const supervisor = start();
    const stack = await supervisor.up();
    const name = /^ {2}(scripts-1-\S+) +ready/m.exec(supervisor.output())?.[1] ?? "";
    const [pid = 0] = await until("its process", async () => {
      const found = await processesWith(`DOCKET_EXECUTOR_ID=${name}`);
      return found.length > 0 ? found : undefined;
    });
    process.kill(pid, "SIGKILL");
    await until("it is ready again", () =>
      new RegExp(`${name} +died: signal SIGKILL[^]*${name} +ready`).test(supervisor.output()),
    );
    expect((await submitHello(stack)).verdict).toBe("AC");
  }, 120_000);
});

describe("npm run demo", () => {
  test("ends with exit code 0 when every verdict was the expected one", async () => {
    const demo = start("demo");
    expect(await demo.exited).toBe(0);
    expect(demo.output()).toContain("4 of 4 verdicts as expected");
  }, 120_000);

  test("ends with another one when no language can be offered", async () => {
    const config = join(home.folder, "jvm.json");
    await writeFile(config, JSON.stringify({ pools: [{ name: "jvm", languages: ["java"], slots: 1 }] }));
    // A PATH on which there is no java, and a JAVA_HOME that is empty.
    const env = { DOCKET_CONFIG: config, JAVA_HOME: home.folder };
    const demo = startSupervisor("demo", { ...home.env, ...env }, ["unshare", "-m", "sh", "-c", HIDE_JAVA]);
    running.push(demo);
    expect(await demo.exited).toBe(78);
    expect(demo.output()).toMatch(/Java +not offered: .*apt-get install/);
    expect(demo.output()).toMatch(/No language .* works here:\n {2}java: .*apt-get install/);
  }, 120_000);
});
