import { z } from "zod";
import type { Service } from "./lifecycle.ts";
import { BOUNDS } from "./limits.ts";
import type { Log } from "./log.ts";
import { repeat } from "./repeat.ts";
import { type Attributes, NO_TRACER, rootContext, type Span, type Tracer } from "./trace.ts";

/** Sends spans to a collector: OTLP 1.x over HTTP in its JSON encoding, `POST <endpoint>/v1/traces`. */

/** "a=1,b=2", each value percent-encoded. */
const Headers = z.string().transform((text, context): Record<string, string> => {
  const headers: Record<string, string> = {};
  for (const pair of text.split(",").filter((part) => part.trim() !== "")) {
    const [, name, value] = /^\s*([\w-]+)\s*=(.*)$/.exec(pair) ?? [];
    try {
      if (name === undefined || value === undefined) throw new Error("no pair");
      headers[name] = decodeURIComponent(value.trim());
    } catch {
      context.addIssue({ code: "custom", message: "expected name=value pairs, separated by commas" });
      return z.NEVER;
    }
  }
  return headers;
});

/** The variables that OpenTelemetry names for it. */
export const otlpVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: "expected an address such as http://127.0.0.1:4318" })
    .optional(),
  OTEL_EXPORTER_OTLP_HEADERS: Headers.optional(),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
};

export interface TraceSettings {
  /** Undefined: no traces. */
  readonly endpoint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Share of judgements that are traced, 0 to 1. */
  readonly ratio: number;
}

const Variables = z.object(otlpVariables);

export const traceSettingsOf = (given: z.infer<typeof Variables>): TraceSettings => ({
  endpoint: given.OTEL_EXPORTER_OTLP_ENDPOINT,
  headers: given.OTEL_EXPORTER_OTLP_HEADERS ?? {},
  ratio: given.OTEL_TRACES_SAMPLER_ARG,
});

/** Names of OTLP's SpanKind. */
const KINDS: Readonly<Record<Span["kind"], number>> = { internal: 1, server: 2, producer: 4, consumer: 5 };
const STATUS_ERROR = 2;

const FLUSH_MS = 1_000;
const BATCH = 512;
const TIMEOUT_MS = 5_000;
/** So long, in all, `stop` waits for a collector to take what is left, milliseconds. */
export const LAST_SEND_MS = 1_000;

/** Whole microseconds: a number holds no more of today. */
const nanos = (ms: number): string => `${Math.round(ms * 1_000)}000`;

function encodedValue(of: string | number | boolean): object {
  if (typeof of === "string") return { stringValue: of };
  if (typeof of === "boolean") return { boolValue: of };
  // 64-bit integers are strings in JSON.
  return Number.isInteger(of) ? { intValue: String(of) } : { doubleValue: of };
}

const attributesOf = (attributes: Attributes): object[] =>
  Object.entries(attributes).flatMap(([key, of]) =>
    of === undefined ? [] : [{ key, value: encodedValue(of) }],
  );

const encoded = ({ name, context, parent, kind, startMs, endMs, attributes = {}, failed }: Span): object => ({
  traceId: context.traceId,
  spanId: context.spanId,
  ...(parent === undefined ? {} : { parentSpanId: parent.spanId }),
  name,
  kind: KINDS[kind],
  startTimeUnixNano: nanos(startMs),
  // Two clocks may tell of one span.
  endTimeUnixNano: nanos(Math.max(startMs, endMs)),
  attributes: attributesOf(attributes),
  ...(failed === undefined ? {} : { status: { code: STATUS_ERROR, message: failed } }),
});

/**
 * A tracer that sends to the collector of the settings once a second; without one a tracer that does nothing. What the
 * collector does not take is tried again, and beyond the bound `spansWaiting` dropped: traces are worth no memory.
 */
export function createTracer(deps: {
  readonly settings: TraceSettings;
  /** `service.name` and `service.instance.id`. */
  readonly service: string;
  readonly instance: string;
  readonly log: Log;
}): { readonly tracer: Tracer; readonly services: readonly Service[] } {
  const { settings, log } = deps;
  const { endpoint, ratio } = settings;
  if (endpoint === undefined) return { tracer: NO_TRACER, services: [] };
  const url = `${endpoint.replace(/\/+$/, "")}/v1/traces`;
  const resource = attributesOf({ "service.name": deps.service, "service.instance.id": deps.instance });
  let waiting: Span[] = [];
  const tooLate = new AbortController();

  async function send(spans: readonly Span[]): Promise<void> {
    const scopeSpans = [{ scope: { name: "docket" }, spans: spans.map(encoded) }];
    const response = await fetch(url, {
      method: "POST",
      headers: { ...settings.headers, "content-type": "application/json" },
      body: JSON.stringify({ resourceSpans: [{ resource: { attributes: resource }, scopeSpans }] }),
      signal: AbortSignal.any([tooLate.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    if (response.ok) return;
    // Asked again, it would say the same.
    const lost = response.status < 500 && response.status !== 429;
    const message = `the collector of traces answered ${response.status}`;
    if (lost) log.warn({ url, spans: spans.length }, `${message}; they are dropped`);
    else throw new Error(message);
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH);
      await send(batch);
      waiting = waiting.slice(batch.length);
    }
  }

  const sender = repeat({ name: "traces", intervalMs: FLUSH_MS, act: flush, log });
  const service: Service = {
    name: sender.name,
    start: () => sender.start(),
    async stop() {
      // What is being sent may end: sent again, the collector would have it twice.
      const timer = setTimeout(() => tooLate.abort(new Error("the collector is too slow")), LAST_SEND_MS);
      await sender.stop();
      await flush().catch((error: unknown) => log.warn({ err: error }, "the last traces were not taken"));
      clearTimeout(timer);
    },
  };
  const tracer: Tracer = {
    root: (judgement) => rootContext(judgement, ratio),
    ended(span) {
      if (span.context.sampled && waiting.length < BOUNDS.spansWaiting.value) waiting.push(span);
    },
  };
  return { tracer, services: [service] };
}
