import type { Service } from "./lifecycle.ts";
import type { Log } from "./log.ts";

/** Something done again and again, never twice at once. */
export interface Repeat extends Service {
  /** Do it now, or once more when it is being done. */
  wake(): void;
}

/**
 * `act` runs every `intervalMs` after its last end, and when woken. A throw is logged and does not end it. `stop`
 * aborts the signal and waits for the run under way.
 */
export function repeat(deps: {
  readonly name: string;
  readonly intervalMs: number;
  readonly act: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}): Repeat {
  const { name, intervalMs, act, log } = deps;
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let again = false;
  let running: Promise<void> | undefined;
  /** The failure that was logged last: an outage is one line, not one each time. */
  let failing: string | undefined;

  function failed(error: unknown): void {
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    log[message === failing ? "debug" : "error"](
      { err: error, repeat: name },
      "failed; it will be tried again",
    );
    failing = message;
  }

  async function run(): Promise<void> {
    do {
      again = false;
      try {
        await act(stopping.signal);
        if (failing !== undefined) log.info({ repeat: name }, "works again");
        failing = undefined;
      } catch (error) {
        if (!stopping.signal.aborted) failed(error);
        break;
      }
    } while (again && !stopping.signal.aborted);
  }

  function wake(): void {
    if (stopping.signal.aborted) return;
    if (running) {
      again = true;
      return;
    }
    clearTimeout(timer);
    running = run().finally(() => {
      running = undefined;
      if (!stopping.signal.aborted) timer = setTimeout(wake, intervalMs);
    });
  }

  return {
    name,
    wake,
    start: async () => wake(),
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}
