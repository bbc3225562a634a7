import { access, mkdir, readFile, rmdir, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";

/** The stack cannot start here; the message says what is wrong and what to do about it. */
export class PreflightError extends Error {}

const CGROUPS = "/sys/fs/cgroup";

/** Judged programs need users and cgroups of their own, which only root can make. Throws PreflightError. */
export async function checkCanIsolate(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new PreflightError(
      "Docket must be started as root (or with sudo): it gives every judged program a user, a cgroup and\n" +
        "  namespaces of its own, and drops root itself before it touches a job.",
    );
  }
  const parents = await cgroupParents();
  if (parents.length === 0) {
    throw new PreflightError(
      `No usable cgroups: ${CGROUPS} has no memory and pids controllers (neither v1 nor v2), so programs could\n` +
        "  not be limited, and Docket never runs them without limits.\n" +
        "  In a container, start it with --privileged, or with --cgroupns=host and -v /sys/fs/cgroup:/sys/fs/cgroup:rw.",
    );
  }
  for (const parent of parents) {
    const probe = join(parent, `docket-probe-${process.pid}`);
    try {
      await mkdir(probe);
      await rmdir(probe);
    } catch (error) {
      throw new PreflightError(
        `Not allowed to make cgroups below ${parent} (${(error as NodeJS.ErrnoException).code}).\n` +
          `  In a container, start it with --privileged; else remount it: mount -o remount,rw ${CGROUPS}`,
      );
    }
  }
}

const there = async (path: string): Promise<boolean> =>
  await access(path).then(
    () => true,
    () => false,
  );

const OTHERS_EXECUTE = 0o001;

/** mongod, nats-server and the executors run under users of their own, which must get to their data. */
export async function checkReachable(folder: string): Promise<void> {
  for (let at = dirname(folder); at !== dirname(at); at = dirname(at)) {
    if (((await stat(at)).mode & OTHERS_EXECUTE) !== 0) continue;
    throw new PreflightError(
      `The data folder ${folder} cannot be used: ${at} is closed to the users that mongod and the executors\n` +
        `  run under. Open it (chmod o+x ${at}), or set DOCKET_DATA to another folder.`,
    );
  }
}

/** Folders in which limits are made; empty when memory or process limits cannot be had. */
async function cgroupParents(): Promise<string[]> {
  const controllers = await readFile(join(CGROUPS, "cgroup.controllers"), "utf8").catch(() => "");
  const v2 = controllers.trim().split(" ");
  if (v2.includes("memory") && v2.includes("pids")) return [CGROUPS];
  const v1 = ["memory", "pids"].map((name) => join(CGROUPS, name));
  const found = await Promise.all(v1.map((path) => there(join(path, "cgroup.procs"))));
  return found.every(Boolean) ? v1 : [];
}

/** Resolves to a port that was free a moment ago: `wanted`, or any when 0. Throws PreflightError. */
export async function freePort(host: string, wanted: number): Promise<number> {
  const probe = createServer();
  return await new Promise<number>((resolve, reject) => {
    probe.once("error", (error: NodeJS.ErrnoException) => reject(portError(error, host, wanted)));
    probe.listen({ host, port: wanted, exclusive: true }, () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : wanted;
      probe.close(() => resolve(port));
    });
  });
}

function portError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === "EADDRINUSE") {
    return new PreflightError(
      `Port ${port} on ${host} is taken by another program.\n` +
        "  Choose another one with DOCKET_PORT=4001, or DOCKET_PORT=0 for any free one.",
    );
  }
  return new PreflightError(
    `Cannot listen on ${host}:${port} (${error.code}): check DOCKET_HOST and DOCKET_PORT.`,
  );
}
