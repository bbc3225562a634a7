import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";

/** Where the lines of a stack's processes go: one file each, the one before kept as `<process>.log.1`. */
export interface LogFolder {
  /** Takes the lines of one process. */
  writer(process: string): Promise<(line: string) => void>;
  close(): Promise<void>;
}

const ROTATE_BYTES = 10 * 1024 * 1024;

export async function openLogFolder(
  folder: string,
  onLine: ((process: string, line: string) => void) | undefined,
): Promise<LogFolder> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const open = new Map<string, { stream: WriteStream; bytes: number }>();
  return {
    writer: async (process) => {
      const path = join(folder, `${process}.log`);
      const known = await stat(path).catch(() => undefined);
      if (known !== undefined && known.size > ROTATE_BYTES) await rename(path, `${path}.1`);
      const opened = open.get(process) ?? { stream: writeTo(path), bytes: 0 };
      open.set(process, opened);
      return (line) => {
        onLine?.(process, line);
        // Bounded also in one long life: what is beyond is dropped until the next start.
        if (opened.bytes > ROTATE_BYTES) return;
        opened.bytes += line.length + 1;
        opened.stream.write(`${line}\n`);
      };
    },
    close: async () => {
      const streams = [...open.values()].map(({ stream }) => stream);
      open.clear();
      await Promise.all(streams.map((stream) => new Promise<void>((resolve) => stream.end(() => resolve()))));
    },
  };
}

/** A full disk must not end the supervisor: lines are lost then, processes go on. */
function writeTo(path: string): WriteStream {
  const stream = createWriteStream(path, { flags: "a", mode: 0o600 });
  stream.on("error", () => {});
  return stream;
}
