import { readFileSync } from "node:fs";
import { openIsolates } from "../../../src/executors/sandbox/isolate.ts";
import { isolateMounts } from "../../../src/executors/sandbox/warmchild.ts";
import { LIMITS, openTestSandbox, SLOTS, toolsFor } from "./harness.ts";

/**
 * Runs in the emulated guest (cgroup v2, ten times slower): a program for each limit, and prints what became of it as
 * one JSON line. cgroupv2.test.ts starts it and judges.
 */
const PROGRAMS: Readonly<Record<string, string>> = {
  fine: "print(open('/proc/self/cgroup').read().strip())",
  loop: "while True: pass",
  loopInChild: "import os\nif os.fork() == 0:\n  while True: pass\nos.wait()",
  sleep: "import time\ntime.sleep(1000)",
  memory: "a = []\nwhile True: a.append(bytearray(1 << 20))",
  memoryOfChild:
    "import os\nif os.fork() == 0:\n  a = []\n  while True: a.append(bytearray(1 << 20))\nos.wait()",
  temporaryFiles: "n = 0\nwhile True:\n  open('/tmp/%d' % n, 'wb').write(b'x' * (200 << 10)); n += 1",
  output: "while True: print('x' * 1000)",
  forks:
    "import os, time\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(1000)\n    n += 1\nexcept OSError: print(n)",
  stray: "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(1000)",
  touched: "a = bytearray(b'x') * (20 << 20)\nprint(len(a))",
};

const sandbox = await openTestSandbox({ mounts: isolateMounts(process.execPath) });
const limits = { ...LIMITS, cpuMs: 4_000, wallMs: 60_000 };
const results: Record<string, unknown> = {
  cgroup: sandbox.native.cgroup,
  hierarchy: readFileSync("/proc/self/cgroup", "utf8").trim(),
};
for (const [name, source] of Object.entries(PROGRAMS)) {
  const { stderr, ...told } = await sandbox.python(source, {
    limits: {
      ...limits,
      ...(name.startsWith("loop") ? {} : { cpuMs: 60_000 }),
      ...(name === "sleep" ? { wallMs: 3_000 } : {}),
    },
  });
  results[name] = { ...told, stdout: told.stdout.slice(0, 200), stderr: stderr.slice(0, 200) };
}

const controller = new AbortController();
const running = sandbox.run(
  {
    argv: ["/usr/bin/python3", "-c", "import time\ntime.sleep(1000)"],
    limits: { ...limits, wallMs: 200_000 },
  },
  controller.signal,
);
setTimeout(() => {
  controller.abort();
}, 2_000);
results["cancelled"] = await running;

const isolates = await openIsolates({
  native: sandbox.native,
  workDir: sandbox.workDir,
  slots: SLOTS,
  monotonicMs: () => performance.now(),
});
const tools = toolsFor(isolates, sandbox.native, sandbox.workDir);
for (const [name, source] of Object.entries({
  isolate: "console.log(20 + 22)",
  isolateMemory: "const a = []; for (;;) a.push(new Array(1000).fill(Math.random()))",
  isolateAfter: "console.log('unharmed')",
})) {
  results[name] = await tools.run({
    argv: ["/opt/node/bin/node", "main.js"],
    box: tools.box({ "main.js": source }),
    limits: { ...limits, cpuMs: 60_000, wallMs: 120_000, memoryKiB: 128 * 1024, processes: 64 },
    isolate: { script: "main.js" },
  });
}
await isolates.close();
await sandbox.close();
console.log(`probe=${JSON.stringify(results)}`);
