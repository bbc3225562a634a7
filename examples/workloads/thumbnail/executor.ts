import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { defineDoer, WorkFault } from "../../../src/executors/workload.ts";
import work from "./work.ts";

const SCRIPT = "shrink.py";
const LIMITS = { cpuMs: 20_000, wallMs: 40_000, memoryKiB: 512 * 1024, outputKiB: 2_048, processes: 4 };
/** The script's own word for a picture that it cannot read. */
const UNREADABLE = 3;

/** Somebody else's bytes are decoded, so it runs in the sandbox like any program. */
export default defineDoer(work, {
  needs: ["python"],
  async run({ input, files, sandbox, toolchain, slot, signal, ...job }) {
    const { programs, env, mounts } = toolchain("python");
    const workspace = await job.workspace();
    const box = await workspace.writableFolder("box");
    await copyFile(join(import.meta.dirname, SCRIPT), join(box, SCRIPT));
    const [stdout, stderr] = [workspace.file("out"), workspace.file("err")];
    const { status, cpuMs } = await sandbox.run(
      {
        slot,
        argv: [programs["python3"] ?? "python3", SCRIPT, String(input.widthPx)],
        env,
        box,
        boxWritable: false,
        mounts,
        stdin: files[0]?.path ?? null,
        stdout,
        stderr,
        limits: LIMITS,
      },
      signal,
    );
    if (status.type === "exited" && status.code === 0) {
      return { ok: true, pngBase64: (await readFile(stdout)).toString("base64"), cpuMs };
    }
    const words = (await readFile(stderr, "utf8")).trim().slice(-500);
    if (status.type === "exited" && status.code === UNREADABLE) return { ok: false, reason: words };
    if (status.type === "limit") return { ok: false, reason: `it takes too much: ${status.limit}` };
    throw new WorkFault(`${SCRIPT} ended with ${JSON.stringify(status)}: ${words}`);
  },
});
