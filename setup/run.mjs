// node setup/run.mjs SCRIPT [ARGS]: makes the checkout ready, then runs SCRIPT under Node 24.
// Plain JavaScript for Node 18 or later with nothing installed; quick and silent when nothing is to do.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchBinaries, haveBinaries } from "./binaries.mjs";
import { homeFolder } from "./home.mjs";
import { withLock } from "./lock.mjs";
import { runShown, say, SetupError } from "./progress.mjs";

const ROOT = realpathSync(join(dirname(fileURLToPath(import.meta.url)), ".."));
const LOCKFILE = join(ROOT, "package-lock.json");
const STAMP = join(ROOT, "node_modules", ".docket-stamp");
const NODE = join(ROOT, "node_modules", ".bin", "node");
const NODE_MAJOR = 24;
const PARENT_LOOK_MS = 1_000;

const lockHash = () => createHash("sha256").update(readFileSync(LOCKFILE)).digest("hex");

const stamped = () => existsSync(STAMP) && readFileSync(STAMP, "utf8") === lockHash();

/** True when node_modules already holds what the lockfile says (somebody ran npm themselves). */
function asLocked() {
  const installed = join(ROOT, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const have = JSON.parse(readFileSync(installed, "utf8")).packages;
  const want = JSON.parse(readFileSync(LOCKFILE, "utf8")).packages;
  return Object.entries(want).every(
    ([path, entry]) =>
      path === "" ||
      (have[path] === undefined ? entry.optional === true : have[path].version === entry.version),
  );
}

async function installPackages() {
  if (!asLocked()) {
    await runShown(
      "Installing packages from the lockfile",
      "npm",
      [
        "ci",
        "--ignore-scripts",
        "--include=dev",
        "--include=optional",
        "--loglevel=error",
        "--no-audit",
        "--no-fund",
      ],
      { cwd: ROOT },
    ).catch((error) => {
      const hint = error.message.includes("ENOENT") ? "\n  Install it with:  apt-get install npm" : "";
      throw new SetupError(error.message + hint);
    });
  }
  writeFileSync(STAMP, lockHash());
}

/** Node 24: the one that npm brought, or the one that runs this when it is new enough. */
function node() {
  if (existsSync(NODE)) return NODE;
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR) return process.execPath;
  throw new SetupError(
    `Docket runs on Node ${NODE_MAJOR}, and npm has none for ${process.platform} ${process.arch}.\n` +
      `  Install Node ${NODE_MAJOR} or later and try again.`,
  );
}

async function setUp() {
  const home = homeFolder(ROOT);
  if (stamped() && haveBinaries(home)) return;
  mkdirSync(home, { recursive: true });
  await withLock(join(home, "setup.lock"), async () => {
    if (stamped() && haveBinaries(home)) return;
    say("Setting up (only the first time, and when packages change):");
    if (!stamped()) await installPackages();
    await fetchBinaries(home);
  });
}

/** Runs the script with signals passed on; ends it when the npm above dies without a word. */
function run(script, args) {
  const path = [join(ROOT, "node_modules", ".bin"), process.env.PATH ?? ""].join(":");
  const child = spawn(node(), [join(ROOT, script), ...args], {
    // The IPC channel tells the script at once when this process is gone, SIGKILL included.
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, PATH: path },
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && child.kill("SIGTERM"), PARENT_LOOK_MS).unref();
  }
  child.on("error", (error) => {
    say(`Could not start ${script}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}

const [script, ...args] = process.argv.slice(2);
try {
  if (process.platform !== "linux") {
    throw new SetupError(
      "Docket isolates programs with Linux namespaces and cgroups: run it on Linux or in a Linux VM.",
    );
  }
  if (script === undefined) throw new SetupError("Usage: node setup/run.mjs SCRIPT [ARGS]");
  await setUp();
  run(script, args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(`\nSet-up stopped: ${error.message}`);
  process.exit(78);
}
