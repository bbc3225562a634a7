import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const VERSION = "1.20260907";
const SHA256 = "55f19b6a72ef5cb07daf0a4e612be963a15e7972891a3afb0fff89244b6228c6";
const CACHE = new URL("../../.docket/cache/", import.meta.url).pathname;

const run = promisify(execFile);

/**
 * Folder with the unpacked source archive of the format's own tools (MIT), fetched from PyPI into .docket/cache the
 * first time and never part of this repository: its example packages and validator tests are what others judge by.
 */
export async function problemtoolsSource(): Promise<string> {
  const folder = join(CACHE, `problemtools-${VERSION}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  // Two suites may fetch at once: each into a folder of its own, and the first rename wins.
  const own = mkdtempSync(join(CACHE, "fetch-"));
  try {
    const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "problemtools"];
    await run("python3", [...pip, "--dest", own, `problemtools==${VERSION}`], { timeout: 240_000 });
    const archive = join(own, `problemtools-${VERSION}.tar.gz`);
    const sha256 = createHash("sha256").update(readFileSync(archive)).digest("hex");
    if (sha256 !== SHA256) throw new Error(`${archive} has the SHA-256 ${sha256}, not ${SHA256}`);
    await run("tar", ["xzf", archive, "--no-same-owner", "-C", own]);
    try {
      renameSync(join(own, `problemtools-${VERSION}`), folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(own, { recursive: true, force: true });
  }
  return folder;
}
