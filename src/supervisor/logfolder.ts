import { createWriteStream, openSync, renameSync, type WriteStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where the lines of a stack's processes go: one file each, the one before kept as `<process>.log.1`. */
export interface LogFolder {
  /** Takes the lines of one process. */
  writer(process: string): Promise<(line: string) => void>;
  close(): Promise<void>;
}

interface LogFile {
  stream: WriteStream;
  bytes: number;
}

export async function openLogFolder(
  deps: {
    /** Limit `logBytes`. */
    readonly logBytes: number;
    readonly onLine: ((process: string, line: string) => void) | undefined;
  },
  folder: string,
): Promise<LogFolder> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const open = new Map<string, LogFile>();
  const ending = new Set<Promise<void>>();

  function end(stream: WriteStream): void {
    const ended = new Promise<void>((resolve) => stream.close(() => resolve())).finally(() =>
      ending.delete(ended),
    );
    ending.add(ended);
  }

  /** What was written stays in the file that is put aside, also what is still on its way. */
  function putAside(path: string, file: LogFile): void {
    end(file.stream);
    try {
      renameSync(path, `${path}.1`);
    } catch {
      // The file is removed, or the disk full: a new one is begun all the same.
    }
    file.stream = writeTo(path);
    file.bytes = 0;
  }

  return {
    writer: async (process) => {
      const path = join(folder, `${process}.log`);
      const bytes = await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
      const file = open.get(process) ?? { stream: writeTo(path), bytes };
      open.set(process, file);
      return (line) => {
        deps.onLine?.(process, line);
        const size = Buffer.byteLength(line) + 1;
        if (file.bytes > 0 && file.bytes + size > deps.logBytes) putAside(path, file);
        file.bytes += size;
        file.stream.write(`${line}\n`);
      };
    },
    close: async () => {
      for (const { stream } of open.values()) end(stream);
      open.clear();
      await Promise.all(ending);
    },
  };
}

/** At once, so that a later rename moves what is written to it; undefined leaves it to the stream. */
function openNow(path: string): number | undefined {
  try {
    return openSync(path, "a", 0o600);
  } catch {
    return undefined;
  }
}

/** A full disk must not end the supervisor: lines are lost then, processes go on. */
function writeTo(path: string): WriteStream {
  const stream = createWriteStream(path, { flags: "a", mode: 0o600, fd: openNow(path) });
  stream.on("error", () => {});
  return stream;
}
