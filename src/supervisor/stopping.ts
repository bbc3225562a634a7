import { EXIT } from "../shared/lifecycle.ts";

/** A terminal sends its Ctrl-C to us and to what started us, which hands it on: both are one wish. */
const SAME_WISH_MS = 400;

/** Why a start was broken off. */
export class StoppedEarly extends Error {
  override readonly name = "StoppedEarly";
}

/**
 * The wish to end: SIGINT, SIGTERM, SIGHUP, or the end of the process that started us. `signal` is aborted by the
 * first; a second one ends this process at once, and the watchdog then kills what it started.
 */
export function watchForStop(onFirst: () => void): {
  readonly signal: AbortSignal;
  readonly asked: Promise<void>;
} {
  const controller = new AbortController();
  const asked = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  const ask = (): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      onFirst();
      controller.abort(new StoppedEarly());
      asked.resolve();
    } else if (now - firstAt > SAME_WISH_MS) {
      process.exit(EXIT.forced);
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, ask);
  if (process.channel !== undefined) {
    process.on("disconnect", ask);
    // Listening for it must not keep us alive.
    process.channel?.unref();
  }
  return { signal: controller.signal, asked: asked.promise };
}
