import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

/** How much is read at once, and how much of two files is worked through before other work gets a turn. */
const CHUNK_BYTES = 256 * 1024;
const TURN_BYTES = 2 * 1024 * 1024;

/**
 * One file, read forward through one buffer: `buffer[at]` up to `buffer[end - 1]` is what has been read and not used.
 * Callers walk `at` themselves in tight loops and call `fill` when `at` reaches `end`.
 */
export interface ByteReader {
  buffer: Buffer;
  at: number;
  end: number;
  /** Offset in the file of buffer[0]. */
  base: number;
  readonly sizeBytes: number;
  /** Reads on; false at the end of the file. Only to be called with at = end. */
  fill(): Promise<boolean>;
  /** Goes to an offset; the next `fill` reads from there. */
  seek(offset: number): void;
  close(): void;
}

/** Never follows a link at the path's end: what lies there may have been made by a program. Throws as openSync. */
export function openBytes(path: string): ByteReader {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  let sinceTurn = 0;
  const sizeBytes = fstatSync(fd).size;
  const reader: ByteReader = {
    buffer: Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(sizeBytes, 1))),
    at: 0,
    end: 0,
    base: 0,
    sizeBytes,
    async fill() {
      if (sinceTurn >= TURN_BYTES) {
        sinceTurn = 0;
        await nextTurn();
      }
      reader.base += reader.end;
      reader.at = 0;
      reader.end = readSync(fd, reader.buffer, 0, reader.buffer.length, reader.base);
      sinceTurn += reader.end;
      return reader.end > 0;
    },
    seek(offset) {
      reader.base = offset;
      reader.at = 0;
      reader.end = 0;
    },
    close: () => closeSync(fd),
  };
  return reader;
}

/** Offset in the file of the next unused byte. */
export const offsetOf = (reader: ByteReader): number => reader.base + reader.at;

/** The whitespace of C's isspace: tab, line feed, vertical tab, form feed, carriage return, space. */
export const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);
