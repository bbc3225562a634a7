import { type ContestId, ProblemId } from "../../shared/ids.ts";
import type { Lane } from "../../shared/lane.ts";
import {
  LANGUAGE_IDS,
  type LanguageId,
  languageNamed,
  LANGUAGES,
  variantFor,
} from "../../shared/language.ts";
import type { Limits } from "../../shared/limits.ts";
import type { ProblemDocument } from "../store/documents.ts";
import { passed, type Refusal, refuse, type SubmitInput } from "./outcome.ts";

/** What somebody hands in, checked as far as that is possible without the database. */
export interface CheckedInput {
  readonly problem: ProblemId;
  /** It is judged in this one. */
  readonly language: LanguageId;
  /** As it was handed in: a variant of it may be what judges it. */
  readonly asked: LanguageId;
  readonly lane: Lane;
  readonly contest?: ContestId;
  readonly files: readonly { readonly name: string; readonly content: Uint8Array }[];
  readonly sourceBytes: number;
}

export interface CheckDeps {
  readonly limits: Limits;
  /** Undefined when it is offered, otherwise why not. */
  readonly notOffered: (language: LanguageId) => string | undefined;
}

/** Also what the sandbox and every file system can take; no folders, nothing hidden. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/;
const ENTRY_POINT = /^[A-Za-z_$][A-Za-z0-9_.$+-]{0,127}$/;
const KEY = /^[\x20-\x7e]+$/;

export const isFileName = ({ fileNameCharacters }: Limits, name: string): boolean =>
  FILE_NAME.test(name) && name.length <= fileNameCharacters;

export const isIdempotencyKey = ({ idempotencyKeyCharacters }: Limits, key: string): boolean =>
  KEY.test(key) && key.length <= idempotencyKeyCharacters;

function checkFiles(
  { limits }: CheckDeps,
  input: Pick<SubmitInput, "files">,
  language: LanguageId,
): Refusal | CheckedInput["files"] {
  const files = input.files.map(({ name, content }) => ({
    // A single source need not have a name.
    name: name === "" && input.files.length === 1 ? LANGUAGES[language].defaultFile : name,
    content,
  }));
  if (files.every((file) => file.content.length === 0)) {
    return refuse("SOURCE_EMPTY", "The source is empty: give `source`, or `files` with some content.");
  }
  if (files.length > limits.sourceFiles) {
    return refuse(
      "TOO_MANY_FILES",
      `There are ${files.length} files; at most ${limits.sourceFiles} are taken.`,
      passed(limits, "sourceFiles"),
    );
  }
  const seen = new Set<string>();
  for (const { name } of files) {
    if (!isFileName(limits, name)) {
      return refuse(
        "FILE_NAME_INVALID",
        `The file name ${JSON.stringify(name.slice(0, 120))} is not usable: 1 to ${limits.fileNameCharacters} letters, digits, '_', '-', '.', '+', without folders, not starting with '.', '-' or '+'.`,
        passed(limits, "fileNameCharacters"),
      );
    }
    if (seen.has(name))
      return refuse("FILE_NAME_INVALID", `The file name ${JSON.stringify(name)} is there twice.`);
    seen.add(name);
  }
  return files;
}

export type GivenProgram = Pick<SubmitInput, "language" | "files" | "entryPoint" | "idempotencyKey">;

/** A program by itself, whatever it is handed in for. */
export function checkProgram(
  deps: CheckDeps,
  input: GivenProgram,
): Refusal | Pick<CheckedInput, "language" | "files" | "sourceBytes"> {
  const { limits } = deps;
  const language = languageNamed(input.language);
  if (language === undefined) {
    return refuse(
      "LANGUAGE_NOT_OFFERED",
      `There is no language ${JSON.stringify(input.language.slice(0, 40))}; there are: ${LANGUAGE_IDS.join(", ")}.`,
    );
  }
  const key = input.idempotencyKey;
  if (key !== undefined && !isIdempotencyKey(limits, key)) {
    return refuse(
      "INPUT_INVALID",
      `idempotencyKey: expected 1 to ${limits.idempotencyKeyCharacters} printable ASCII characters.`,
      passed(limits, "idempotencyKeyCharacters"),
    );
  }
  if (input.entryPoint !== undefined && !ENTRY_POINT.test(input.entryPoint)) {
    return refuse(
      "INPUT_INVALID",
      "entryPoint: expected the name of a file or class, at most 128 characters.",
    );
  }
  const files = checkFiles(deps, input, language);
  if ("type" in files) return files;
  const sourceBytes = files.reduce((sum, file) => sum + file.content.length, 0);
  if (sourceBytes > limits.sourceBytes)
    return tooLarge(sourceBytes, passed(limits, "sourceBytes"), "the server");
  return { language, files, sourceBytes };
}

/** Whether anybody could run it. */
export function checkOffered(deps: Pick<CheckDeps, "notOffered">, language: LanguageId): Refusal | undefined {
  const reason = deps.notOffered(language);
  return reason === undefined ? undefined : refuse("LANGUAGE_NOT_OFFERED", reason);
}

/** Sorts out what can never be judged, before anything is stored. */
export function checkInput(deps: CheckDeps, input: SubmitInput): Refusal | CheckedInput {
  const problem = ProblemId.safeParse(input.problem);
  if (!problem.success) return problemNotFound(input.problem);
  const usual = input.contest === undefined ? "practice" : "contest";
  if (input.lane !== undefined && input.lane !== usual && input.role === "participant") {
    return refuse("FORBIDDEN", `lane: only jury and admin keys may submit to the lane "${input.lane}".`);
  }
  if (input.allTests === true && input.role === "participant") {
    return refuse("FORBIDDEN", "allTests: only jury and admin keys may run tests that decide nothing.");
  }
  const program = checkProgram(deps, input);
  if ("type" in program) return program;
  return { ...program, asked: program.language, problem: problem.data, lane: input.lane ?? usual };
}

const tooLarge = (
  bytes: number,
  most: Pick<Refusal, "limit" | "limitName">,
  whose: "the server" | "the problem",
): Refusal =>
  refuse("SOURCE_TOO_LARGE", `The source has ${bytes} bytes; ${whose} takes at most ${most.limit}.`, most);

export const problemNotFound = (id: string): Refusal =>
  refuse(
    "PROBLEM_NOT_FOUND",
    `There is no problem ${JSON.stringify(id.slice(0, 80))}; the query \`problems\` lists those that there are.`,
  );

/**
 * The problem's own limits and needs. What is handed in for a problem that needs a device is judged in the variant of
 * its language that has one, so it waits in a queue that only executors with the device take from.
 */
export function checkAgainstProblem(
  deps: Pick<CheckDeps, "notOffered">,
  checked: CheckedInput,
  problem: ProblemDocument,
): Refusal | CheckedInput {
  const { languages, resource, takenOut } = problem;
  if (takenOut !== undefined) {
    return refuse(
      "PROBLEM_TAKEN_OUT",
      `The problem ${problem._id} takes no submissions since ${takenOut.at.toISOString()}; the jury knows why.`,
    );
  }
  const language = resource === undefined ? checked.language : variantFor(checked.language, resource);
  if (language === undefined) {
    const able = LANGUAGE_IDS.filter((id) => LANGUAGES[id].resource === resource).join(", ");
    return refuse(
      "LANGUAGE_NOT_OFFERED",
      `The problem ${problem._id} needs a ${resource}, which ${LANGUAGES[checked.language].name} has not; there is: ${able}.`,
    );
  }
  if (languages !== undefined && !languages.includes(checked.language) && !languages.includes(language)) {
    return refuse(
      "LANGUAGE_NOT_OFFERED",
      `The problem ${problem._id} does not take ${LANGUAGES[checked.language].name}; it takes: ${languages.join(", ")}.`,
    );
  }
  const nobody = checkOffered(deps, language);
  if (nobody !== undefined) return nobody;
  const limit = problem.codeKiB * 1024;
  return checked.sourceBytes > limit
    ? tooLarge(checked.sourceBytes, { limit }, "the problem")
    : { ...checked, language };
}
