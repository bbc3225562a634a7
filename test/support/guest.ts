import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { copyFile, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const CACHE = new URL("../../.docket/cache/", import.meta.url).pathname;
const INIT = new URL("./guest-init.sh", import.meta.url).pathname;

/** Kernel modules in loading order: the shared file tree over virtio, and the layer above it. */
const MODULES = [
  "virtio_ring",
  "virtio",
  "virtio_pci_legacy_dev",
  "virtio_pci_modern_dev",
  "virtio_pci",
  "netfs",
  "fscache",
  "9pnet",
  "9pnet_virtio",
  "9p",
  "overlay",
] as const;

const run = promisify(execFile);

/** Debian's kernel, unpacked into the cache; nothing of it is installed on the host. */
async function kernelTree(): Promise<string> {
  const tree = join(CACHE, "guest-kernel");
  if (existsSync(tree)) return tree;
  mkdirSync(CACHE, { recursive: true });
  const own = mkdtempSync(join(CACHE, "fetch-"));
  try {
    await run("apt-get", ["update", "-qq"]);
    const { stdout } = await run("apt-cache", ["depends", "linux-image-amd64"]);
    const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
    if (name === undefined) throw new Error("apt knows no linux-image-amd64");
    await run("apt-get", ["download", "-qq", name], { cwd: own });
    const archive = (await readdir(own)).find((file) => file.endsWith(".deb"));
    if (archive === undefined) throw new Error(`apt-get download ${name} left no archive`);
    await run("dpkg-deb", ["-x", join(own, archive), join(own, "tree")]);
    if (!existsSync(tree)) renameSync(join(own, "tree"), tree);
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return tree;
}

async function oneFile(folder: string, name: (file: string) => boolean): Promise<string> {
  const found = (await readdir(folder, { recursive: true })).find((file) => name(basename(file)));
  if (found === undefined) throw new Error(`nothing in ${folder} fits`);
  return join(folder, found);
}

/** Installs the emulator where it is missing; needs root and Debian's packages. */
async function ensureEmulator(): Promise<void> {
  const paths = ["/usr/bin/qemu-system-x86_64", "/bin/busybox", "/usr/bin/cpio"];
  if (paths.every((path) => existsSync(path))) return;
  await run("apt-get", ["update", "-qq"]);
  const packages = ["qemu-system-x86", "busybox-static", "cpio"];
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

async function initialTree(kernel: string, command: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "docket-guest-"));
  const tree = join(folder, "tree");
  for (const name of ["bin", "modules", "proc", "sys", "dev", "host", "layer", "root"]) {
    mkdirSync(join(tree, name), { recursive: true });
  }
  await copyFile("/bin/busybox", join(tree, "bin/busybox"));
  await copyFile(INIT, join(tree, "init"));
  await run("chmod", ["755", join(tree, "init")]);
  for (const module of MODULES) {
    await copyFile(
      await oneFile(join(kernel, "lib/modules"), (file) => file === `${module}.ko`),
      join(tree, "modules", `${module}.ko`),
    );
  }
  writeFileSync(join(tree, "modules/order"), MODULES.join("\n"));
  writeFileSync(join(tree, "command"), command);
  await run("sh", ["-c", "find . | cpio -o -H newc --quiet | gzip -1 > ../initial.gz"], { cwd: tree });
  return folder;
}

export interface GuestEnd {
  /** Exit code of the command, or undefined when the guest never got to its end. */
  readonly exitCode: number | undefined;
  readonly output: string;
}

/**
 * Boots this machine's own file tree (read-only, changes stay in memory) under Debian's kernel with cgroup v2 alone,
 * by software emulation, runs a shell command there as root and powers off. Some 5 seconds around the command, which
 * itself is about ten times slower than on the host.
 */
export async function runInGuest(input: { command: string; timeoutMs: number }): Promise<GuestEnd> {
  await ensureEmulator();
  const kernel = await kernelTree();
  const folder = await initialTree(kernel, input.command);
  try {
    const emulator = spawn(
      "qemu-system-x86_64",
      [
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "max",
        "-smp",
        "2",
        "-m",
        "4096",
        "-nographic",
        "-no-reboot",
        "-nic",
        "none",
        "-kernel",
        await oneFile(join(kernel, "boot"), (file) => file.startsWith("vmlinuz-")),
        "-initrd",
        join(folder, "initial.gz"),
        "-append",
        "console=ttyS0 quiet panic=-1",
        "-fsdev",
        "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
        "-device",
        "virtio-9p-pci,fsdev=host,mount_tag=host",
      ],
      { stdio: ["ignore", "pipe", "inherit"], timeout: input.timeoutMs, killSignal: "SIGKILL" },
    );
    const chunks: Buffer[] = [];
    emulator.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    await new Promise<void>((resolve, reject) => {
      emulator.once("error", reject);
      emulator.once("close", () => {
        resolve();
      });
    });
    const output = Buffer.concat(chunks).toString();
    const exit = /guest-exit=(\d+)/.exec(output)?.[1];
    return { exitCode: exit === undefined ? undefined : Number(exit), output };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
