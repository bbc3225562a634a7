import { closeSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { canDropFromBoundingSet } from "./capabilities.ts";
import { entryProgram } from "./entry.ts";
import { openCgroups } from "./opencgroups.ts";
import { launch, type LaunchDeps } from "./launch.ts";
import type { RunGroup } from "./cgroup.ts";
import { type PreparedShell, prepareShell } from "./preparedshell.ts";
import { removeTree } from "./removetree.ts";
import { prepareRootTree } from "./roottree.ts";
import { SandboxFault } from "./sandbox.ts";
import { seccompFilter } from "./seccomp.ts";
import { type FromLauncher, LauncherConfig, ToLauncher } from "./wire.ts";

/**
 * The one process of an executor that stays root: it puts programs into control groups and under the slots' uids.
 * It lives in mount and network namespaces of its own (started through unshare), so its mounts and every program's
 * network are gone with it. It trusts nothing that the executor says (wire.ts, pin.ts). When the executor goes, its
 * stdin ends: it then kills what runs and leaves; when it is killed itself, bubblewrap's parent-death signal does.
 */

const say = (message: FromLauncher): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

/** Builds everything that stays for the launcher's life. Throws in plain words when this machine cannot sandbox. */
async function setUp(
  config: LauncherConfig,
): Promise<{ deps: LaunchDeps; cgroup: "v1" | "v2"; close(): Promise<void> }> {
  if (process.getuid?.() !== 0) throw new Error("the sandbox's launcher must be started as root");
  const filter = seccompFilter(process.arch);
  if (filter === undefined)
    throw new Error(`no system call filter for ${process.arch}: only x64 and arm64 are supported`);
  const bindsDescriptors = bwrapHelp(config.bwrap).includes("--ro-bind-fd");
  closeInherited();
  const slots = Array.from({ length: config.slots }, (_, slot) => slotOf(config.slotUidBase + slot));
  if (slots.some(({ uid }) => uid === config.uid)) throw new Error("a slot's uid must not be the executor's");

  const workDir = realpathSync(config.workDir);
  const privateDir = mountPoint();
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=0700,nosuid", "docket-launcher", privateDir]);
  const root = join(privateDir, "root");
  prepareRootTree(root, config, slots);
  const seccompFile = join(privateDir, "seccomp");
  writeFileSync(seccompFile, filter);

  const cgroups = openCgroups(config.executor, config.cpuWeight);
  await cgroups.sweep();

  let made = 0;
  const shells: PreparedShell[] = [];
  const prepare = (): PreparedShell => prepareShell(cgroups, privateDir, `run-${++made}`);
  for (let slot = 0; slot < config.slots; slot++) shells.push(prepare());
  const refill = (): void => {
    while (shells.length < config.slots) shells.push(prepare());
  };
  const disposals = new Set<Promise<void>>();
  return {
    cgroup: cgroups.version,
    deps: {
      realm: { workDir, uid: config.uid },
      bwrap: config.bwrap,
      bindsDescriptors,
      root,
      seccompFile,
      slots: config.slots,
      monotonicMs: () => performance.now(),
      takeShell() {
        const shell = shells.pop() ?? prepare();
        setTimeout(refill, 1);
        return shell;
      },
      disposeShell(shell) {
        const disposal = shell.dispose().finally(() => disposals.delete(disposal));
        // A group that cannot be removed ends the launcher: the next one sweeps.
        disposals.add(disposal);
      },
    },
    async close() {
      for (const shell of shells) {
        shell.process.kill("SIGKILL");
        await shell.ended;
        await shell.dispose();
      }
      await Promise.all(disposals);
      cgroups.close();
    },
  };
}

function slotOf(uid: number): { readonly uid: number; readonly entry: Buffer } {
  const lastCapability = canDropFromBoundingSet(readFileSync("/proc/self/status", "utf8"))
    ? Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8"))
    : undefined;
  const entry = entryProgram(process.arch, { uid, lastCapability });
  if (entry === undefined) throw new Error(`no entry program for ${process.arch}`);
  return { uid, entry };
}

function bwrapHelp(bwrap: string): string {
  try {
    return execFileSync(bwrap, ["--help"], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`bubblewrap cannot be run (${bwrap}): apt-get install bubblewrap, or set DOCKET_BWRAP`, {
      cause: error,
    });
  }
}

/**
 * Descriptors that whoever started us left open would reach every program. Node's own are all close-on-exec.
 */
function closeInherited(): void {
  const O_CLOEXEC = 0o2000000;
  for (const name of readdirSync("/proc/self/fdinfo")) {
    const fd = Number(name);
    if (fd <= 2) continue;
    try {
      const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
      if (flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0) closeSync(fd);
    } catch {
      // The descriptor of this very listing.
    }
  }
}

/**
 * Where the launcher's own tmpfs goes: in its mount namespace only, so all launchers can share the place. Never in the
 * work folder: whoever owns that could remove the mount point, and with it the mount.
 */
function mountPoint(): string {
  const own = "/run/docket-launcher";
  try {
    mkdirSync(own, { recursive: true, mode: 0o700 });
    return own;
  } catch {
    // A container with a read-only root still has this one.
    return "/mnt";
  }
}

interface Running {
  readonly controller: AbortController;
  readonly processes: number;
  /** Known once the program is on its way. */
  group: RunGroup | undefined;
  ended: Promise<void>;
}

async function main(): Promise<void> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  const running = new Map<number, Running>();
  let set: Awaited<ReturnType<typeof setUp>> | undefined;

  const run = async (
    { id, request }: Extract<ToLauncher, { type: "run" }>,
    deps: LaunchDeps,
    entry: Running,
  ): Promise<void> => {
    try {
      const result = await launch(deps, request, entry.controller.signal, ({ group }) => {
        entry.group = group;
        const { cpuFile, memoryFile, procsFile } = group;
        say({ type: "started", id, cpuFile, memoryFile, procsFile });
      });
      say({ type: "ended", id, result });
    } catch (error) {
      const shared = error instanceof SandboxFault && error.shared;
      say({ type: "failed", id, message: error instanceof Error ? error.message : String(error), shared });
    } finally {
      running.delete(id);
    }
  };

  for await (const line of lines) {
    const value: unknown = JSON.parse(line);
    if (set === undefined) {
      try {
        set = await setUp(LauncherConfig.parse(value));
      } catch (error) {
        say({ type: "refused", message: error instanceof Error ? error.message : String(error) });
        process.exit(1);
      }
      say({ type: "ready", cgroup: set.cgroup });
      continue;
    }
    const parsed = ToLauncher.safeParse(value);
    if (!parsed.success) {
      const id = typeof value === "object" && value !== null && "id" in value ? Number(value.id) : -1;
      say({ type: "failed", id, message: `refused: ${parsed.error.message}` });
      continue;
    }
    const message = parsed.data;
    if (message.type === "run") {
      const entry: Running = {
        controller: new AbortController(),
        processes: message.request.limits.processes,
        group: undefined,
        ended: Promise.resolve(),
      };
      running.set(message.id, entry);
      entry.ended = run(message, set.deps, entry);
    } else if (message.type === "cancel") running.get(message.id)?.controller.abort();
    else {
      try {
        if (message.type === "remove") removeTree(set.deps.realm, message.path);
        else {
          const entry = running.get(message.run);
          if (entry?.group === undefined) throw new Error(`run ${message.run} is not on its way`);
          entry.group.limit({ memoryKiB: message.memoryKiB, processes: entry.processes });
        }
        say({ type: "done", id: message.id });
      } catch (error) {
        say({
          type: "failed",
          id: message.id,
          message: error instanceof Error ? error.message : String(error),
        });
      }
    }
  }
  for (const { controller } of running.values()) controller.abort();
  await Promise.all([...running.values()].map(({ ended }) => ended));
  await set?.close();
}

// Signals meant for the whole process group (Ctrl-C) are the executor's to handle; it closes our stdin when it is done.
// An executor that is gone reads no answer; the end of our stdin says so too.
process.stdout.on("error", () => {});
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
await main();
