import { type Lane, lanesOf, type LaneWeights } from "../../shared/lane.ts";
import { builder } from "./builder.ts";
import { LaneEnum } from "./scalars.ts";

interface Weight {
  readonly lane: Lane;
  readonly weight: number;
}

export const LaneWeight = builder.objectRef<Weight>("LaneWeight").implement({
  description: "How often a lane begins a turn, next to the others; with 0 it comes last in all.",
  fields: (t) => ({
    lane: t.expose("lane", { type: LaneEnum }),
    weight: t.exposeInt("weight"),
  }),
});

export const weightsOf = (weights: LaneWeights): Weight[] =>
  lanesOf(weights).map((lane) => ({ lane, weight: weights[lane] ?? 0 }));
