import type { Job, Fault } from "../shared/protocol.ts";
import type { Sha256 } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";

/**
 * What the backbone of an executor (worker, lease) asks of a kind of work. Judging is the first kind.
 */

/** How one run of a job ended. A wrong answer is a `finished`; a `fault` is our own trouble. */
export type Outcome =
  | { readonly type: "finished"; readonly result: unknown }
  | { readonly type: "fault"; readonly fault: Fault }
  /** Stopped by `context.signal`: lease lost, cancel, drain or deadline. The worker knows which. */
  | { readonly type: "stopped" };

/**
 * A blob could not be had. `shared`: the blob store as a whole is out of reach, so the job is not to blame;
 * otherwise it is this one blob that is missing, refused or wrong.
 */
export class BlobFault extends Error {
  readonly code: "BLOB_UNAVAILABLE" | "BLOB_CORRUPT";
  readonly shared: boolean;
  constructor(code: BlobFault["code"], message: string, shared: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = "BlobFault";
    this.code = code;
    this.shared = shared;
  }
}

/** Read access to blobs by hash, through the bounded disk cache; verified. */
export interface BlobSource {
  /**
   * Path of a local read-only file with the blob's bytes, pinned against eviction until `release`.
   * Throws BlobFault.
   */
  open(sha256: Sha256): Promise<{ readonly path: string; release(): void }>;
}

/** A slot beside a job's own: no job has it, so whoever can run several programs at once may have it meanwhile. */
export interface LentSlot {
  readonly slot: number;
  /** Aborted when a job comes for the slot: what runs there is to be stopped, and the slot given back at once. */
  readonly signal: AbortSignal;
  /** To be called when nothing runs there any more. */
  giveBack(): void;
}

export interface WorkContext {
  readonly slot: number;
  /** One more slot for this job, as long as no other job wants it; undefined when none is free. */
  lendSlot(): LentSlot | undefined;
  readonly signal: AbortSignal;
  readonly blobs: BlobSource;
  readonly log: Log;
  /** Reports a cumulative state; coalesced to at most 5 a second, `compiled` at once. */
  report(type: "compiled" | "progress", result: unknown): void;
}

export interface WorkKind {
  readonly kind: string;
  /** Never throws for what a program did; a throw is taken as fault INTERNAL. */
  run(job: Job, context: WorkContext): Promise<Outcome>;
}
