import { z } from "zod";
import { LANGUAGE_IDS, LanguageId } from "./language.ts";

/**
 * Name of a kind of work other than judging, and of its queue. Never the id of a language.
 */
export const WorkName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "a kind of work is named by 1 to 31 of a-z, 0-9, '-', a letter first")
  .brand<"WorkName">();
export type WorkName = z.infer<typeof WorkName>;

/**
 * A queue is one stream of jobs: for judging one per language, under its id; for every other kind of work one of its
 * own, under its name. The backbone knows nothing else of what is in it.
 */
export const QueueId = z.union([LanguageId, WorkName]);
export type QueueId = LanguageId | WorkName;

/** All queues of a deployment with these languages, all there are by default, and these kinds of work, by default none. */
export const queuesOf = ({
  languages = LANGUAGE_IDS,
  works = [],
}: {
  readonly languages?: readonly LanguageId[] | undefined;
  readonly works?: readonly WorkName[] | undefined;
}): readonly QueueId[] => [...languages, ...works];
