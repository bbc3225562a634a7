import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type JudgeRequest, type Judging, openJudging } from "./harness.ts";
import { findLanguages } from "./toolchains.ts";

let judging: Judging;
let unmounter: ChildProcess;

beforeAll(async () => {
  const disk = realpathSync(mkdtempSync(join(tmpdir(), "docket-disk-")));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m,mode=1777", "docket-test", disk]);
  // This process gives up root below; whoever unmounts must have been started before, and goes when this one does.
  unmounter = spawn("/bin/sh", ["-c", `cat >/dev/null; umount -l '${disk}' && rmdir '${disk}'`], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  const languages = await findLanguages(["c", "python"]);
  // A busy machine would lend nothing.
  judging = await openJudging({ ...languages, workDir: join(disk, "work"), cpuPressure: () => 0 });
}, 60_000);
afterAll(async () => {
  await judging.close();
  unmounter.stdin?.end();
  await new Promise((resolve) => unmounter.once("exit", resolve));
});

/** Writes until nothing more fits; returns the function that makes room again. */
function fill(): () => void {
  const path = join(judging.workDir, "filler");
  const fd = openSync(path, "w");
  try {
    for (let chunk = Buffer.alloc(1 << 20, "x"); chunk.length > 0;) {
      try {
        writeSync(fd, chunk);
      } catch {
        chunk = chunk.subarray(0, chunk.length >> 1);
      }
    }
  } finally {
    closeSync(fd);
  }
  return () => rmSync(path);
}

const long = {
  language: "python",
  source: "print('x' * 500_000)",
  tests: [{ input: "", answer: "x".repeat(500_000) }],
};
const feedback = `import sys\nopen(sys.argv[3] + "judgemessage.txt", "w").write("x" * 100_000)\nsys.exit(42)`;
const requests: readonly [string, JudgeRequest][] = [
  ["an output", { ...long, language: "python" }],
  [
    "a validator's words",
    { ...long, language: "python", validator: { language: "python", files: { "v.py": feedback } } },
  ],
  ["a compiled program", { language: "c", source: `#include <stdio.h>\nint main(void) { puts("2"); }` }],
];

test.each(requests)(
  "%s that does not fit on our disk is a shared fault, and fits when there is room",
  async (_what, request) => {
    // The blobs are there before the disk is full.
    const job = judging.jobOf(request);
    const makeRoom = fill();
    let outcome;
    try {
      outcome = await judging.run(job);
    } finally {
      makeRoom();
    }
    expect(outcome).toMatchObject({ type: "fault", fault: { code: "DISK_FULL", retry: true, shared: true } });
    expect(await judging.run(job)).toMatchObject({ type: "finished", result: { verdict: "AC" } });
  },
);

test("so is one in a lent slot, whose output has made room again when its turn comes", async () => {
  let lent = false;
  const outcome = await judging.outcome({
    language: "python",
    source: `
import time
n = int(input())
if n == 3: print("x" * 60_000_000)
else: time.sleep(1); print(n + 1)
`,
    tests: [1, 2, 3].map((n) => ({ input: `${n}\n`, answer: `${n + 1}\n` })),
    limits: { outputMiB: 200 },
    lendSlot: () => {
      if (lent) return undefined;
      lent = true;
      return { slot: 1, signal: new AbortController().signal, giveBack: () => {} };
    },
  });
  expect(lent).toBe(true);
  expect(outcome).toMatchObject({ type: "fault", fault: { code: "DISK_FULL", retry: true, shared: true } });
});
