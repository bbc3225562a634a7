import type { JudgementDocument, Try } from "../../src/server/store/documents.ts";
import type { Hit } from "./striking.ts";

/** What of a strike takes a job from its holder. */
const TAKING: ReadonlySet<string> = new Set([
  "killExecutor",
  "killSandbox",
  "killProgram",
  "stopExecutor",
  "muteExecutor",
  "cutExecutor",
]);

export interface Recovery {
  readonly hit: Hit;
  /** From the strike to the next start, milliseconds. */
  readonly tookMs: number;
}

/** What became of a job each time that a strike took it from its holder. */
export function recoveries(tries: readonly Try[], hits: readonly Hit[]): Recovery[] {
  return tries.flatMap((one, index) => {
    const next = tries[index + 1];
    if (next === undefined || one.end?.type === "finished") return [];
    const from = one.startedAt.getTime();
    const to = next.startedAt.getTime();
    const hit = hits.find(
      ({ deed, process, atMs }) => TAKING.has(deed) && process === one.executor && atMs >= from && atMs <= to,
    );
    return hit === undefined ? [] : [{ hit, tookMs: to - hit.atMs }];
  });
}

/** Tries that ended without a word, or in a fault, though nobody struck their executor meanwhile. */
export function unexplained(
  { tries, finishedAt }: Pick<JudgementDocument, "tries" | "finishedAt">,
  hits: readonly Hit[],
  slackMs: number,
): Try[] {
  return tries.filter((one, index) => {
    if (one.end?.type === "finished" || one.end?.type === "released") return false;
    const from = one.startedAt.getTime() - slackMs;
    const to = (tries[index + 1]?.startedAt ?? finishedAt ?? one.startedAt).getTime() + slackMs;
    return !hits.some(({ process, atMs }) => process === one.executor && atMs >= from && atMs <= to);
  });
}
