/** Called at each place where a crash is worth a test; does nothing in production. */
export type CrashPoint = (place: string) => void;

/**
 * Ends the process by SIGKILL, with nothing flushed or closed, the first time `place` is reached. Configured by
 * DOCKET_CRASH_AT, which tests set; without it the call is empty.
 */
export function crashPoint(at: string | undefined): CrashPoint {
  if (at === undefined) return () => undefined;
  return (place) => {
    if (place === at) process.kill(process.pid, "SIGKILL");
  };
}
