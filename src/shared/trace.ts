import { createHash, randomBytes } from "node:crypto";

/**
 * Traces as OpenTelemetry has them. The trace of a judgement is named by the judgement itself, so that whoever works on
 * it, on any machine and after any crash, adds to the same one and nothing has to be stored (docs/adr/0032-traces.md).
 */

/** What a span's children need of it; W3C Trace Context. */
export interface SpanContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly sampled: boolean;
}

export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Span {
  readonly name: string;
  readonly context: SpanContext;
  /** Undefined: it is the root. */
  readonly parent?: SpanContext | undefined;
  readonly kind: "internal" | "server" | "producer" | "consumer";
  /** Milliseconds since 1970, by the clock of whoever tells. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes?: Attributes;
  /** Why it did not come to what it was for. */
  readonly failed?: string | undefined;
}

export interface Tracer {
  /** The span around a judgement, from its acceptance to its final state. */
  root(judgement: TracedJudgement): SpanContext;
  /** Takes a span that has ended. Never throws; drops what is not sampled. */
  ended(span: Span): void;
}

export interface TracedJudgement {
  readonly submission: string;
  readonly generation: number;
}

/** The name of the header in which a job and its events carry their trace. */
export const TRACEPARENT = "traceparent";

const SPAN_ID_BYTES = 8;

/** `ratio` of all judgements are sampled: the same ones by everybody who has the same ratio. */
export function rootContext({ submission, generation }: TracedJudgement, ratio: number): SpanContext {
  const digest = createHash("sha256").update(`${submission}#${generation}`).digest();
  const sampled = digest.readUIntBE(10, 6) < ratio * 2 ** 48;
  return { traceId: digest.toString("hex", 0, 16), spanId: digest.toString("hex", 16, 24), sampled };
}

/** A new span's; of what is not sampled nobody will ask. */
export const childOf = (parent: SpanContext): SpanContext =>
  parent.sampled ? { ...parent, spanId: randomBytes(SPAN_ID_BYTES).toString("hex") } : parent;

/** As in the header `traceparent`. */
export const traceparentOf = ({ traceId, spanId, sampled }: SpanContext): string =>
  `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;

/** Undefined for what is none, or none of version 00. */
export function readTraceparent(text: string | undefined): SpanContext | undefined {
  const [, traceId = "", spanId = "", flags = ""] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text ?? "") ?? [];
  if (traceId === "" || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** Where nobody collects traces: nothing is sampled, nothing computed, and no header sent. */
export const NO_TRACER: Tracer = {
  root: () => ({ traceId: "", spanId: "", sampled: false }),
  ended: () => undefined,
};
