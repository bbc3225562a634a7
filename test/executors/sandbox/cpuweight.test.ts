import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseCgroupMounts } from "../../../src/executors/sandbox/cgroupmounts.ts";
import { openSandbox } from "../../../src/executors/sandbox/native.ts";
import { binaryPath } from "../../support/binaries.ts";
import { until } from "../../support/processes.ts";

const UID = 64_200;
const workDir = realpathSync(mkdtempSync(join(tmpdir(), "docket-weight-")));
const box = join(workDir, "box");
afterAll(() => rmSync(workDir, { recursive: true, force: true }));

const { v1, v2 } = parseCgroupMounts(
  readFileSync("/proc/self/mountinfo", "utf8"),
  readFileSync("/proc/self/cgroup", "utf8"),
);

/** Where the weight of an executor's programs stands, and what 5 of 100 is there. */
function weightOf(executor: string): {
  readonly folder: string;
  readonly file: string;
  readonly five: number;
} {
  const cpu = v1.get("cpu");
  if (cpu !== undefined && v1.has("cpuacct")) {
    const folder = join(cpu, `docket-${executor}`);
    return { folder, file: join(folder, "cpu.shares"), five: 51 };
  }
  const folder = join(v2 ?? "", `docket-${executor}`);
  return { folder, file: join(folder, "cpu.weight"), five: 5 };
}

test("the programs of a pool with a small weight are in a group that has it, and it goes with the executor", async () => {
  const executor = `weight-${process.pid}`;
  const { folder, file, five } = weightOf(executor);
  const sandbox = await openSandbox({
    executor,
    workDir,
    bwrap: binaryPath("bwrap"),
    uid: UID,
    slots: 1,
    slotUidBase: UID + 1,
    cpuWeight: 5,
    mounts: [],
  });
  // As the executor would have made it.
  mkdirSync(box);
  chownSync(box, UID, UID);
  chmodSync(workDir, 0o711);
  const stop = new AbortController();
  try {
    expect(Number(readFileSync(file, "utf8"))).toBe(five);
    const running = sandbox.run(
      {
        slot: 0,
        argv: ["/bin/sleep", "60"],
        env: {},
        box,
        boxWritable: false,
        mounts: [],
        stdin: null,
        stdout: null,
        stderr: null,
        limits: { cpuMs: 5_000, wallMs: 90_000, memoryKiB: 65_536, outputKiB: 64, processes: 4 },
      },
      stop.signal,
    );
    const inGroup = (): boolean =>
      readFileSync(join(folder, "cgroup.procs"), "utf8")
        .split("\n")
        .filter((pid) => pid !== "")
        .some((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("/bin/sleep"));
    if (v1.has("cpuacct")) await until("the program is in the group", inGroup);
    stop.abort();
    expect((await running).status).toEqual({ type: "cancelled" });
  } finally {
    await sandbox.close();
  }
  await until("the group is gone", () => !existsSync(folder));
});
