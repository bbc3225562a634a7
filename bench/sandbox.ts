import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openIsolates } from "../src/executors/sandbox/isolate.ts";
import { dropPrivileges, openSandbox } from "../src/executors/sandbox/native.ts";
import type { RunRequest, Sandbox } from "../src/executors/sandbox/sandbox.ts";
import { isolateMounts } from "../src/executors/sandbox/warmchild.ts";
import { machine, median, quantile, rounded, table } from "./figures.ts";

const UID = 62_500;
const SLOTS = 2;
const RUNS = 200;
const THROUGHPUT_MS = 3_000;
const BWRAP = fileURLToPath(new URL("../.docket/bin/bwrap", import.meta.url));
const PROGRAM = `const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);
console.log(a + b);
`;

/**
 * What the sandbox adds to a run. Native: /bin/true through `Sandbox.run`, one after the other, less the same spawned
 * bare by Node, taken in turns so that other load meets both. Isolate: a whole test (input, fresh isolate, output) of
 * a small program in a warm child; nothing is subtracted.
 */
export async function sandbox(): Promise<object> {
  console.log(`${machine()}\n`);
  const workDir = realpathSync(mkdtempSync(join(tmpdir(), "docket-bench-")));
  const native = await openSandbox({
    executor: `bench-${process.pid}-${randomInt(1e6)}`,
    workDir,
    bwrap: realpathSync(BWRAP),
    uid: UID,
    slots: SLOTS,
    slotUidBase: UID + 1,
    mounts: isolateMounts(process.execPath),
  });
  dropPrivileges(UID, workDir);
  const isolates = await openIsolates({
    native,
    workDir,
    slots: SLOTS,
    monotonicMs: () => performance.now(),
  });
  try {
    const bare: number[] = [];
    const inside: number[] = [];
    const request = trueRequest(workDir);
    for (let i = 0; i < RUNS; i++) {
      bare.push(await timed(spawnTrue));
      inside.push(await timed(() => runWell(native, request(0))));
    }
    const isolated = await isolateTimes(isolates, request(0), workDir);
    const perSecond = await throughput(native, request);
    const overhead = median(inside) - median(bare);
    const row = (name: string, samples: readonly number[]): (string | number)[] => [
      name,
      ...[0.5, 0.9, 0.99].map((share) => quantile(samples, share).toFixed(2)),
    ];
    console.log(
      table([
        ["milliseconds", "p50", "p90", "p99"],
        row("bare spawn of /bin/true", bare),
        row("/bin/true in the native sandbox", inside),
        row("JavaScript test in a warm isolate", isolated),
      ]),
    );
    console.log(
      `\nnative, ${SLOTS} slots at once: ${perSecond.toFixed(0)} runs/s (control groups ${native.cgroup})\n`,
    );
    return {
      nativeOverheadP50Ms: rounded(overhead, 2),
      isolateOverheadP50Ms: rounded(median(isolated), 2),
      nativeRunsPerSecond: rounded(perSecond),
      bareSpawnP50Ms: rounded(median(bare), 2),
      nativeP50Ms: rounded(median(inside), 2),
      nativeP99Ms: rounded(quantile(inside, 0.99), 2),
      isolateP99Ms: rounded(quantile(isolated, 0.99), 2),
      cgroup: native.cgroup,
    };
  } finally {
    await isolates.close();
    await native.close();
    rmSync(workDir, { recursive: true, force: true });
  }
}

async function timed(action: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}

function spawnTrue(): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/true", [], { stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", () => {
      resolve();
    });
  });
}

async function runWell(sandboxed: Sandbox, request: RunRequest): Promise<void> {
  const { status } = await sandboxed.run(request, new AbortController().signal);
  if (status.type !== "exited" || status.code !== 0)
    throw new Error(`a run ended with ${JSON.stringify(status)}`);
}

function trueRequest(workDir: string): (slot: number) => RunRequest {
  const box = join(workDir, "box");
  mkdirSync(box);
  writeFileSync(join(box, "main.js"), PROGRAM);
  return (slot) => ({
    slot,
    argv: ["/bin/true"],
    env: { PATH: "/usr/bin" },
    box,
    boxWritable: false,
    mounts: [],
    stdin: null,
    stdout: join(workDir, `out${slot}`),
    stderr: null,
    limits: { cpuMs: 1_000, wallMs: 3_000, memoryKiB: 262_144, outputKiB: 1_024, processes: 16 },
  });
}

async function isolateTimes(isolates: Sandbox, plain: RunRequest, workDir: string): Promise<number[]> {
  const stdin = join(workDir, "in");
  writeFileSync(stdin, "20 22\n");
  const request = { ...plain, stdin, isolate: { script: "main.js" } };
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push(await timed(() => runWell(isolates, request)));
  // The first one also takes the child for its program.
  return times.slice(1);
}

async function throughput(native: Sandbox, request: (slot: number) => RunRequest): Promise<number> {
  const until = performance.now() + THROUGHPUT_MS;
  let runs = 0;
  await Promise.all(
    Array.from({ length: SLOTS }, async (_, slot) => {
      for (; performance.now() < until; runs++) await runWell(native, request(slot));
    }),
  );
  return (runs / THROUGHPUT_MS) * 1_000;
}
