import { openTestSandbox, SLOT_UID_BASE } from "./harness.ts";

/**
 * An executor with a program running that will not end by itself, daemons and all. Prints where to look once it runs;
 * lifecycle.test.ts kills it.
 */
const executor = process.argv[2];
if (executor === undefined) throw new Error("which executor id?");
const sandbox = await openTestSandbox({ executor });
const source = `import os, time
for i in range(3):
  if os.fork() == 0:
    os.setsid()
    time.sleep(1000)
print("running", flush=True)
time.sleep(1000)`;
const limits = { cpuMs: 1e6, wallMs: 1e6, memoryKiB: 65_536, outputKiB: 64, processes: 16 };
void sandbox.python(source, { limits }).catch((error: unknown) => {
  console.log(JSON.stringify({ failed: String(error) }));
});
console.log(JSON.stringify({ slotUid: SLOT_UID_BASE, workDir: sandbox.workDir, pid: process.pid }));
await sandbox.native.gone;
