import { closeSync, constants, copyFileSync, fstatSync, lstatSync, openSync } from "node:fs";
import { mkdir, unlink } from "node:fs/promises";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { GivenScore } from "./grade.ts";
import { readWords } from "./run.ts";
import type { Workspace } from "./workspace.ts";

/**
 * Where a validator leaves what it has to say of one test, over all passes. Made by us, filled by somebody else's
 * program: nothing in it is followed, waited for or trusted.
 */
export interface Feedback {
  /** Host folder, to be shown as `/feedback` and writable. */
  readonly host: string;
  /** As the validator sees the feedback folder, with its closing slash. */
  readonly inside: string;
  /** Host path of a file in it. */
  file(name: string): string;
}

/** As the sandbox shows `Feedback.host`. */
export const FEEDBACK_INSIDE = "/feedback";
const OWN = "words";

export async function openFeedback(workspace: Workspace): Promise<Feedback> {
  const host = await workspace.writableFolder("feedback");
  await makeOwn(host);
  return { host, inside: `${FEEDBACK_INSIDE}/${OWN}/`, file: (name) => join(host, OWN, name) };
}

/** As it was when it was opened; nothing may be running with it. */
export async function emptyFeedback(sandbox: Pick<Sandbox, "remove">, { host }: Feedback): Promise<void> {
  await sandbox.remove(host);
  await mkdir(host);
  await chmod(host, 0o777);
  await makeOwn(host);
}

async function makeOwn(host: string): Promise<void> {
  await mkdir(join(host, OWN));
  await chmod(join(host, OWN), 0o777);
}

/** What a validator may write into a score file: a number as the format writes them, not negative unless `signed`. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const SCORE_CHARACTERS = 100;

const isThere = (path: string): boolean => {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
};

type ScoreRead =
  | { readonly type: "none" }
  | { readonly type: "given"; readonly score: GivenScore }
  /** `what` completes "the validator …". */
  | { readonly type: "wrong"; readonly what: string };

/** `score.txt` or `score_multiplier.txt`. */
export function readScore(feedback: Feedback, signed: boolean): ScoreRead {
  const found = (["score", "score_multiplier"] as const).filter((name) =>
    isThere(feedback.file(`${name}.txt`)),
  );
  const [name, second] = found;
  if (name === undefined) return { type: "none" };
  if (second !== undefined) return { type: "wrong", what: "gave both score.txt and score_multiplier.txt" };
  const text = readWords(feedback.file(`${name}.txt`), SCORE_CHARACTERS).trim();
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value) || (value < 0 && !signed)) {
    return {
      type: "wrong",
      what: `wrote ${JSON.stringify(text)} into ${name}.txt, not a number it could be`,
    };
  }
  return { type: "given", score: { type: name === "score" ? "score" : "multiplier", value } };
}

const NEXT_PASS = "nextpass.in";

export const hasNextPass = (feedback: Feedback): boolean => isThere(feedback.file(NEXT_PASS));

/**
 * Takes the input of the next pass out of the feedback, to the new file `path`. False when it is none that we can read:
 * a link, a pipe, larger than `maxBytes`.
 */
export async function takeNextPass(feedback: Feedback, path: string, maxBytes: number): Promise<boolean> {
  const from = feedback.file(NEXT_PASS);
  if (!copyOut(from, path, maxBytes)) return false;
  await unlink(from);
  return true;
}

/** Copies a file that somebody else's program may have made to `to`; false when it is no plain file of at most so many bytes. */
export function copyOut(from: string, to: string, maxBytes: number): boolean {
  let fd: number;
  try {
    fd = openSync(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() || stats.size > maxBytes) return false;
    // Through the descriptor: what the name means now is of no concern.
    copyFileSync(`/proc/self/fd/${fd}`, to);
    return true;
  } finally {
    closeSync(fd);
  }
}
