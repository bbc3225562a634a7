import type { JudgeEvent } from "../../shared/protocol.ts";
import type { WorkKind } from "../intake/work.ts";

/** Does an event carry what its kind of work knows? A verdict that nobody can read must not become a final state. */
export function isReadable(
  works: ReadonlyMap<string, Pick<WorkKind, "isResult">>,
  event: JudgeEvent,
): boolean {
  const work = works.get(event.kind);
  if (work === undefined) return false;
  if (event.type === "finished") return work.isResult(event.result, true);
  if (event.type === "compiled" || event.type === "progress") return work.isResult(event.result, false);
  return true;
}
