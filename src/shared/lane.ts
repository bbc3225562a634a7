import { z } from "zod";

/** The priority class of a submission, highest first. */
export const Lane = z.enum(["contest", "practice", "custom", "rejudge"]);
export type Lane = z.infer<typeof Lane>;

export const LANES: readonly Lane[] = Lane.options;

/** Largest weight of a lane. */
export const LANE_WEIGHT_MOST = 100;

/**
 * Which lanes somebody serves, and how often each begins a turn: of `{ contest: 4, practice: 1 }` contest begins four
 * turns in five. One of weight 0 begins none and comes last in all. A lane that is not named is not served.
 */
export type LaneWeights = Readonly<Partial<Record<Lane, number>>>;

/** The lanes served, highest first. */
export const lanesOf = (weights: LaneWeights): readonly Lane[] =>
  LANES.filter((lane) => weights[lane] !== undefined);

/**
 * Weights of lanes that were given without: the highest begins four turns in five, the others share the fifth, and what
 * is judged again has no share of its own (docs/adr/0019-lanes.md).
 */
export function usualWeights(lanes: readonly Lane[]): LaneWeights {
  const [highest, ...others] = LANES.filter((lane) => lanes.includes(lane));
  const lower = others.filter((lane) => lane !== "rejudge");
  return Object.fromEntries([
    ...(highest === undefined ? [] : [[highest, 4 * Math.max(1, lower.length)]]),
    ...others.map((lane) => [lane, lane === "rejudge" ? 0 : 1]),
  ]) as LaneWeights;
}

const Weight = z.int().min(0).max(LANE_WEIGHT_MOST);
const AT_LEAST_ONE = "expected at least one of contest, practice, custom, rejudge";

/** Lanes with their weights; at least one. */
export const LaneWeights = z
  .partialRecord(Lane, Weight)
  .refine((weights) => lanesOf(weights).length > 0, AT_LEAST_ONE);

/** Lanes as people write them in JSON: with weights, or a list that gets the usual ones. */
export const Lanes = z.union([z.array(Lane).min(1, AT_LEAST_ONE).transform(usualWeights), LaneWeights]);

/** "contest=4,practice=1": how `lanesFromText` reads them. */
export const lanesAsText = (weights: LaneWeights): string =>
  lanesOf(weights)
    .map((lane) => `${lane}=${weights[lane] ?? 0}`)
    .join(",");

/** Reads "contest=4,practice=1", or "contest,practice" with the usual weights; otherwise says what was expected. */
export function lanesFromText(text: string): LaneWeights | string {
  const parts = text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const weighted = parts.some((part) => part.includes("="));
  const entries: [string, number][] = [];
  for (const part of parts) {
    const [, lane = "", weight] = /^([a-z]+)(?:=(\d{1,3}))?$/.exec(part) ?? [];
    if (!Lane.safeParse(lane).success || (weight !== undefined) !== weighted)
      return `expected lanes such as contest=4,practice=1 (or contest,practice), not ${JSON.stringify(part.slice(0, 40))}`;
    entries.push([lane, Number(weight ?? 0)]);
  }
  const given = weighted
    ? Object.fromEntries(entries)
    : usualWeights(entries.map(([lane]) => Lane.parse(lane)));
  const weights = LaneWeights.safeParse(given);
  if (weights.success) return weights.data;
  return parts.length === 0 ? AT_LEAST_ONE : `expected weights from 0 to ${LANE_WEIGHT_MOST}`;
}
