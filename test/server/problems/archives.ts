import { crc32, deflateRawSync, gzipSync } from "node:zlib";

/** Archives as tests need them: right ones, and such as no honest tool makes. */

export interface ZipItem {
  readonly name: string;
  readonly content?: string | Buffer;
  /** Unix mode with type bits, e.g. 0o120777 for a link. */
  readonly mode?: number;
  /** What the headers say instead of the true length. */
  readonly claimedBytes?: number;
  readonly flags?: number;
  readonly method?: number;
}

export function zip(items: readonly ZipItem[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const item of items) {
    const name = Buffer.from(item.name);
    const content = Buffer.from(item.content ?? "");
    const packed = deflateRawSync(content);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(item.flags ?? 0x0800, 2);
    common.writeUInt16LE(item.method ?? 8, 4);
    common.writeUInt32LE(0x5a21_0000, 6);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(item.claimedBytes ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, name, packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(((item.mode ?? 0o100644) << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.from([20, 3]), common, tail, name]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(items.length, 4);
  end.writeUInt16LE(items.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from("PK\u0005\u0006"), end]);
}

export interface TarItem {
  readonly name: string;
  readonly content?: string | Buffer;
  /** ustar type: "0" file, "2" link, "5" directory, "x" pax header, … */
  readonly type?: string;
}

export function tarGz(items: readonly TarItem[]): Buffer {
  const blocks = items.flatMap(({ name, content = "", type = "0" }) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000644\0", 100);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(type === "2" ? "/etc/passwd" : "", 157);
    header.write("ustar\u000000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** A whole right package of the 2025-09 layout, by path; tests change what they are about. */
export const goodPackage = (): Record<string, string> => ({
  "problem.yaml": [
    "problem_format_version: 2025-09",
    "name: Echo",
    "uuid: 5b0d2a8e-4a3c-4f0e-9d5e-0c6a4f1d7aff",
    "limits:",
    "  time_limit: 0.5",
    "  memory: 64",
    "",
  ].join("\n"),
  "statement/problem.en.md": "Say it again.\n",
  "input_validators/validate.py": "import sys\nsys.exit(42)\n",
  "submissions/accepted/echo.py": "print(input())\n",
  "data/sample/1.in": "a\n",
  "data/sample/1.ans": "a\n",
  "data/secret/02.in": "b\n",
  "data/secret/02.ans": "b\n",
  "data/secret/01.in": "c\n",
  "data/secret/01.ans": "c\n",
});

/** The same in the legacy layout. */
export const legacyPackage = (): Record<string, string> => ({
  "problem.yaml": "license: cc0\nlimits:\n  memory: 64\n",
  ".timelimit": "2.5\n",
  "problem_statement/problem.en.tex": "\\problemname{Echo}\nSay it again.\n",
  "input_validators/validate.py": "import sys\nsys.exit(42)\n",
  "submissions/accepted/echo.py": "print(input())\n",
  "data/secret/1.in": "a\n",
  "data/secret/1.ans": "a\n",
});

export const zipOf = (files: Readonly<Record<string, string | Buffer>>, folder = "echo"): Buffer =>
  zip(Object.entries(files).map(([path, content]) => ({ name: `${folder}/${path}`, content })));
