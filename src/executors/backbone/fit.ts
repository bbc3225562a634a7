import type { JudgeEvent } from "../../shared/protocol.ts";
import { encodeJson } from "../../shared/nats.ts";

const CUT = "…[cut]";
/** Longest string kept in each try, characters. Names, hashes and enum values stay whole in all of them. */
const STEPS = [4_000, 1_000, 300, 100] as const;

function cutStrings(value: unknown, longest: number): unknown {
  if (typeof value === "string") return value.length > longest ? value.slice(0, longest) + CUT : value;
  if (Array.isArray(value)) return value.map((item) => cutStrings(item, longest));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutStrings(item, longest)]));
}

/**
 * The event as bytes of at most `maxBytes`. What a kind of work reports may be larger; then its long texts are cut,
 * the longest first, so that what matters (verdicts, numbers, names) gets through. Undefined when even that is
 * too much.
 */
export function fitEvent(event: JudgeEvent, maxBytes: number): Uint8Array | undefined {
  const whole = encodeJson(event);
  if (whole.length <= maxBytes) return whole;
  if (!("result" in event)) return undefined;
  for (const longest of STEPS) {
    const cut = encodeJson({ ...event, result: cutStrings(event.result, longest) });
    if (cut.length <= maxBytes) return cut;
  }
  return undefined;
}
