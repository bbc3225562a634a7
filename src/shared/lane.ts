import { z } from "zod";

/** The priority class of a submission, highest first. */
export const Lane = z.enum(["contest", "practice", "custom", "rejudge"]);
export type Lane = z.infer<typeof Lane>;

export const LANES: readonly Lane[] = Lane.options;
