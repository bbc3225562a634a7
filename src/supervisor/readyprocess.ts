import { z } from "zod";
import { type Child, type ChildInput, describeExit, startChild } from "./child.ts";
import type { Watchdog } from "./watchdog.ts";

/** The one line on stdout by which a server or executor says that it is ready. */
const ReadyLine = z.object({ ready: z.literal(true), url: z.string() });

/** The process ended, or stayed silent, before it was ready; the message holds its last words. */
export class NotReady extends Error {
  readonly process: string;
  readonly code: number | null;
  constructor(process: string, code: number | null, message: string) {
    super(message);
    this.process = process;
    this.code = code;
  }
}

const KEPT_LINES = 15;

/**
 * Starts a process of ours and waits for its ready line; resolves to the URL in it. `born` hears of the child as
 * soon as it runs. Throws NotReady.
 */
export async function startReady(
  deps: { readonly watchdog: Watchdog; readonly born: (child: Child) => void },
  input: ChildInput & { readonly readyMs: number },
): Promise<string> {
  const last: string[] = [];
  const ready = Promise.withResolvers<string>();
  const child = await startChild(deps.watchdog, {
    ...input,
    onStdout: (line) => {
      const url = readyUrl(line);
      if (url === undefined) input.onStdout?.(line);
      else ready.resolve(url);
    },
    onStderr: (line) => {
      last.push(line);
      if (last.length > KEPT_LINES) last.shift();
      input.onStderr?.(line);
    },
  });
  deps.born(child);
  const late = setTimeout(() => {
    ready.reject(new NotReady(input.name, null, `${input.name} was not ready within ${input.readyMs} ms`));
  }, input.readyMs);
  void child.exited.then(async (exit) => {
    // Its last lines may still be in the pipe.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const words = last.map(plainWords).join("\n");
    ready.reject(
      new NotReady(input.name, exit.code, `${input.name} ended (${describeExit(exit)}):\n${words}`),
    );
    return exit;
  });
  try {
    return await ready.promise;
  } catch (error) {
    await child.stop(0);
    throw error;
  } finally {
    clearTimeout(late);
  }
}

function readyUrl(line: string): string | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return ReadyLine.safeParse(JSON.parse(line)).data?.url;
  } catch {
    return undefined;
  }
}

const LogLine = z.object({ msg: z.string(), err: z.object({ message: z.string() }).optional() });

/** A log line as a person wants to read it. */
export function plainWords(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const { msg, err } = LogLine.parse(JSON.parse(line));
    return err === undefined ? msg : `${msg}: ${err.message}`;
  } catch {
    return line;
  }
}
