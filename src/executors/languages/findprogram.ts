import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Where distributions put programs; searched before PATH, as version managers' shims do not work in a sandbox. */
const SYSTEM_FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin"];

/** Real path of the first executable of one of these names; undefined when there is none. */
export async function findProgram(
  names: readonly string[],
  more: { readonly path?: string | undefined; readonly folders?: readonly string[] } = {},
): Promise<string | undefined> {
  const folders = [...SYSTEM_FOLDERS, ...(more.folders ?? []), ...(more.path ?? "").split(delimiter)];
  for (const name of names) {
    for (const folder of folders) {
      if (folder === "") continue;
      const path = join(folder, name);
      try {
        await access(path, constants.X_OK);
        return await realpath(path);
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

/** First line that `program --version` or the like prints, or undefined when it cannot be run. */
export async function versionLine(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    execFile(
      program,
      args,
      { env: { PATH: "/usr/bin:/bin", ...env }, timeout: 20_000 },
      (error, stdout, stderr) => {
        const line = (stdout.trim() === "" ? stderr : stdout).trim().split("\n")[0];
        resolve(error === null && line !== undefined && line !== "" ? line : undefined);
      },
    );
  });
}

/**
 * A program of the distribution and what it says of its version; undefined when there is none. One that a version
 * manager keeps in a home folder would need all of that folder shown, so only what lies below /usr counts.
 */
export async function findSystemProgram(
  names: readonly string[],
  versionArgs: readonly string[],
  path: string | undefined,
): Promise<{ readonly program: string; readonly version: string } | undefined> {
  const program = await findProgram(names, { path });
  if (program === undefined || !program.startsWith("/usr/")) return undefined;
  const version = await versionLine(program, versionArgs);
  return version === undefined ? undefined : { program, version };
}

/** Output of a tool that is asked for a fact, trimmed; undefined when it fails. */
export async function askTool(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    execFile(program, args, { env: { PATH: "/usr/bin:/bin", ...env }, timeout: 20_000 }, (error, stdout) =>
      resolve(error === null ? stdout.trim() : undefined),
    );
  });
}

/** Environment of every program in the sandbox. */
export const BASE_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/bin:/bin",
  HOME: "/tmp",
  TMPDIR: "/tmp",
  LANG: "C.UTF-8",
};
