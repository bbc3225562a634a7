import type { Registry } from "prom-client";
import type { Clock } from "../shared/clock.ts";
import type { ExecutorId, SubmissionId } from "../shared/ids.ts";
import type { Lane } from "../shared/lane.ts";
import type { LanguageId } from "../shared/language.ts";
import type { Service } from "../shared/lifecycle.ts";
import type { Limits } from "../shared/limits.ts";
import type { Log } from "../shared/log.ts";
import type { NatsAccess } from "../shared/nats.ts";
import type { Presence } from "../shared/protocol.ts";
import type { Topology } from "../shared/topology.ts";
import type { SubmitInput, SubmitOutcome } from "./intake/outcome.ts";
import type { SubmissionSnapshot } from "./store/documents.ts";
import type { Store } from "./store/store.ts";

export interface BackboneDeps {
  readonly store: Store;
  readonly nats: NatsAccess;
  readonly topology: Topology;
  readonly limits: Limits;
  /** Signs job capabilities; the same on every server. */
  readonly capabilitySecret: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The backbone's own metrics are registered here. */
  readonly registry: Registry;
  /** Name of this server process, e.g. host and pid: holds leases. */
  readonly instance: string;
}

export interface LanguageOffer {
  readonly id: LanguageId;
  readonly name: string;
  /** In some live executor, or in one heard of within the last minutes. */
  readonly offered: boolean;
  /** Toolchain version lines of the executors that offer it, each once. */
  readonly versions: readonly string[];
  /** Why executors do not offer it and how to mend it, each once; empty when none said. */
  readonly reasons: readonly string[];
}

export interface QueueView {
  readonly language: LanguageId;
  readonly lane: Lane;
  /** In the stream, with no executor. */
  readonly waiting: number;
  /** In the stream, held by an executor. */
  readonly running: number;
  /** waiting + running: what the dispatch window bounds. */
  readonly inStream: number;
  /** Stored and not yet in the stream. */
  readonly pending: number;
  /** When the oldest unfinished submission of it came in. */
  readonly oldestAt?: Date;
}

export interface ExecutorView extends Presence {
  /** When this server last heard of it, milliseconds since 1970. */
  readonly heardAtMs: number;
}

export interface Feed {
  /**
   * The newest snapshot if its revision is above `afterRevision`, then each newer one, ending after a final one.
   * A slow reader gets the newest only. Ends without a word when there is no such submission. Throws
   * StoreUnavailable when the first read fails; later outages only delay.
   */
  watch(submission: SubmissionId, afterRevision?: number): AsyncIterableIterator<SubmissionSnapshot>;
  /** Open watches of this server. */
  watchers(): number;
}

export type CancelOutcome =
  | { readonly type: "cancelled"; readonly snapshot: SubmissionSnapshot }
  /** It had a final state before; nothing was changed. */
  | { readonly type: "final"; readonly snapshot: SubmissionSnapshot }
  | { readonly type: "unknown" };

/** The part of the server that carries a submission from intake to its verdict; a Service. */
export interface Backbone extends Service {
  submit(input: SubmitInput): Promise<SubmitOutcome>;
  /** Throws StoreUnavailable. Whether the caller may is checked before. */
  cancel(submission: SubmissionId): Promise<CancelOutcome>;
  readonly feed: Feed;
  languages(): LanguageOffer[];
  executors(): ExecutorView[];
  /** Every language and lane; at most two seconds old. Throws StoreUnavailable. */
  queues(): Promise<QueueView[]>;
  /** Is NATS connected now? */
  connected(): boolean;
}
