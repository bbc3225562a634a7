import { chmod, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { dropPrivileges, openSandbox } from "../../src/executors/sandbox/native.ts";

/**
 * Runs two small programs in the native sandbox, one that ends and one that must be killed, and prints how it went.
 * The test starts this with the capabilities that docker/compose.yaml leaves an executor.
 */
const [bwrap = "", folder = "", uidText = ""] = process.argv.slice(2);
const uid = Number(uidText);
await chmod(folder, 0o755);
const work = join(folder, "work");
const sandbox = await openSandbox({
  executor: `probe-${process.pid}`,
  workDir: work,
  bwrap,
  uid,
  slots: 1,
  slotUidBase: uid + 1,
  mounts: [],
});
dropPrivileges(uid, work);
try {
  const box = join(work, "box");
  await mkdir(box);
  const stdout = join(work, "out");
  const run = async (command: string) => {
    const { status } = await sandbox.run(
      {
        slot: 0,
        argv: ["/bin/sh", "-c", command],
        env: {},
        box,
        boxWritable: true,
        mounts: [],
        stdin: null,
        stdout,
        stderr: null,
        limits: { cpuMs: 2_000, wallMs: 1_000, memoryKiB: 65_536, outputKiB: 1_024, processes: 16 },
      },
      new AbortController().signal,
    );
    return { status, output: await readFile(stdout, "utf8") };
  };
  console.log(JSON.stringify([await run("id -u; grep CapEff /proc/self/status"), await run("sleep 60")]));
} finally {
  await sandbox.close();
}
