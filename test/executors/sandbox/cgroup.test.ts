import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { keyed, removeAbandoned } from "../../../src/executors/sandbox/cgroup.ts";
import { parseCgroupMounts } from "../../../src/executors/sandbox/cgroupmounts.ts";
import { parseCpuStat } from "../../../src/executors/sandbox/cgroupv2.ts";

describe("finding the hierarchies", () => {
  it("v1 with controllers mounted apart, ours below their tops", () => {
    const { v1, v2 } = parseCgroupMounts(
      `31 25 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
32 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
33 25 0:28 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
34 25 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup rw`,
      "4:memory:/user.slice\n3:cpu,cpuacct:/\n2:pids:/user.slice/user-0.slice\n0::/user.slice\n",
    );
    expect(Object.fromEntries(v1)).toEqual({
      memory: "/sys/fs/cgroup/memory/user.slice",
      cpu: "/sys/fs/cgroup/cpu,cpuacct",
      cpuacct: "/sys/fs/cgroup/cpu,cpuacct",
      pids: "/sys/fs/cgroup/pids/user.slice/user-0.slice",
    });
    expect(v2).toBe("/sys/fs/cgroup/unified");
  });

  it("v1 in a container, where the mount shows our own group as its top", () => {
    const { v1 } = parseCgroupMounts(
      "31 25 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory",
      "4:memory:/docker/abc\n",
    );
    expect(v1.get("memory")).toBe("/sys/fs/cgroup/memory");
  });

  it("v2 alone", () => {
    const { v1, v2 } = parseCgroupMounts(
      "30 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate",
      "0::/user.slice/user-1000.slice/session-1.scope\n",
    );
    expect(v1.size).toBe(0);
    expect(v2).toBe("/sys/fs/cgroup");
  });

  it("none", () => {
    expect(parseCgroupMounts("25 1 8:1 / / rw - ext4 /dev/sda1 rw", "")).toEqual({
      v1: new Map(),
      v2: undefined,
    });
  });
});

it("only old groups without processes are taken as abandoned", () => {
  const base = mkdtempSync(join(tmpdir(), "docket-groups-"));
  const group = (name: string, procs?: string): string => {
    const child = join(base, name, "run-1");
    mkdirSync(child, { recursive: true });
    if (procs !== undefined) writeFileSync(join(child, "cgroup.procs"), procs);
    return join(base, name);
  };
  try {
    const own = group("docket-own");
    const alive = group("docket-alive", "17\n");
    const other = group("user.slice");
    // A plain folder stands for a group: its procs file cannot be removed with it, so an old one has none here.
    mkdirSync(join(base, "docket-dead"));
    removeAbandoned(own, Date.now());
    expect(readdirSync(base)).toHaveLength(4);
    removeAbandoned(own, Date.now() + 61_000);
    expect(readdirSync(base).toSorted()).toEqual([own, alive, other].map((dir) => basename(dir)).toSorted());
  } finally {
    rmSync(base, { recursive: true });
  }
});

describe("accounts", () => {
  it("cpu.stat counts microseconds", () => {
    expect(parseCpuStat("usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n")).toBe(1_500_000);
  });

  it("keyed files are read by whole keys", () => {
    const events = "low 0\nhigh 0\nmax 3\noom 2\noom_kill 1\noom_group_kill 4\n";
    expect(keyed(events, "oom_kill")).toBe(1);
    expect(keyed(events, "oom_group_kill")).toBe(4);
    expect(keyed("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", "oom_kill")).toBe(7);
    expect(keyed("", "oom_kill")).toBe(0);
  });
});
