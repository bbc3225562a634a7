import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { PackageTrouble } from "./trouble.ts";

interface PackedFile {
  readonly path: string;
  readonly bytes: Buffer;
}

const BLOCK = 512;
const NAME_BYTES = 100;

/** Folders of a package that the import passes over. */
const UNREAD =
  /^(input_validators|input_format_validators|answer_validators|input_visualizer|output_visualizer|generators|solution|problem_slide|attachments)\//;

/** Files below `folder` by relative path; links are followed as long as they stay inside. */
async function collect(folder: string): Promise<PackedFile[]> {
  const root = await realpath(folder);
  const found: PackedFile[] = [];
  const walk = async (path: string, above: ReadonlySet<string>): Promise<void> => {
    const real = await realpath(path);
    if (above.has(real)) throw new PackageTrouble(`${path} is a link that leads back to itself.`);
    if (relative(root, real).startsWith("..")) {
      // What judging does not read need not come along.
      if (UNREAD.test(relative(folder, path))) return;
      throw new PackageTrouble(
        `${path} is a link out of the package. Copy what it points to into the package.`,
      );
    }
    const info = await stat(real);
    if (info.isDirectory()) {
      const names = (await readdir(real)).toSorted();
      for (const name of names) {
        // The format asks to behave as if hidden files were not there; the time limit file is the exception.
        if (name.startsWith(".") && name !== ".timelimit") continue;
        await walk(join(path, name), new Set([...above, real]));
      }
    } else if (info.isFile()) {
      found.push({ path: relative(folder, path), bytes: await readFile(real) });
    }
  };
  await walk(folder, new Set());
  return found;
}

function header(name: string, sizeBytes: number, type: "0" | "x"): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write(Buffer.byteLength(name) > NAME_BYTES ? "long-name" : name, 0);
  block.write("0000644\0", 100);
  block.write("0000000\0", 108);
  block.write("0000000\0", 116);
  block.write(`${sizeBytes.toString(8).padStart(11, "0")}\0`, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write("ustar\u000000", 257);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);

/** One pax record, whose length counts its own digits. */
function paxPath(name: string): Buffer {
  const rest = ` path=${name}\n`;
  let length = Buffer.byteLength(rest) + 1;
  while (Buffer.byteLength(`${length}${rest}`) !== length) length = Buffer.byteLength(`${length}${rest}`);
  return Buffer.from(`${length}${rest}`);
}

function entry(name: string, bytes: Buffer): Buffer[] {
  const blocks = [header(name, bytes.length, "0"), padded(bytes)];
  if (Buffer.byteLength(name) <= NAME_BYTES) return blocks;
  const record = paxPath(name);
  return [header("pax", record.length, "x"), padded(record), ...blocks];
}

/** A package's directory as a gzipped tar: the same files give the same bytes. */
export async function packDirectory(
  folder: string,
): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const name = basename(resolve(folder));
  const files = await collect(resolve(folder));
  if (!files.some(({ path }) => path === "problem.yaml" || path === "problem.xml")) {
    throw new PackageTrouble(`${folder} is no problem package: it holds no problem.yaml.`);
  }
  const tar = Buffer.concat([
    ...files.flatMap((file) => entry(`${name}/${file.path}`, file.bytes)),
    Buffer.alloc(2 * BLOCK),
  ]);
  return { name: `${name}.tar.gz`, bytes: new Uint8Array(await promisify(gzip)(tar)) };
}
