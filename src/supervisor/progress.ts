import type { ProcessEvent } from "./keepalive.ts";
import { seconds, type Terminal } from "./terminal.ts";

/** Says what the processes of a stack do, while it starts and afterwards. */
export interface Progress {
  readonly onEvent: (event: ProcessEvent) => void;
  /** No more reminders of what is slow. */
  readonly done: () => void;
}

const REMIND_MS = 5_000;
const NAME_WIDTH = 20;

/** Reminds every few seconds of what is still starting: the first start tests every toolchain. */
export function showProgress(terminal: Terminal): Progress {
  const starting = new Map<string, number>();
  const row = (name: string, text: string): void => terminal.line(`  ${name.padEnd(NAME_WIDTH)} ${text}`);
  const reminder = setInterval(() => {
    const slow = [...starting].filter(([, since]) => performance.now() - since > REMIND_MS - 1_000);
    for (const [name, since] of slow) {
      row(
        name,
        terminal.dim(
          `still starting, ${seconds(performance.now() - since)} (the first start tries out every toolchain)`,
        ),
      );
    }
  }, REMIND_MS);
  reminder.unref();
  return {
    onEvent: ({ process, type, detail }) => {
      const since = starting.get(process);
      if (type === "starting") {
        starting.set(process, performance.now());
      } else if (type === "ready") {
        starting.delete(process);
        row(
          process,
          `ready${since === undefined ? "" : terminal.dim(`  ${seconds(performance.now() - since)}`)}`,
        );
      } else if (type === "died") {
        row(process, terminal.bad(`died: ${detail ?? ""}`));
      } else if (type === "restarting") {
        starting.set(process, performance.now());
        row(process, `starting again ${detail ?? ""}`);
      } else {
        row(process, terminal.dim("stopped"));
      }
    },
    done: () => clearInterval(reminder),
  };
}
