import { readFileSync } from "node:fs";
import type { Cgroups } from "./cgroup.ts";
import { parseCgroupMounts } from "./cgroupmounts.ts";
import { cgroupV1 } from "./cgroupv1.ts";
import { cgroupV2 } from "./cgroupv2.ts";

/**
 * Finds out once which version carries the memory and pids controllers. Throws an Error in plain words when
 * neither can be used: without limits nothing may run.
 */
export function openCgroups(executor: string, cpuWeight: number): Cgroups {
  const mounts = parseCgroupMounts(
    readFileSync("/proc/self/mountinfo", "utf8"),
    readFileSync("/proc/self/cgroup", "utf8"),
  );
  if (["memory", "pids", "cpuacct"].every((name) => mounts.v1.has(name)))
    return cgroupV1(executor, mounts, cpuWeight);
  if (mounts.v2 !== undefined) return cgroupV2(executor, mounts.v2, cpuWeight);
  throw new Error(
    "no cgroup hierarchy with the memory and pids controllers is mounted; Docket does not run programs without limits",
  );
}
