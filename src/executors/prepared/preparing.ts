import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Service } from "../../shared/lifecycle.ts";
import type { Log } from "../../shared/log.ts";
import type { PrepareInput, PrepareStep } from "./prepare.ts";

const PROGRAM = fileURLToPath(new URL("preparer.ts", import.meta.url));

/**
 * Starts the preparer; to be called while still root. Nothing waits for it: what it makes is used from the moment it
 * is there. Stopped with the executor.
 */
export function startPreparing(
  deps: { readonly registry: Registry; readonly log: Log },
  input: PrepareInput,
): Service & { readonly done: Promise<void> } {
  const note = measure(deps.registry);
  const child = spawn(process.execPath, [PROGRAM], { stdio: ["pipe", "pipe", "inherit"], env: {} });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (error) => {
      deps.log.warn({ err: error }, "toolchains stay slower: the preparer did not start");
      resolve();
    });
  });
  child.stdin.on("error", () => {});
  child.stdin.write(`${JSON.stringify(input)}\n`);
  let text = "";
  child.stdout.on("data", (chunk) => {
    const lines = (text + String(chunk)).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const step = JSON.parse(line) as PrepareStep;
      note(step);
      if (step.type === "failed") deps.log.warn(step, "a toolchain stays slower");
      else if (step.type !== "hit") deps.log.info(step, "toolchain cache");
    }
  });
  return {
    name: "preparing",
    /** All is made, or could not be. */
    done: ended,
    start: () => Promise.resolve(),
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

function measure(registry: Registry): (step: PrepareStep) => void {
  const registers = [registry];
  const lookups = new Counter({
    name: "docket_executor_toolchain_cache_lookups_total",
    help: "Precompiled headers and class-data archives wanted at start, by whether they were there (hit), made (miss) or could not be made (failed).",
    labelNames: ["name", "result"],
    registers,
  });
  const bytes = new Gauge({
    name: "docket_executor_toolchain_cache_bytes",
    help: "Bytes of each precompiled header and class-data archive that this executor uses.",
    labelNames: ["name"],
    registers,
  });
  const evictions = new Counter({
    name: "docket_executor_toolchain_cache_evictions_total",
    help: "Precompiled headers and class-data archives removed to keep within toolchainCacheBytes.",
    registers,
  });
  return (step) => {
    if (step.type === "evicted") {
      evictions.inc();
      return;
    }
    lookups.inc({ name: step.name, result: step.type });
    if (step.type !== "failed") bytes.set({ name: step.name }, step.bytes);
  };
}
