import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runInGuest } from "../../support/guest.ts";

/**
 * The sandbox under cgroup v2, which most users have and which the machines this is built on have not: a guest with
 * Debian's kernel, emulated, runs guestprobe.ts on this very tree.
 */
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const TIMEOUT_MS = 400_000;

describe.skipIf(process.arch !== "x64")("in a guest with cgroup v2 alone", () => {
  it("limits, accounts and kills as under v1", { timeout: TIMEOUT_MS + 60_000 }, async () => {
    const { exitCode, output } = await runInGuest({
      command: `cd ${ROOT} && node_modules/.bin/node test/executors/sandbox/guestprobe.ts && ls -d /sys/fs/cgroup/docket-* ; true`,
      timeoutMs: TIMEOUT_MS,
    });
    const line = /^probe=(.*)$/m.exec(output)?.[1];
    expect(line, output.slice(-3_000)).toBeDefined();
    expect(exitCode).toBe(0);
    const seen: unknown = JSON.parse(line ?? "");
    const limit = (name: string) => ({ status: { type: "limit", limit: name } });
    const fine = { status: { type: "exited", code: 0 } };
    expect(seen).toMatchObject({
      cgroup: "v2",
      hierarchy: "0::/",
      fine: { ...fine, stdout: "0::/\n" },
      loop: limit("cpu"),
      loopInChild: limit("cpu"),
      sleep: limit("wall"),
      memory: limit("memory"),
      memoryOfChild: limit("memory"),
      temporaryFiles: limit("memory"),
      output: limit("output"),
      forks: { ...fine, stdout: "15\n" },
      stray: fine,
      touched: { ...fine, memoryKiB: expect.toSatisfy((kib: number) => kib > 20 * 1024 && kib < 30 * 1024) },
      cancelled: { status: { type: "cancelled" } },
      isolate: { ...fine, stdout: "42\n" },
      isolateMemory: limit("memory"),
      isolateAfter: { ...fine, stdout: "unharmed\n" },
    });
    // CPU time comes from cpu.stat, and a loop is stopped close to its limit even here.
    expect(seen).toMatchObject({
      loop: { cpuMs: expect.toSatisfy((ms: number) => ms > 4_000 && ms < 6_000) },
      memory: { memoryKiB: 64 * 1024 },
    });
    expect(output, "the executor's groups are removed").not.toMatch(/^\/sys\/fs\/cgroup\/docket-/m);
  });
});
