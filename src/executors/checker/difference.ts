import type { ByteReader } from "./bytes.ts";
import { isSpace } from "./bytes.ts";
import type { Difference } from "./compare.ts";

/** Bytes of a token shown in a message. */
const SHOWN_BYTES = 40;

interface Place {
  readonly line: number;
  readonly token: number;
  readonly shown: string;
}

/**
 * Says for the jury where output and answer part. Lines and tokens are counted only now, by reading the beginning
 * again, so that accepted outputs pay nothing for it.
 */
export async function describeDifference(
  difference: Difference,
  output: ByteReader,
  answer: ByteReader,
): Promise<string> {
  const got = await placeOf(output, difference.outputAt);
  const wanted = await placeOf(answer, difference.answerAt);
  return [
    `${difference.reason}: token ${got.token}, line ${got.line} of the output, line ${wanted.line} of the answer`,
    `output: ${got.shown}`,
    `answer: ${wanted.shown}`,
  ].join("\n");
}

async function placeOf(reader: ByteReader, offset: number): Promise<Place> {
  reader.seek(0);
  let line = 1;
  let token = 1;
  let inToken = false;
  while (reader.base + reader.end < offset && (await reader.fill())) {
    const stop = Math.min(reader.end, offset - reader.base);
    for (let i = 0; i < stop; i++) {
      const byte = reader.buffer[i] ?? 0;
      if (byte === 10) line += 1;
      const space = isSpace(byte);
      if (space && inToken) token += 1;
      inToken = !space;
    }
  }
  reader.seek(offset);
  await reader.fill();
  return { line, token, shown: shown(reader) };
}

function shown(reader: ByteReader): string {
  if (reader.end === 0) return "(end)";
  const startsWithSpace = isSpace(reader.buffer[0] ?? 0);
  let end = 0;
  while (end < reader.end && end <= SHOWN_BYTES && isSpace(reader.buffer[end] ?? 0) === startsWithSpace)
    end += 1;
  const text = JSON.stringify(reader.buffer.subarray(0, Math.min(end, SHOWN_BYTES)).toString("utf8"));
  return end > SHOWN_BYTES ? `${text}…` : text;
}
