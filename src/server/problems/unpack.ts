import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createGunzip } from "node:zlib";
import yauzl from "yauzl";
import type { Limits } from "../../shared/limits.ts";
import { Sha256 } from "../../shared/ids.ts";
import { printable, readEntryName } from "./entryname.ts";
import type { Findings } from "./finding.ts";
import { readTar, TarBroken } from "./tar.ts";

export interface UnpackedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: Sha256;
  /** Where its bytes are: a number below the folder, so that no name of an archive ever becomes a path on disk. */
  readonly disk: string;
}

export type UnpackLimits = Pick<
  Limits,
  "packageBytes" | "packageUnpackedBytes" | "packageFileBytes" | "packageFiles"
>;

/** Stops the unpacking at once: going on would cost what a limit is there to save. */
class UnpackStopped extends Error {}

interface Sink {
  /** Takes one file's bytes; the entry was found to be an ordinary file. `crc`: what they must add up to. */
  file(rawName: string, content: AsyncIterable<Buffer>, crc?: number): Promise<void>;
  link(rawName: string): void;
  special(rawName: string): void;
}

function createSink(folder: string, limits: UnpackLimits, findings: Findings) {
  const files = new Map<string, UnpackedFile>();
  const folders = new Set<string>();
  let total = 0;
  let entries = 0;
  const stop = (message: string): never => {
    findings.error("", message);
    throw new UnpackStopped(message);
  };
  const count = (): void => {
    entries += 1;
    if (entries > limits.packageFiles) stop(`the archive holds more than ${limits.packageFiles} files`);
  };
  const tooMuch = (): never => stop(`the archive unpacks to more than ${limits.packageUnpackedBytes} bytes`);
  const measure = (chunk: Buffer): void => {
    total += chunk.length;
    if (total > limits.packageUnpackedBytes) tooMuch();
  };
  /** The path to keep the entry under, or undefined when it is not kept. */
  const admit = (rawName: string): string | undefined => {
    const name = readEntryName(rawName);
    if (name.type === "refused") {
      findings.error(printable(rawName), name.why, { expected: "names inside the package only" });
      return undefined;
    }
    if (name.type === "ignored") {
      if (!name.silent) {
        findings.warn(printable(rawName), "ignored: the format does not allow this name", {
          expected: "letters, digits, '_', '.', '-', not starting with '.' or '-'",
        });
      }
      return undefined;
    }
    const { path } = name;
    const above = path
      .split("/")
      .slice(0, -1)
      .map((_, i, all) => all.slice(0, i + 1).join("/"));
    if (files.has(path) || folders.has(path) || above.some((parent) => files.has(parent))) {
      findings.error(path, "the archive holds this name twice");
      return undefined;
    }
    for (const parent of above) folders.add(parent);
    return path;
  };
  const sink: Sink = {
    async file(rawName, content, crc) {
      count();
      const path = admit(rawName);
      if (path === undefined) {
        for await (const chunk of content) measure(chunk);
        return;
      }
      const hash = createHash("sha256");
      const disk = join(folder, String(files.size));
      let sizeBytes = 0;
      let sum = 0;
      await pipeline(
        content,
        async function* (chunks: AsyncIterable<Buffer>) {
          for await (const chunk of chunks) {
            measure(chunk);
            hash.update(chunk);
            sum = crc32(chunk, sum);
            sizeBytes += chunk.length;
            if (sizeBytes > limits.packageFileBytes) {
              stop(`${printable(rawName)} has more than ${limits.packageFileBytes} bytes`);
            }
            yield chunk;
          }
        },
        createWriteStream(disk, { flags: "wx", mode: 0o600 }),
      );
      if (crc !== undefined && sum !== crc) {
        findings.error(path, "the archive is damaged: the file does not have its checksum");
      }
      files.set(path, { path, sizeBytes, sha256: Sha256.parse(hash.digest("hex")), disk });
    },
    link(rawName) {
      count();
      const name = readEntryName(rawName);
      if (name.type === "ignored") return;
      findings.error(printable(rawName), "links are not taken in archives", {
        expected: "the file itself (`docket import DIR` packs links inside the package as files)",
      });
    },
    special(rawName) {
      count();
      findings.error(printable(rawName), "not an ordinary file or directory");
    },
  };
  return { files, sink, tooMuch };
}

const UNIX = 3;
const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;

async function unpackZip(archive: Buffer, sink: Sink, findings: Findings): Promise<void> {
  // Names are checked here and not by yauzl, which stops at the first bad one.
  const zip = await yauzl.fromBufferPromise(archive, {
    lazyEntries: true,
    decodeStrings: false,
    validateEntrySizes: true,
  });
  for await (const entry of zip.eachEntry()) {
    const name = entry.fileNameRaw.toString("utf8");
    const mode = entry.versionMadeBy >>> 8 === UNIX ? (entry.externalFileAttributes >>> 16) & S_IFMT : 0;
    if (name.endsWith("/") || mode === S_IFDIR) continue;
    if (mode === S_IFLNK) {
      sink.link(name);
    } else if (mode !== 0 && mode !== S_IFREG) {
      sink.special(name);
    } else if (entry.isEncrypted()) {
      findings.error(printable(name), "the file is encrypted");
    } else if (!entry.canDecodeFileData()) {
      findings.error(printable(name), `compression method ${entry.compressionMethod} is not supported`, {
        expected: "stored or deflate",
      });
    } else {
      await sink.file(name, await zip.openReadStreamPromise(entry), entry.crc32);
    }
  }
}

/** What headers, padding and skipped entries of a tar may take besides the files. */
const TAR_OVERHEAD_BYTES = 64 * 1024 * 1024;

async function unpackTarGz(
  archive: Buffer,
  sink: Sink,
  mostBytes: number,
  tooMuch: () => never,
): Promise<void> {
  const plain = createGunzip();
  const feeding = pipeline(Readable.from([archive]), plain).catch(() => undefined);
  async function* counted(): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes + TAR_OVERHEAD_BYTES) tooMuch();
      yield chunk;
    }
  }
  try {
    for await (const entry of readTar(counted())) {
      if (entry.type === "link") sink.link(entry.name);
      else if (entry.type === "special") sink.special(entry.name);
      else if (entry.type === "file") await sink.file(entry.name, entry.content);
    }
  } finally {
    plain.destroy();
    await feeding;
  }
}

/**
 * Unpacks a zip or gzipped tar into `folder`, which must be empty. What is wrong becomes findings; a limit ends the
 * unpacking. Throws only for trouble of our own, such as a full disk.
 */
export async function unpack(
  deps: { limits: UnpackLimits; findings: Findings },
  input: { archive: Buffer; folder: string },
): Promise<ReadonlyMap<string, UnpackedFile>> {
  const { archive, folder } = input;
  const { limits, findings } = deps;
  const { files, sink, tooMuch } = createSink(folder, limits, findings);
  if (archive.length > limits.packageBytes) {
    findings.error("", `the archive has ${archive.length} bytes`, {
      expected: `at most ${limits.packageBytes}`,
    });
    return files;
  }
  const magic = archive.subarray(0, 4).toString("latin1");
  const zip = magic === "PK\u0003\u0004" || magic === "PK\u0005\u0006";
  if (!zip && !magic.startsWith("\u001f\u008b")) {
    findings.error("", "not an archive that is known", {
      expected: "zip (.zip, .kpp) or gzipped tar (.tar.gz, .tgz)",
    });
    return files;
  }
  try {
    await (zip
      ? unpackZip(archive, sink, findings)
      : unpackTarGz(archive, sink, limits.packageUnpackedBytes, tooMuch));
  } catch (error) {
    if (error instanceof UnpackStopped) return files;
    // A broken archive is the sender's mistake; an error of the file system is ours.
    if (error instanceof Error && "syscall" in error) throw error;
    const why = error instanceof TarBroken || error instanceof Error ? error.message : String(error);
    findings.error("", `the archive is damaged: ${why}`);
  }
  return files;
}

/** First `most` bytes of a file of the package. */
export async function readHead(file: UnpackedFile, most: number): Promise<Buffer> {
  const handle = await open(file.disk);
  try {
    const buffer = Buffer.alloc(Math.min(most, file.sizeBytes));
    await handle.read(buffer, 0, buffer.length, 0);
    return buffer;
  } finally {
    await handle.close();
  }
}
