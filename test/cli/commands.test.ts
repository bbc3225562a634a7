import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { until } from "../support/processes.ts";
import { brokenPromise, writeFiles } from "./packages.ts";
import { type CliEnd, lastJson, startCli } from "./running.ts";

const examples = join(import.meta.dirname, "../../examples/problems");
const program = (problem: string, path: string): string => join(examples, problem, "submissions", path);

let stack: Stack;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-test-"));
  stack = await startStack({
    env: process.env,
    pools: [{ name: "scripts", languages: ["python"], slots: 2 }],
  });
}, 120_000);

afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true });
}, 60_000);

const as = (role: "participant" | "jury"): NodeJS.ProcessEnv => ({
  DOCKET_URL: stack.url,
  DOCKET_TOKEN: stack.keys[role],
});

const docket = (role: "participant" | "jury", ...args: string[]): Promise<CliEnd> =>
  startCli(args, as(role)).end;

describe("import", () => {
  it("takes a package's directory", async () => {
    const end = await docket("jury", "import", join(examples, "hello"));
    expect(end).toMatchObject({ code: 0, stdout: "imported  hello  Hello World!, 1 tests, 1 s\n" });
    expect((await docket("jury", "import", join(examples, "twopiles"))).code).toBe(0);
  });

  it("shows all findings of a bad one, and fails", async () => {
    const bad = join(folder, "bad");
    await writeFiles(bad, {
      ...brokenPromise,
      "problem.yaml": "name: Bad\ntype: sculpture\nlimits: {memory: none}\n",
    });
    const end = await docket("jury", "import", bad);
    expect(end.code).toBe(2);
    expect(end.stdout).toContain('error    problem.yaml:2: unknown problem type "sculpture"');
    expect(end.stdout).toContain('error    problem.yaml:3: limits.memory is "none"');
    expect(end.stdout).toContain("The package was not imported: 2 things are wrong with it.");
  });

  it("is for the jury", async () => {
    const end = await docket("participant", "import", join(examples, "hello"));
    expect(end.code).toBe(2);
    expect(end.stderr).toContain("Only the jury imports problems");
  });
});

describe("submit", () => {
  it("hands in and says the id; with --watch shows tests and the verdict", async () => {
    const end = await docket(
      "participant",
      "submit",
      program("hello", "accepted/hello.py"),
      "-p",
      "hello",
      "--watch",
    );
    expect(end.code).toBe(0);
    expect(end.stdout).toMatch(/^[0-9a-z]{26} {2}Hello World!, Python 3\n/);
    expect(end.stdout).toMatch(/ {2}1 {2}secret\/hello +AC +\d+ ms +\d+\.\d MiB\n/);
    expect(end.stdout).toMatch(/\nAccepted {2}1 of 1 tests, at most \d+ ms and \d+\.\d MiB\n$/);
    const wrong = await docket(
      "participant",
      "submit",
      program("hello", "wrong_answer/hello.py"),
      "-p",
      "hello",
      "-w",
    );
    expect([wrong.code, wrong.stdout.includes("Wrong Answer")]).toEqual([1, true]);
  });

  it("shows what the compiler said", async () => {
    const end = await docket(
      "participant",
      "submit",
      program("hello", "rejected/hello.py"),
      "-p",
      "hello",
      "-w",
    );
    expect(end.code).toBe(1);
    expect(end.stdout).toMatch(/Compile Error/);
    expect(end.stdout).toMatch(/SyntaxError/);
  });

  it("--json prints one line, and the same key again the same submission", async () => {
    const args = [
      "submit",
      program("hello", "accepted/hello.py"),
      "-p",
      "hello",
      "--json",
      "--idempotency-key",
      "k1",
    ];
    const first = lastJson(await docket("participant", ...args));
    expect(first).toMatchObject({ replayed: false });
    expect(lastJson(await docket("participant", ...args))).toMatchObject({
      ...(first as object),
      replayed: true,
      state: expect.anything(),
    });
    const other = await docket("participant", ...args, "--entry-point", "x.py");
    expect([other.code, other.stderr]).toEqual([2, expect.stringContaining("key")]);
    const watched = await docket("participant", ...args, "--watch");
    expect(watched.code).toBe(0);
    expect(lastJson(watched)).toMatchObject({
      verdict: "AC",
      tests: [{ name: "secret/hello", verdict: "AC" }],
    });
    const { id } = lastJson(watched) as { id: string };
    const shown = await docket("jury", "submission", id);
    expect([shown.code, shown.stdout.includes("Accepted")]).toEqual([0, true]);
  });

  it.each([
    ["an unknown problem", ["accepted/hello.py", "-p", "nope"], /no problem/i],
    ["no problem", ["accepted/hello.py"], /--problem/],
    ["a file that is not there", ["accepted/none.py", "-p", "hello"], /there is no such file/],
    ["an unknown ending", ["../problem.yaml", "-p", "hello"], /give --language, one of c, cpp/],
  ])("with %s ends with 2 and says what to do", async (_what, [path = "", ...rest], words) => {
    const end = await docket("participant", "submit", program("hello", path), ...rest);
    expect(end.code).toBe(2);
    expect(end.stderr).toMatch(words);
    expect(end.stderr).not.toMatch(/\n +at /);
  });

  it("with a language nobody offers ends with 2 and names it", async () => {
    // A server that has just started cannot know yet and takes it.
    await until("it is refused", async () => {
      const end = await docket("participant", "submit", program("hello", "accepted/hello.rs"), "-p", "hello");
      if (end.code === 2) expect(end.stderr).toMatch(/rust/i);
      return end.code === 2;
    });
  });

  it("goes on watching over a killed server", async () => {
    const slow = join(folder, "slow.py");
    await writeFiles(folder, { "slow.py": "import time\ntime.sleep(1.5)\nprint('Hello World!')\n" });
    const running = startCli(["submit", slow, "-p", "hello", "--watch"], as("participant"));
    await running.said("running");
    expect(stack.kill("server")).toBe(true);
    const end = await running.end;
    expect([end.code, end.stderr]).toEqual([0, ""]);
    expect(end.stdout).toContain("Accepted");
    await stack.ready("server");
  }, 60_000);
});

describe("over a proxy", () => {
  /** Forwards requests, drops upgrades, and loses the first `losing` answers. */
  async function submitOver(losing: number): Promise<{ end: CliEnd; upgrades: number }> {
    let upgrades = 0;
    let left = losing;
    const proxy = createServer((request, response) => {
      void (async () => {
        const body = Buffer.concat(await request.toArray());
        const { authorization = "", "content-type": type = "" } = request.headers;
        const headers = { authorization, "content-type": type, accept: "application/json" };
        const answer = await fetch(`${stack.url}${request.url}`, { method: "POST", headers, body });
        const text = await answer.text();
        left -= 1;
        if (left >= 0) request.socket.destroy();
        else response.end(text);
      })();
    });
    proxy.on("upgrade", (_request, socket) => {
      upgrades += 1;
      socket.destroy();
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    try {
      const { port } = proxy.address() as AddressInfo;
      const env = { ...as("participant"), DOCKET_URL: `http://127.0.0.1:${port}` };
      const args = ["submit", program("hello", "accepted/hello.py"), "-p", "hello", "-w"];
      return { end: await startCli(args, env).end, upgrades };
    } finally {
      proxy.closeAllConnections();
      proxy.close();
    }
  }

  it("without WebSockets submit asks by itself", async () => {
    const { end, upgrades } = await submitOver(0);
    expect([end.code, end.stderr]).toEqual([0, ""]);
    expect(end.stdout).toContain("Accepted");
    expect(upgrades).toBeGreaterThan(0);
  });

  it("a lost answer makes no second submission", async () => {
    const { end } = await submitOver(1);
    expect([end.code, end.stderr]).toEqual([0, ""]);
    expect(end.stdout).toMatch(/^[0-9a-z]{26} {2}Hello World!, Python 3 \(seen before\)\n/);
  });
});

describe("lists", () => {
  it("of problems, languages, queues and executors", async () => {
    const problems = await docket("participant", "problems");
    expect(problems.stdout).toMatch(/^id +name +time +memory +tests\nhello +Hello World! +1 s +256 MiB +1\n/);
    const languages = await docket("participant", "languages");
    expect(languages.stdout).toMatch(/^python +Python 3 +offered +Python 3/m);
    expect(languages.stdout).toMatch(/^rust +Rust +not offered/m);
    expect((await docket("participant", "queues")).stdout).toMatch(/queues are empty|^queue/);
    const executors = await docket("jury", "executors");
    expect(executors.stdout).toMatch(/^scripts-1-\S+ +scripts +\S+ +0\/2 +python +contest practice/m);
    expect(lastJson(await docket("participant", "problems", "--json"))).toMatchObject([
      { id: "hello", testCount: 1 },
      { id: "twopiles" },
    ]);
    const refused = await docket("participant", "executors");
    expect(refused.code).toBe(2);
  });
});

describe("keys", () => {
  const withDatabase = (...args: string[]): Promise<CliEnd> =>
    startCli(args, { MONGODB_URL: stack.mongodbUrl, MONGODB_DATABASE: stack.database }).end;

  it("are made, used, listed and revoked", async () => {
    const made = await withDatabase(
      "keys",
      "create",
      "--role",
      "participant",
      "--owner",
      "ada",
      "--note",
      "test",
      "--days",
      "1",
    );
    expect(made.code).toBe(0);
    const key = made.stdout.trim();
    expect(key).toMatch(/^docket_[\w-]{32}$/);
    const env = { DOCKET_URL: stack.url, DOCKET_TOKEN: key };
    const args = ["submit", program("hello", "accepted/hello.py"), "-p", "hello", "--json"];
    expect((await startCli(args, env).end).code).toBe(0);
    const listed = await withDatabase("keys", "list");
    expect(listed.stdout).toMatch(/ada +participant .* test$/m);
    expect(listed.stdout).not.toContain(key);
    const id = /^([0-9a-f]{12}) +ada/m.exec(listed.stdout)?.[1] ?? "";
    expect(await withDatabase("keys", "revoke", id)).toMatchObject({
      code: 0,
      stdout: `revoked  ${id}  ada, participant\n`,
    });
    // A server remembers a key for some seconds; ask until it has forgotten.
    let end: CliEnd;
    do end = await startCli(["problems"], env).end;
    while (end.code === 0);
    expect([end.code, end.stderr]).toEqual([2, expect.stringMatching(/key/)]);
    expect(await withDatabase("keys", "revoke", id)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("There is no key"),
    });
  }, 60_000);
});

describe("without a server", () => {
  it.each([
    [{ DOCKET_URL: "http://127.0.0.1:9", DOCKET_TOKEN: "x" }, /No answer from http:\/\/127\.0\.0\.1:9/],
    [{ DOCKET_URL: "nonsense", DOCKET_TOKEN: "x" }, /is no address of a server/],
    [{ DOCKET_URL: "http://127.0.0.1:9" }, /give --token or DOCKET_TOKEN/],
  ])("%j ends with 2 and says what to do", async (env, words) => {
    const end = await startCli(["problems"], env).end;
    expect(end.code).toBe(2);
    expect(end.stderr).toMatch(words);
    expect(end.stderr).not.toMatch(/\n +at /);
  });

  it("a wrong key is told as such", async () => {
    const end = await startCli(["problems"], { DOCKET_URL: stack.url, DOCKET_TOKEN: "wrong" }).end;
    expect([end.code, end.stderr]).toEqual([2, expect.stringMatching(/API key/)]);
  });
});

describe("verify", () => {
  it("tells a miss, and what is not on offer, and ends with 1", async () => {
    const promise = join(folder, "promise");
    await writeFiles(promise, brokenPromise);
    const end = await docket("jury", "verify", promise, "--json");
    expect(end.code).toBe(1);
    expect(lastJson(end)).toEqual({
      submissions: 3,
      asExpected: 1,
      notOffered: 1,
      misses: [{ path: "promise/submissions/accepted/two.py", expected: "AC", got: "WA" }],
      scores: {},
    });
    expect(end.stdout).toMatch(/MISS {2}accepted\/two\.py +WA, expected AC/);
  });

  it("judges with a validator of several Python files and arguments, in both layouts", async () => {
    const validator = {
      "__main__.py": [
        "import sys",
        "from rules import right",
        "answer = open(sys.argv[2]).read()",
        "sys.exit(42 if right(sys.stdin.read(), answer, sys.argv[4:]) else 43)",
        "",
      ].join("\n"),
      "rules.py": "def right(said, answer, args):\n    return said == answer and args == ['two', 'words']\n",
    };
    const files = (under: string) =>
      Object.fromEntries(Object.entries(validator).map(([name, content]) => [`${under}/${name}`, content]));
    const programs = {
      "submissions/accepted/one.py": "print(1)\n",
      "submissions/wrong_answer/loud.py": "print('1 ')\n",
      "data/secret/1.in": "",
      "data/secret/1.ans": "1\n",
    };
    const legacy = join(folder, "strictold");
    await writeFiles(legacy, {
      ...programs,
      ...files("output_validators/strict"),
      "problem.yaml": "validation: custom\nvalidator_flags: two words\nlimits: {memory: 64}\n",
      ".timelimit": "1\n",
    });
    const modern = join(folder, "strictnew");
    await writeFiles(modern, {
      ...programs,
      ...files("output_validator"),
      "problem.yaml":
        "problem_format_version: 2025-09\nname: Strict\nuuid: x\nlimits: {time_limit: 1, memory: 64}\n",
      "data/secret/test_group.yaml": "output_validator_args: [two, words]\n",
    });
    const end = await docket("jury", "verify", legacy, modern, "--json");
    expect(end.code, end.stdout).toBe(0);
    expect(lastJson(end)).toEqual({ submissions: 4, asExpected: 4, notOffered: 0, misses: [], scores: {} });
  });

  it("counts a package that is refused, or cannot be sent, as a miss, and goes on", async () => {
    const none = join(folder, "nothing");
    await writeFiles(none, { "notes.txt": "x" });
    const end = await docket("jury", "verify", none, join(folder, "bad"), "--json");
    expect(end.code).toBe(1);
    expect(end.stdout).toContain("is no problem package");
    expect(lastJson(end)).toMatchObject({
      submissions: 0,
      misses: [
        { path: "nothing", got: "1 errors" },
        { path: "bad", got: "2 errors" },
      ],
    });
  });
});
