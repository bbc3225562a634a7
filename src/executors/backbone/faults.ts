import type { Fault, FaultCode } from "../../shared/protocol.ts";

/** Pause before a job that ended with a fault comes again, by its delivery count from 1. */
const DELAYS_MS = [1_000, 2_000, 5_000, 10_000, 30_000] as const;

export function faultDelayMs(delivery: number): number {
  return DELAYS_MS[Math.min(Math.max(delivery, 1), DELAYS_MS.length) - 1] ?? 0;
}

/** Bounds of the protocol: an event beyond them would be thrown away at the other end. */
const MESSAGE_CHARACTERS = 2_000;
const LOG_CHARACTERS = 8_000;

/** A fault of one job that another try may mend. */
export function fault(code: FaultCode, message: string): Fault {
  return { code, message, retry: true, shared: false };
}

/** What a kind of work threw: the message for whoever may see faults, the stack for operators. */
export function faultOfThrown(thrown: unknown): Fault {
  if (!(thrown instanceof Error)) return fault("INTERNAL", String(thrown));
  return { ...fault("INTERNAL", thrown.message), log: thrown.stack ?? "" };
}

/** Cut to what the protocol takes: the beginning of the message, the end of the log. */
export function boundedFault(given: Fault): Fault {
  const { log, ...rest } = given;
  return {
    ...rest,
    message: given.message.slice(0, MESSAGE_CHARACTERS),
    ...(log === undefined ? {} : { log: log.slice(-LOG_CHARACTERS) }),
  };
}
