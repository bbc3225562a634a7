import type { ValidatorFlags } from "../../shared/validatorflags.ts";
import { type ByteReader, isSpace, offsetOf, openBytes } from "./bytes.ts";
import { describeDifference } from "./difference.ts";
import { readNumber } from "./numbers.ts";

export interface Comparison {
  readonly accepted: boolean;
  /** Where the first difference is and what it is; for the jury only, since it shows the answer. Empty if accepted. */
  readonly message: string;
}

/** Where two files part, as byte offsets, and why. */
export interface Difference {
  readonly outputAt: number;
  readonly answerAt: number;
  readonly reason: string;
}

/** A longer token is never read as a number, so that one token need not fit into memory. */
const LONGEST_NUMBER_BYTES = 64 * 1024;

/**
 * The default output validator of the Kattis/ICPC problem package format: output and answer are compared token by
 * token, in bytes, in constant memory. Equal stretches go by at the speed of a memory compare.
 *
 * Throws when a file cannot be read. Source: problem package format, "Default Output Validator Specification".
 */
export async function compareOutput(
  flags: ValidatorFlags,
  files: { readonly output: string; readonly answer: string },
): Promise<Comparison> {
  const answer = openBytes(files.answer);
  try {
    const output = openBytes(files.output);
    try {
      if (await skipEqual(output, answer)) return { accepted: true, message: "" };
      const difference = await firstDifference(flags, output, answer);
      if (difference === undefined) return { accepted: true, message: "" };
      return { accepted: false, message: await describeDifference(difference, output, answer) };
    } finally {
      output.close();
    }
  } finally {
    answer.close();
  }
}

/**
 * Passes over the equal beginning. True when the files are the same to the end; otherwise both stand at the start of
 * the token (or whitespace) in which they first differ.
 */
async function skipEqual(output: ByteReader, answer: ByteReader): Promise<boolean> {
  let tokenStart = 0;
  for (;;) {
    const more = [await output.fill(), await answer.fill()];
    if (!more[0] && !more[1]) return true;
    const shared = Math.min(output.end, answer.end);
    let same = shared;
    const equal = output.buffer.compare(answer.buffer, 0, shared, 0, shared) === 0;
    if (!equal) {
      same = 0;
      while (output.buffer[same] === answer.buffer[same]) same += 1;
    }
    let space = same - 1;
    while (space >= 0 && !isSpace(output.buffer[space] ?? 0)) space -= 1;
    if (space >= 0) tokenStart = output.base + space + 1;
    if (!equal || output.end !== answer.end) {
      output.seek(tokenStart);
      answer.seek(tokenStart);
      return false;
    }
  }
}

async function firstDifference(
  flags: ValidatorFlags,
  output: ByteReader,
  answer: ByteReader,
): Promise<Difference | undefined> {
  const numbers = flags.absoluteTolerance !== undefined || flags.relativeTolerance !== undefined;
  for (;;) {
    if (!flags.spaceChangeSensitive) passEqualTokens(output, answer, !numbers && !flags.caseSensitive);
    const start = { outputAt: offsetOf(output), answerAt: offsetOf(answer) };
    const reason = flags.spaceChangeSensitive
      ? await equalSpace(output, answer)
      : await skipSpace(output, answer);
    if (reason !== undefined) return { ...start, reason };

    const here = { outputAt: offsetOf(output), answerAt: offsetOf(answer) };
    const outputEnded = output.at === output.end && !(await output.fill());
    const answerEnded = answer.at === answer.end && !(await answer.fill());
    if (answerEnded) return outputEnded ? undefined : { ...here, reason: "trailing output" };
    if (outputEnded) return { ...here, reason: "the output ends while the answer goes on" };

    const mismatch = numbers
      ? await compareAsNumbers(flags, output, answer)
      : (await equalTokens(flags.caseSensitive, output, answer))
        ? undefined
        : "tokens differ";
    if (mismatch !== undefined) return { ...here, reason: mismatch };
  }
}

/**
 * Passes over the tokens that are equal and lie whole in both buffers: the fast lane, without a promise per token.
 * What it leaves (a difference, a token cut by the end of a buffer) the careful way looks at.
 */
function passEqualTokens(output: ByteReader, answer: ByteReader, foldCase: boolean): void {
  const { buffer: left, end: leftEnd } = output;
  const { buffer: right, end: rightEnd } = answer;
  let i = output.at;
  let j = answer.at;
  for (;;) {
    while (i < leftEnd && isSpace(left[i] ?? 0)) i += 1;
    while (j < rightEnd && isSpace(right[j] ?? 0)) j += 1;
    output.at = i;
    answer.at = j;
    for (; i < leftEnd && j < rightEnd; i++, j++) {
      const a = left[i] ?? 0;
      const b = right[j] ?? 0;
      if (isSpace(a)) {
        if (!isSpace(b)) return;
        break;
      }
      if (a !== b && !(foldCase && sameLetter(a, b))) return;
    }
    if (i >= leftEnd || j >= rightEnd) return;
  }
}

/** Only ASCII letters have two cases; 32 is the bit between them. */
const sameLetter = (a: number, b: number): boolean =>
  (a | 32) === (b | 32) && (a | 32) >= 97 && (a | 32) <= 122;

async function skipSpace(...readers: readonly ByteReader[]): Promise<undefined> {
  for (const reader of readers) {
    do {
      while (reader.at < reader.end && isSpace(reader.buffer[reader.at] ?? 0)) reader.at += 1;
    } while (reader.at === reader.end && (await reader.fill()));
  }
  return undefined;
}

async function equalSpace(output: ByteReader, answer: ByteReader): Promise<string | undefined> {
  for (;;) {
    const expected = answer.at < answer.end || (await answer.fill()) ? answer.buffer[answer.at] : undefined;
    const got = output.at < output.end || (await output.fill()) ? output.buffer[output.at] : undefined;
    const expectsSpace = expected !== undefined && isSpace(expected);
    const hasSpace = got !== undefined && isSpace(got);
    if (!expectsSpace && !hasSpace) return undefined;
    if (got !== expected) return "whitespace differs";
    answer.at += 1;
    output.at += 1;
  }
}

/** Walks both tokens to their ends or to the first byte that differs. */
async function equalTokens(caseSensitive: boolean, output: ByteReader, answer: ByteReader): Promise<boolean> {
  for (;;) {
    const left = output.buffer;
    const right = answer.buffer;
    while (output.at < output.end && answer.at < answer.end) {
      const a = left[output.at] ?? 0;
      const b = right[answer.at] ?? 0;
      if (a === b) {
        if (isSpace(a)) return true;
      } else if (isSpace(a) && isSpace(b)) {
        return true;
      } else if (caseSensitive || !sameLetter(a, b)) {
        return false;
      }
      output.at += 1;
      answer.at += 1;
    }
    const outputEnded = output.at === output.end && !(await output.fill());
    const answerEnded = answer.at === answer.end && !(await answer.fill());
    if (outputEnded && answerEnded) return true;
    if (outputEnded) return isSpace(answer.buffer[answer.at] ?? 0);
    if (answerEnded) return isSpace(output.buffer[output.at] ?? 0);
  }
}

async function compareAsNumbers(
  flags: ValidatorFlags,
  output: ByteReader,
  answer: ByteReader,
): Promise<string | undefined> {
  const wanted = await readToken(answer);
  const got = await readToken(output);
  const bothWhole = wanted.whole && got.whole;
  if (bothWhole && wanted.bytes.equals(got.bytes)) return undefined;
  const number = wanted.whole ? readNumber(wanted.bytes) : undefined;
  if (number === undefined) {
    const equal = flags.caseSensitive
      ? wanted.bytes.equals(got.bytes)
      : wanted.bytes.toString("latin1").replaceAll(/[A-Z]+/g, lower) ===
        got.bytes.toString("latin1").replaceAll(/[A-Z]+/g, lower);
    if (!equal || wanted.whole !== got.whole) return "tokens differ";
    return bothWhole || (await equalTokens(flags.caseSensitive, output, answer))
      ? undefined
      : "tokens differ";
  }
  const value = got.whole ? readNumber(got.bytes) : undefined;
  if (value === undefined) return "a number was expected";
  const error = Math.abs(number - value);
  if (flags.absoluteTolerance !== undefined && error <= flags.absoluteTolerance) return undefined;
  if (flags.relativeTolerance !== undefined && error <= flags.relativeTolerance * Math.abs(number))
    return undefined;
  return `the numbers are ${error} apart, more than the tolerance`;
}

const lower = (text: string): string => text.toLowerCase();

/** The token at hand. `whole` is false when only its first LONGEST_NUMBER_BYTES were read. */
async function readToken(reader: ByteReader): Promise<{ readonly bytes: Buffer; readonly whole: boolean }> {
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    const from = reader.at;
    const stop = Math.min(reader.end, from + LONGEST_NUMBER_BYTES - length);
    while (reader.at < stop && !isSpace(reader.buffer[reader.at] ?? 0)) reader.at += 1;
    const part = reader.buffer.subarray(from, reader.at);
    length += part.length;
    const ended = reader.at < stop;
    if (ended && parts.length === 0) return { bytes: part, whole: true };
    // The buffer is read over by the next fill.
    parts.push(Buffer.from(part));
    if (ended) return { bytes: Buffer.concat(parts), whole: true };
    if (reader.at === reader.end && !(await reader.fill()))
      return { bytes: Buffer.concat(parts), whole: true };
    if (length === LONGEST_NUMBER_BYTES)
      return { bytes: Buffer.concat(parts), whole: isSpace(reader.buffer[reader.at] ?? 0) };
  }
}
