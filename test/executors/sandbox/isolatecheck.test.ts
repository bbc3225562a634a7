import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type IsolateSandbox, openIsolates } from "../../../src/executors/sandbox/isolate.ts";
import { isolateMounts } from "../../../src/executors/sandbox/warmchild.ts";
import { LIMITS, openTestSandbox, type TestSandbox, type Told, toolsFor } from "./harness.ts";

const NODE = "/opt/node/bin/node";
const STACK = "--stack-size=65500";
const LIMITS_COMPILE = { ...LIMITS, cpuMs: 20_000, wallMs: 60_000, memoryKiB: 1024 * 1024, processes: 64 };

let base: TestSandbox;
let tools: TestSandbox;
let isolates: IsolateSandbox;
beforeAll(async () => {
  base = await openTestSandbox({ mounts: isolateMounts(process.execPath) });
  const { native, workDir } = base;
  isolates = await openIsolates({ native, workDir, slots: 1, monotonicMs: () => performance.now() });
  tools = toolsFor(isolates, native, workDir);
});
afterAll(async () => {
  await isolates.close();
  await base.close();
});

const ASKED_NODE = 99;
/** Exit code 0: the isolate has accepted it; ASKED_NODE: it left it to the command. */
async function checkAlone(source: string): Promise<Told["status"]> {
  const { status } = await tools.run({
    argv: ["/bin/sh", "-c", `exit ${ASKED_NODE}`],
    box: tools.box({ "main.js": source }),
    limits: LIMITS_COMPILE,
    isolate: { script: "main.js", checkOnly: true },
  });
  return status;
}
const checkByNode = async (source: string): Promise<Told> =>
  await base.run({
    argv: [NODE, STACK, "--check", "main.js"],
    box: base.box({ "main.js": source }),
    limits: LIMITS_COMPILE,
  });

describe("what Node accepts as a script is accepted, and never more", () => {
  const accepted = { type: "exited", code: 0 };
  it.each([
    ["a program", "const n = 1; console.log(n)"],
    ["nothing", ""],
    ["a shebang", "#!/usr/bin/env node\nlet a = 1"],
    ["a byte order mark", "\ufefflet a = 1"],
    ["return at the top", "if (1) return; new.target"],
    ["sloppy code", "with ({}) { var let_ = 010 }\n<!-- a comment"],
    ["a dynamic import", "import('fs')"],
    ["a comment at the end", "let a //"],
    ["nesting", `${"[".repeat(20_000)}${"]".repeat(20_000)}`],
  ])("%s", async (_, source) => {
    expect(await checkAlone(source)).toEqual(accepted);
    expect((await checkByNode(source)).status).toEqual(accepted);
  });

  it.each([
    ["a missing value", "let a = ;", 1],
    ["a way out of the function around it", "}); process.exit(); (function () {", 1],
    ["a broken shebang", " #!/usr/bin/env node", 1],
    ["a broken expression", "/(/", 1],
    ["a name twice", "let a; let a", 1],
    ["a private name of nobody", "class A { m() { this.#x } }", 1],
    ["types", "let a: number = 1", 1],
    ["module syntax", "import fs from 'fs'; export {}", 0],
    ["await at the top", "await 1", 0],
    ["a name of Node's own", "const require = 1", 0],
  ])("left to Node: %s", async (_, source, code) => {
    expect(await checkAlone(source)).toEqual({ type: "exited", code: ASKED_NODE });
    expect((await checkByNode(source)).status).toEqual({ type: "exited", code });
  });
});

describe("sources against the parser", () => {
  it.each([
    ["nesting that overflows it", "[".repeat(5_000_000)],
    ["functions in functions", "(function(){".repeat(200_000)],
    ["a large expression", `/${"(a|".repeat(500_000)}/`],
    ["a large program", `let a = [${"{a:1},".repeat(4_000_000)}];;let`],
  ])("%s is left to Node, and the next check works", async (_, source) => {
    expect(await checkAlone(source)).toEqual({ type: "exited", code: ASKED_NODE });
    expect(await checkAlone(`let next = ${Math.random()}`)).toEqual({ type: "exited", code: 0 });
  });
});

it("nothing is run by a check, and the program's tests run after it", async () => {
  const box = tools.box({ "main.js": "console.log('ran')" });
  const request = { argv: ["/bin/false"], box, limits: LIMITS_COMPILE } as const;
  const checked = await tools.run({ ...request, isolate: { script: "main.js", checkOnly: true } });
  expect(checked).toMatchObject({ status: { type: "exited", code: 0 }, stdout: "" });
  const ran = await tools.run({ ...request, isolate: { script: "main.js" } });
  expect(ran).toMatchObject({ status: { type: "exited", code: 0 }, stdout: "ran\n" });
});

it("a check that is stopped says so", async () => {
  const controller = new AbortController();
  controller.abort();
  const told = await tools.run(
    {
      argv: ["/bin/true"],
      box: tools.box({ "main.js": "1" }),
      isolate: { script: "main.js", checkOnly: true },
    },
    controller.signal,
  );
  expect(told.status).toEqual({ type: "cancelled" });
});
