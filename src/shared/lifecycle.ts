import closeWithGrace from "close-with-grace";
import type { Log } from "./log.ts";

/** A long-lived part. `start` returns when it is ready, `stop` when it has finished; both are safe twice. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Exit codes of every Docket process. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** The environment or configuration is not usable; the message says what to do. */
  config: 78,
  /** A second signal or the end of the grace time cut the shutdown short. */
  forced: 130,
} as const;

/** Starts in order; when one fails, stops those already started, in reverse, and throws. */
export async function startAll(services: readonly Service[], log: Log): Promise<void> {
  const started: Service[] = [];
  for (const service of services) {
    try {
      await service.start();
      started.push(service);
      log.debug({ service: service.name }, "started");
    } catch (error) {
      await stopAll([...started], log);
      throw error;
    }
  }
}

/** Stops in reverse order; a failing stop is logged and does not keep the others from stopping. */
export async function stopAll(services: readonly Service[], log: Log): Promise<void> {
  for (const service of services.toReversed()) {
    try {
      await service.stop();
      log.debug({ service: service.name }, "stopped");
    } catch (error) {
      log.error({ err: error, service: service.name }, "stop failed");
    }
  }
}

/**
 * Stops on SIGTERM and SIGINT within `graceMs`; a second signal forces (exit code EXIT.forced). An uncaught error
 * stops too, with EXIT.failed.
 */
export function stopOnSignal(stop: () => Promise<void>, graceMs: number, log: Log): void {
  closeWithGrace(
    {
      delay: graceMs,
      logger: false,
      onTimeout: () => process.exit(EXIT.forced),
      onSecondSignal: () => process.exit(EXIT.forced),
    },
    async ({ err, signal }) => {
      if (err) {
        log.fatal({ err }, "uncaught error");
        process.exitCode = EXIT.failed;
      } else {
        log.info({ signal }, "stopping");
      }
      await stop();
    },
  );
}
