import { access, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { LANGUAGE_IDS, type LanguageId, languageOfFile } from "../shared/language.ts";

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
