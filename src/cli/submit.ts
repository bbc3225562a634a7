import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { LANGUAGE_IDS, languageOfFile } from "../shared/language.ts";
import type { Client } from "./client.ts";
import { SUBMIT, type SubmissionView } from "./operations.ts";
import { ApiRefusal, CliTrouble, ServerUnreachable } from "./trouble.ts";

export interface ProgramFile {
  readonly name: string;
  readonly content: string;
}

export interface SubmitInput {
  readonly problem: string;
  readonly language: string;
  readonly files: readonly ProgramFile[];
  readonly entryPoint?: string | undefined;
  readonly contest?: string | undefined;
  /** Jury only: runs on after a rejected test. */
  readonly allTests?: boolean | undefined;
  /** Makes a repeated try harmless, so it is always given. */
  readonly idempotencyKey: string;
}

const TRIES = 20;
const PAUSE_MS = 500;

/** How long to wait before the next try; undefined when another try is of no use. */
function pauseAfter(error: unknown, tries: number): number | undefined {
  if (error instanceof ApiRefusal) return error.retryAfterMs;
  // An answer that got lost: the server may have the program, and the key makes asking again harmless. When nobody
  // listens from the start, there is no server, and waiting would only hide that.
  if (error instanceof ServerUnreachable && (tries > 1 || !error.unheard)) return PAUSE_MS;
  return undefined;
}

/** Hands a program in; a busy or briefly absent server is asked again. Throws ApiRefusal, ServerUnreachable. */
export async function handIn(
  client: Client,
  input: SubmitInput,
): Promise<{ submission: SubmissionView; replayed: boolean }> {
  for (let tries = 1; ; tries++) {
    try {
      const { submitSubmission: answer } = await client.request(SUBMIT, { input });
      if ("submission" in answer) return answer;
      throw new ApiRefusal(answer.code, answer.message, answer.retryAfterMs ?? undefined);
    } catch (error) {
      const pause = pauseAfter(error, tries);
      if (pause === undefined || tries >= TRIES) throw error;
      await wait(pause);
    }
  }
}

/** Text of a source file. Bytes that are not UTF-8 are taken as Latin-1, as old sources are. */
export async function readSource(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const why =
      error instanceof Error && "code" in error && error.code === "ENOENT"
        ? "there is no such file"
        : String(error);
    throw new CliTrouble(`${path}: ${why}.`);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}

export async function readProgram(
  paths: readonly string[],
  language: string | undefined,
): Promise<{ language: string; files: ProgramFile[] }> {
  const found =
    language ?? paths.map((path) => languageOfFile(basename(path))).find((one) => one !== undefined);
  if (found === undefined) {
    throw new CliTrouble(
      `The language of ${paths.join(", ")} cannot be told from the file ending: give --language, one of ${LANGUAGE_IDS.join(", ")}.`,
    );
  }
  const files = await Promise.all(
    paths.map(async (path) => ({ name: basename(path), content: await readSource(path) })),
  );
  return { language: found, files };
}
