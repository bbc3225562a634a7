import type { Fault } from "../../shared/protocol.ts";
import { SandboxFault } from "../sandbox/sandbox.ts";
import { BlobFault } from "../work.ts";

/** Our own trouble, found somewhere below: carried up to `faultOf`, never turned into a verdict. */
export class JudgeFault extends Error {
  readonly fault: Fault;
  constructor(
    fault: Pick<Fault, "code" | "message" | "retry"> & { readonly shared?: boolean; readonly log?: string },
  ) {
    super(fault.message);
    this.name = "JudgeFault";
    this.fault = {
      ...fault,
      message: fault.message.slice(0, 2_000),
      ...(fault.log === undefined ? {} : { log: fault.log.slice(-8_000) }),
      shared: false,
    };
  }
}

const OUT_OF_SPACE: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT"]);

/** The fault that an error means; rethrows what is a mistake of this program, for the worker to report as INTERNAL. */
export function faultOf(error: unknown): Fault {
  if (error instanceof JudgeFault) return error.fault;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && OUT_OF_SPACE.has(String(cause.code))) {
      return {
        code: "DISK_FULL",
        message: `the executor's disk is full: ${cause.message}`,
        retry: true,
        shared: true,
      };
    }
  }
  if (error instanceof BlobFault) {
    return { code: error.code, message: error.message, retry: true, shared: error.shared };
  }
  if (error instanceof SandboxFault) {
    return {
      code: "SANDBOX_FAILED",
      message: error.message.slice(0, 2_000),
      retry: true,
      shared: error.shared,
    };
  }
  throw error;
}
