import type { Output } from "../cli/output.ts";
import { secondsSince } from "./elapsed.ts";
import type { ProcessEvent } from "./keepalive.ts";

/** Says what the processes of a stack do, while it starts and afterwards. */
export interface Progress {
  readonly onEvent: (event: ProcessEvent) => void;
  /** No more reminders of what is slow. */
  readonly done: () => void;
}

const REMIND_MS = 5_000;
const NAME_WIDTH = 22;

/** Reminds every few seconds of what is still starting: the first start tries out every toolchain. */
export function showProgress(out: Output): Progress {
  const starting = new Map<string, number>();
  const row = (name: string, text: string): void => out.line(`  ${name.padEnd(NAME_WIDTH)} ${text}`);
  const reminder = setInterval(() => {
    const [first] = starting;
    if (first === undefined) return;
    const names = [...starting.keys()].join(", ");
    const why = "the first start tries out every toolchain";
    out.line(out.dim(`  ... ${names}: starting, ${secondsSince(first[1])} (${why})`));
  }, REMIND_MS);
  reminder.unref();
  return {
    onEvent: ({ process, type, detail }) => {
      const since = starting.get(process);
      if (type === "starting") {
        starting.set(process, performance.now());
      } else if (type === "ready") {
        starting.delete(process);
        row(process, `ready ${since === undefined ? "" : out.dim(secondsSince(since).padStart(8))}`);
      } else if (type === "died") {
        row(process, out.bad(`died: ${detail ?? ""}`));
      } else if (type === "restarting") {
        starting.set(process, performance.now());
        row(process, `starting again ${detail ?? ""}`);
      } else {
        starting.delete(process);
        row(process, out.dim("stopped"));
      }
    },
    done: () => clearInterval(reminder),
  };
}
