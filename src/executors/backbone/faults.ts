import type { Fault, FaultCode } from "../../shared/protocol.ts";

/** Pause before a job that ended with a fault comes again, by its delivery count from 1. */
const DELAYS_MS = [1_000, 2_000, 5_000, 10_000, 30_000] as const;

export function faultDelayMs(delivery: number): number {
  return DELAYS_MS[Math.min(Math.max(delivery, 1), DELAYS_MS.length) - 1] ?? 0;
}

const MESSAGE_CHARACTERS = 2_000;

/** A fault of one job that another try may mend. */
export function fault(code: FaultCode, message: string): Fault {
  return { code, message: message.slice(0, MESSAGE_CHARACTERS), retry: true, shared: false };
}
