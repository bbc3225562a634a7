import { execFile } from "node:child_process";
import { access, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { LANGUAGE_IDS, type LanguageId, languageOfFile } from "../shared/language.ts";
import { type ApiAccess, ApiError, upload } from "./api.ts";

/** Folders of the example problems, by name. */
export async function exampleFolders(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).toSorted();
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return await access(join(path, "problem.yaml")).then(
        () => path,
        () => undefined,
      );
    }),
  );
  return found.filter((path) => path !== undefined);
}

const ImportAnswer = z.object({
  importProblem: z.union([
    z.object({ problem: z.object({ id: z.string(), name: z.string(), testCount: z.int() }) }),
    z.object({
      code: z.string(),
      message: z.string(),
      findings: z.array(z.object({ file: z.string(), message: z.string() })).optional(),
    }),
  ]),
});

const IMPORT = `mutation Import($input: ImportProblemInput!) {
  importProblem(input: $input) {
    ... on ImportProblemSuccess { problem { id name testCount } }
    ... on UserError { code message }
    ... on PackageRefused { findings { file message } }
  }
}`;

const ARCHIVE_MAX_BYTES = 64 * 1024 * 1024;

/** Packs a package and imports it through the public API. Throws ApiError with all findings. */
export async function importExample(
  api: ApiAccess,
  path: string,
): Promise<{ readonly id: string; readonly name: string; readonly testCount: number }> {
  const { stdout } = await promisify(execFile)(
    "tar",
    ["--sort=name", "--owner=0", "--group=0", "-C", dirname(path), "-czf", "-", basename(path)],
    { encoding: "buffer", maxBuffer: ARCHIVE_MAX_BYTES },
  );
  const archive = { name: `${basename(path)}.tar.gz`, bytes: new Uint8Array(stdout) };
  const { importProblem } = await upload(api, ImportAnswer, IMPORT, archive);
  if ("problem" in importProblem) return importProblem.problem;
  const findings = (importProblem.findings ?? []).map(({ file, message }) => `\n  ${file}: ${message}`);
  throw new ApiError(`${path} was not imported: ${importProblem.message}${findings.join("")}`);
}

/** A program to show, with the verdict that its folder promises. */
export interface ExampleProgram {
  readonly problem: string;
  readonly language: LanguageId;
  readonly path: string;
  readonly kind: "right" | "wrong";
  readonly expected: "AC" | "WA";
}

const KINDS = [
  { kind: "right", folder: "accepted", expected: "AC" },
  { kind: "wrong", folder: "wrong_answer", expected: "WA" },
] as const;

/** One right and one wrong program for each language, of the first problem that has them. */
export async function examplePrograms(folders: readonly string[]): Promise<ExampleProgram[]> {
  const found: ExampleProgram[] = [];
  for (const { kind, folder, expected } of KINDS) {
    for (const problem of folders) {
      const at = join(problem, "submissions", folder);
      const files = (await readdir(at).catch((): string[] => [])).toSorted();
      for (const file of files) {
        const language = languageOfFile(file);
        if (language === undefined) continue;
        if (found.some((known) => known.language === language && known.kind === kind)) continue;
        found.push({ problem: basename(problem), language, path: join(at, file), kind, expected });
      }
    }
  }
  const order = (program: ExampleProgram): number => LANGUAGE_IDS.indexOf(program.language);
  return found.toSorted((a, b) => order(a) - order(b));
}
