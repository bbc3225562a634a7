import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { ReadOnlyMount } from "./sandbox.ts";

const ENTRIES = "/opt/entry";
/** Where a program sees the entry program of its slot (entry.ts). */
export const entryPath = (slot: number): string => `${ENTRIES}/${slot}`;

/**
 * What a program sees as `/`: made once in the launcher's own mount namespace and bound whole for every run, since
 * each mount of a run costs. All of it is read-only before bubblewrap sees it, so that binding it changes no flags.
 */
export function prepareRootTree(
  root: string,
  shown: { readonly mounts: readonly ReadOnlyMount[]; readonly devices: readonly string[] },
  slots: readonly { readonly uid: number; readonly entry: Buffer }[],
): void {
  mkdirSync(root, { recursive: true });
  mount(["-t", "tmpfs", "-o", "nosuid,mode=0755", "docket-root", root]);
  for (const dir of ["usr", "proc", "tmp", "box", "etc", "dev", "opt", "var", "data", "feedback"])
    mkdirSync(join(root, dir));
  symlinkSync("../tmp", join(root, "var/tmp"));
  bindReadOnly("/usr", join(root, "usr"));
  for (const dir of ["bin", "sbin", "lib", "lib64"]) systemFolder(root, dir);
  settings(
    root,
    slots.map(({ uid }) => uid),
  );
  mkdirSync(join(root, ENTRIES));
  for (const [slot, { entry }] of slots.entries()) {
    const path = join(root, entryPath(slot));
    writeFileSync(path, entry);
    chmodSync(path, 0o755);
  }
  devices(root);
  for (const path of shown.devices) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, "");
    mount(["--bind", path, target]);
  }
  for (const { host, inside } of shown.mounts) {
    const target = join(root, inside);
    if (existsSync(target) && inside.startsWith("/usr/")) continue;
    if (statSync(host).isDirectory()) mkdirSync(target, { recursive: true });
    else {
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, "");
    }
    bindReadOnly(host, target);
  }
  mount(["-o", "remount,ro,nosuid", root]);
}

function mount(args: readonly string[]): void {
  execFileSync("mount", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function bindReadOnly(host: string, target: string): void {
  mount(["--bind", host, target]);
  mount(["-o", "remount,bind,ro,nosuid,nodev", target]);
}

/** /bin, /lib and so on: links into /usr on every current distribution, folders of their own on older ones. */
function systemFolder(root: string, name: string): void {
  const host = `/${name}`;
  if (!existsSync(host)) return;
  const target = join(root, name);
  if (lstatSync(host).isSymbolicLink()) symlinkSync(readlinkSync(host), target);
  else {
    mkdirSync(target);
    bindReadOnly(host, target);
  }
}

/** The few files of /etc that loaders, compilers and runtimes read; nothing else of the host's /etc is there. */
function settings(root: string, slotUids: readonly number[]): void {
  const etc = join(root, "etc");
  if (existsSync("/etc/ld.so.cache")) copyFileSync("/etc/ld.so.cache", join(etc, "ld.so.cache"));
  for (const name of readdirSync("/etc")) {
    if (name !== "alternatives" && !/^java-[\w-]+-openjdk$/.test(name)) continue;
    cpSync(join("/etc", name), join(etc, name), { recursive: true, verbatimSymlinks: true });
  }
  const users = slotUids.map((uid, slot) => `slot${slot}:x:${uid}:${uid}::/box:/bin/sh\n`);
  const groups = slotUids.map((uid, slot) => `slot${slot}:x:${uid}:\n`);
  writeFileSync(join(etc, "passwd"), `root:x:0:0::/:/bin/false\n${users.join("")}`);
  writeFileSync(join(etc, "group"), `root:x:0:\n${groups.join("")}`);
  writeFileSync(join(etc, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n");
  writeFileSync(join(etc, "hosts"), "127.0.0.1 localhost\n");
}

const DEVICES: Readonly<Record<string, number>> = { null: 3, zero: 5, full: 7, random: 8, urandom: 9 };

function devices(root: string): void {
  const dev = join(root, "dev");
  for (const [name, minor] of Object.entries(DEVICES)) {
    try {
      execFileSync("mknod", ["-m", "666", join(dev, name), "c", "1", String(minor)], { stdio: "pipe" });
    } catch {
      // Containers without CAP_MKNOD: take the host's node.
      writeFileSync(join(dev, name), "");
      mount(["--bind", join("/dev", name), join(dev, name)]);
    }
  }
  symlinkSync("/proc/self/fd", join(dev, "fd"));
  for (const [fd, name] of ["stdin", "stdout", "stderr"].entries())
    symlinkSync(`/proc/self/fd/${fd}`, join(dev, name));
  symlinkSync("../tmp", join(dev, "shm"));
}
