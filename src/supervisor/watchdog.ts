import { spawn } from "node:child_process";
import type { Child } from "./child.ts";

/**
 * Kills every registered process group when this process ends in any way, SIGKILL included: a small shell that
 * reads "+ <group>" and "- <group>" lines from a pipe, and at its end (we are gone) kills what is still listed.
 * It is in a session of its own, so a Ctrl-C of the terminal does not reach it.
 */
export interface Watchdog {
  guard(group: number): void;
  release(group: number): void;
}

/** What starting a process takes; `born` hears of it as soon as it runs, before it is ready. */
export interface StartDeps {
  readonly watchdog: Watchdog;
  readonly born?: (child: Child) => void;
}

const SCRIPT = `
trap '' INT TERM HUP
groups=''
while read -r word group; do
  if [ "$word" = + ]; then groups="$groups $group"; continue; fi
  left=''
  for g in $groups; do [ "$g" = "$group" ] || left="$left $g"; done
  groups=$left
done
for g in $groups; do kill -s KILL -- "-$g"; done
`;

export function startWatchdog(): Watchdog {
  const shell = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  // It must not keep this process alive, and its own end is no reason to fail.
  shell.unref();
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  const tell = (word: string, group: number): void => void shell.stdin.write(`${word} ${group}\n`);
  return { guard: (group) => tell("+", group), release: (group) => tell("-", group) };
}
