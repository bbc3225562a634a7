/** Reader for tar as ustar, pax and GNU write it; only what a package of plain files needs. */
export interface TarEntry {
  readonly name: string;
  readonly type: "file" | "directory" | "link" | "special";
  readonly sizeBytes: number;
  /** Must be read before the next entry is asked for; what is left is skipped. */
  readonly content: AsyncIterable<Buffer>;
}

/** The bytes are not a tar archive, or end in the middle of one. */
export class TarBroken extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TarBroken";
  }
}

const BLOCK = 512;
const LONGEST_EXTENSION = 64 * 1024;

const text = (block: Buffer, start: number, length: number): string => {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? length : end).toString("utf8");
};

/** Octal digits, or base 256 where the first bit is set (GNU, for large files). */
function number(block: Buffer, start: number, length: number): number {
  const field = block.subarray(start, start + length);
  if ((field[0] ?? 0) & 0x80) {
    let value = (field[0] ?? 0) & 0x7f;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    return value;
  }
  const digits = text(block, start, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw new TarBroken("a number in a header is not octal");
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function checkSum(block: Buffer): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : (block[i] ?? 0);
  if (sum !== number(block, 148, 8)) throw new TarBroken("a header's checksum is wrong");
}

/** Records of a pax header: `<length> <key>=<value>\n`. */
function paxRecords(bytes: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.subarray(at, space).toString("latin1"));
    if (space < 0 || !Number.isSafeInteger(length) || length < space - at + 2 || at + length > bytes.length) {
      throw new TarBroken("a pax header is damaged");
    }
    const record = bytes.subarray(space + 1, at + length - 1).toString("utf8");
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

/** Hands out exact numbers of bytes from chunks of any size. */
function byteReader(source: AsyncIterable<Buffer>) {
  const chunks = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const fill = async (): Promise<boolean> => {
    const next = await chunks.next();
    if (next.done === true) return false;
    held = held.length === 0 ? next.value : Buffer.concat([held, next.value]);
    return true;
  };
  return {
    /** Exactly `length` bytes, or undefined at a clean end. */
    async take(length: number): Promise<Buffer | undefined> {
      while (held.length < length) {
        if (!(await fill())) {
          if (held.length === 0) return undefined;
          throw new TarBroken("the archive ends in the middle of a file");
        }
      }
      const taken = held.subarray(0, length);
      held = held.subarray(length);
      return taken;
    },
    /** What there is; undefined at the end. */
    async rest(): Promise<Buffer | undefined> {
      if (held.length === 0 && !(await fill())) return undefined;
      const taken = held;
      held = Buffer.alloc(0);
      return taken;
    },
    /** Between 1 and `most` bytes. */
    async some(most: number): Promise<Buffer> {
      if (held.length === 0 && !(await fill()))
        throw new TarBroken("the archive ends in the middle of a file");
      const taken = held.subarray(0, most);
      held = held.subarray(taken.length);
      return taken;
    },
  };
}

const typeOf = (flag: string): TarEntry["type"] => {
  if (flag === "0" || flag === "" || flag === "7") return "file";
  if (flag === "5") return "directory";
  return flag === "1" || flag === "2" ? "link" : "special";
};

/** Entries in order. Throws TarBroken. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const reader = byteReader(source);
  let nextName: string | undefined;
  let nextSize: number | undefined;
  for (;;) {
    const block = await reader.take(BLOCK);
    if (block === undefined) return;
    if (block.every((byte) => byte === 0)) {
      // To the very end, so that what compressed it gets to compare its checksum.
      while ((await reader.rest()) !== undefined);
      return;
    }
    checkSum(block);
    const flag = text(block, 156, 1);
    const size = nextSize ?? number(block, 124, 12);
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (flag === "x" || flag === "g" || flag === "L" || flag === "K") {
      if (size > LONGEST_EXTENSION) throw new TarBroken("an extended header is too long");
      const bytes = Buffer.from((await reader.take(size)) ?? []);
      await reader.take(padding);
      if (flag === "L") nextName = text(bytes, 0, bytes.length);
      if (flag === "x") {
        const records = paxRecords(bytes);
        nextName = records.get("path") ?? nextName;
        const longSize = records.get("size");
        if (longSize !== undefined) nextSize = Number(longSize);
      }
      continue;
    }
    const ustar = text(block, 257, 5) === "ustar";
    const prefix = ustar ? text(block, 345, 155) : "";
    const short = text(block, 0, 100);
    const name = nextName ?? (prefix === "" ? short : `${prefix}/${short}`);
    nextName = undefined;
    nextSize = undefined;
    let left = typeOf(flag) === "file" ? size : 0;
    const content = (async function* () {
      while (left > 0) {
        const chunk = await reader.some(left);
        left -= chunk.length;
        yield chunk;
      }
    })();
    const type = name.endsWith("/") && typeOf(flag) === "file" ? "directory" : typeOf(flag);
    yield { name, type, sizeBytes: size, content };
    while (left > 0) left -= (await reader.some(left)).length;
    if (typeOf(flag) === "file") await reader.take(padding);
  }
}
