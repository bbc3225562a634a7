import type { SourceFile } from "../../shared/judging.ts";
import { type LanguageId, languageOfFile } from "../../shared/language.ts";
import { namesIn, type PackageTree } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";

/** Accepted submissions of a package, to measure what they need. */
interface TimedProgram {
  /** Below submissions/. */
  readonly path: string;
  readonly language: LanguageId;
  readonly files: readonly { readonly name: string; readonly file: UnpackedFile }[];
}

/**
 * CPU time limit of a package that names none and has no accepted submission to tell: five times what a well-made
 * legacy package lets its reference need (1 s).
 */
export const FALLBACK_MS = 5_000;
/** Meanwhile, while the submissions are measured: slower than this is no reference. */
export const MEASURING_MS = 20_000;

/** More would keep the queue busy and tell nothing new. */
const MOST_PROGRAMS = 20;
const FOLDER = "submissions/accepted";

/** Those whose language is plain from their file endings: each file, and each folder without folders in it. */
export function findTimedPrograms(tree: PackageTree): readonly TimedProgram[] {
  const { files, folders } = namesIn(tree, FOLDER);
  const programs = [
    ...files.map((name) => ({ path: `${FOLDER}/${name}`, names: [name], below: FOLDER })),
    ...folders.map((name) => {
      const below = `${FOLDER}/${name}`;
      const inner = namesIn(tree, below);
      return { path: below, names: inner.folders.length > 0 ? [] : inner.files, below };
    }),
  ];
  return programs
    .flatMap(({ path, names, below }): TimedProgram[] => {
      const sources = names.filter((name) => languageOfFile(name) !== undefined);
      const languages = new Set(sources.map((name) => languageOfFile(name)));
      if (languages.has("cpp")) languages.delete("c");
      const [language] = languages;
      if (language === undefined || language === "text" || languages.size > 1) return [];
      const found = names.flatMap((name) => {
        const file = tree.files.get(`${below}/${name}`);
        return file === undefined ? [] : [{ name, file }];
      });
      return [{ path: path.slice("submissions/".length), language, files: found }];
    })
    .slice(0, MOST_PROGRAMS);
}

/** What is stored with a problem while its time limit is being measured. */
export interface Timing {
  readonly programs: readonly {
    readonly path: string;
    readonly language: LanguageId;
    readonly files: readonly SourceFile[];
  }[];
  /** The limit is so many times what the slowest needs, rounded up to whole steps. */
  readonly factor: number;
  readonly stepMs: number;
}

/** Time limit, milliseconds, out of what the accepted submissions needed. Source: the format's "Problem timing". */
export const inferredLimitMs = (
  slowestMs: number,
  { factor, stepMs }: Pick<Timing, "factor" | "stepMs">,
): number => Math.max(1, Math.ceil((slowestMs * factor) / stepMs)) * stepMs;
