import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

interface Archive {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

const PROBLEMTOOLS: Archive = {
  name: "problemtools",
  version: "1.20260907",
  sha256: "55f19b6a72ef5cb07daf0a4e612be963a15e7972891a3afb0fff89244b6228c6",
};
const BAPCTOOLS: Archive = {
  name: "bapctools",
  version: "2026.10.0",
  sha256: "7d2adcf8a6deacf410f8b9277d059126fa3206126c90c75a178e815478f4273e",
};
const CACHE = new URL("../../.docket/cache/", import.meta.url).pathname;

const run = promisify(execFile);

/**
 * Folder with the unpacked source archive of the format's own tools (MIT), fetched from PyPI into .docket/cache the
 * first time and never part of this repository: its example packages and validator tests are what others judge by.
 */
export const problemtoolsSource = (): Promise<string> => sourceOf(PROBLEMTOOLS);

/**
 * Path of the format's own `verifyproblem`, installed from PyPI into an environment of its own in .docket/cache the
 * first time: what it computes is what others expect.
 */
export async function verifyproblemPath(): Promise<string> {
  const folder = join(CACHE, `${PROBLEMTOOLS.name}-venv-${PROBLEMTOOLS.version}`);
  const program = join(folder, "bin/verifyproblem");
  if (existsSync(join(folder, "ready"))) return program;
  mkdirSync(CACHE, { recursive: true });
  // Programs of an environment name its folder: made where it stays, and marked when it is whole.
  rmSync(folder, { recursive: true, force: true });
  await run("python3", ["-m", "venv", folder], { timeout: 120_000 });
  const pip = ["install", "--quiet", `${PROBLEMTOOLS.name}==${PROBLEMTOOLS.version}`];
  await run(join(folder, "bin/pip"), pip, { timeout: 600_000 });
  mkdirSync(join(folder, "ready"));
  return program;
}

/** Scores that `verifyproblem` computes for the submissions of a scoring problem, by path below submissions/. */
export async function scoresByProblemtools(directory: string): Promise<Readonly<Record<string, number>>> {
  const program = await verifyproblemPath();
  const { stdout } = await run(program, ["--parts", "submissions", "--", directory], { timeout: 240_000 });
  const lines = stdout.matchAll(/^ +(\S+\/\S+) \(.*\) OK: \w+ \((-?[\d.]+)\)/gm);
  return Object.fromEntries([...lines].map(([, path = "", score]) => [path, Number(score)]));
}

/** Likewise that of BAPCtools (GPL), for the packages that it is tested with. */
export const bapctoolsSource = (): Promise<string> => sourceOf(BAPCTOOLS);

async function sourceOf({ name, version, sha256: expected }: Archive): Promise<string> {
  const folder = join(CACHE, `${name}-${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  // Two suites may fetch at once: each into a folder of its own, and the first rename wins.
  const own = mkdtempSync(join(CACHE, "fetch-"));
  try {
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name];
    await run("python3", [...pip, "--dest", own, `${name}==${version}`], { timeout: 240_000 });
    const archive = join(own, `${name}-${version}.tar.gz`);
    const sha256 = createHash("sha256").update(readFileSync(archive)).digest("hex");
    if (sha256 !== expected) throw new Error(`${archive} has the SHA-256 ${sha256}, not ${expected}`);
    await run("tar", ["xzf", archive, "--no-same-owner", "-C", own]);
    try {
      renameSync(join(own, `${name}-${version}`), folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return folder;
}
