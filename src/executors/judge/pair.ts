import { execFile } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { FEEDBACK_INSIDE, type Feedback } from "./feedback.ts";
import type { Workspace } from "./workspace.ts";

/** What is left in a pipe whose reader has gone is looked for so often, milliseconds. */
const DRAIN_MS = 5;

let pairs = 0;
const nextPair = (): number => (pairs = (pairs + 1) % 1_000_000);

/** The two pipes by which a program and a validator talk, and what is left of it. */
export interface Pair {
  /** Host paths: what the program reads and writes. */
  readonly toProgram: string;
  readonly fromProgram: string;
  readonly transcript: string;
  /** Testlib's `tout`: what an interactor leaves for a checker. */
  readonly tout: string;
  /** Is there once the validator has ended. */
  readonly ended: string;
  /** Paths in the validator's sandbox. */
  readonly inside: Readonly<Record<"toProgram" | "transcript" | "tout" | "ended", string>>;
  programGone(): void;
  validatorGone(): void;
  /** Safe twice. */
  close(): void;
}

export async function openPair(feedback: Feedback, workspace: Workspace): Promise<Pair> {
  const fromProgram = workspace.file(`pair-${nextPair()}`);
  const name = `pair-${nextPair()}`;
  const folder = join(feedback.host, name);
  await mkdir(folder);
  await chmod(folder, 0o777);
  const toProgram = join(folder, "to-program");
  const tout = join(folder, "tout");
  // There even when the interactor has nothing to say.
  await writeFile(tout, "");
  await chmod(tout, 0o666);
  await promisify(execFile)("mkfifo", ["-m", "666", toProgram, fromProgram]);
  // Reading alone leaves the validator to say that it has nothing more to say; both ways keeps the program's end to us.
  const reading = openSync(toProgram, constants.O_RDONLY | constants.O_NONBLOCK);
  const holding = openSync(fromProgram, constants.O_RDWR | constants.O_NONBLOCK);
  const open = new Set([reading, holding]);
  const timers = new Map<number, NodeJS.Timeout>();
  const release = (fd: number): void => {
    clearInterval(timers.get(fd));
    if (open.delete(fd)) closeSync(fd);
  };
  const drain = (fd: number): void => {
    if (open.has(fd) && !timers.has(fd))
      timers.set(
        fd,
        setInterval(() => emptyPipe(fd), DRAIN_MS),
      );
  };
  const inside = `${FEEDBACK_INSIDE}/${name}`;
  return {
    toProgram,
    fromProgram,
    transcript: join(folder, "transcript"),
    tout,
    ended: join(folder, "ended"),
    inside: {
      toProgram: `${inside}/to-program`,
      transcript: `${inside}/transcript`,
      tout: `${inside}/tout`,
      ended: `${inside}/ended`,
    },
    programGone() {
      release(holding);
      drain(reading);
    },
    validatorGone() {
      drain(holding);
    },
    close() {
      for (const fd of [reading, holding]) release(fd);
    },
  };
}

const SCRAP = Buffer.alloc(64 * 1024);
/** A program that writes as fast as it is read must not keep this process from all else. */
const MOST_READS = 16;

export function emptyPipe(fd: number): void {
  try {
    for (let reads = 0; reads < MOST_READS && readSync(fd, SCRAP) > 0; reads++);
  } catch {
    // Nothing there now.
  }
}
