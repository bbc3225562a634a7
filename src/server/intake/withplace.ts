import type { Clock } from "../../shared/clock.ts";
import { newSubmissionId, type SubmissionId } from "../../shared/ids.ts";
import type { ContestDocument, Role } from "../store/documents.ts";
import type { Place } from "../store/held.ts";
import type { Admission } from "./admission.ts";
import type { SubmitOutcome } from "./outcome.ts";
import { checkSaturation, type SaturationDeps } from "./saturation.ts";

export interface WithPlaceDeps extends SaturationDeps {
  readonly admission: Pick<Admission, "admit">;
  readonly clock: Clock;
}

/** What a place is for: stored under this id, of an owner who has so many under way at most, this one included. */
export interface GivenPlace {
  readonly id: SubmissionId;
  readonly now: number;
  readonly unfinished: number;
}

/**
 * Lets in whoever there is room for, and has it stored: the one way into the queue for every kind of work. A place that
 * came to nothing is given back. `replayed` is asked before anybody is refused: what was accepted before is told again
 * and costs nothing. Throws what `store` throws.
 */
export async function withPlace(
  deps: WithPlaceDeps,
  who: {
    readonly place: Place;
    readonly owner: string;
    readonly role: Role;
    readonly contest?: ContestDocument | undefined;
  },
  steps: {
    readonly replayed: () => Promise<SubmitOutcome | undefined>;
    readonly store: (given: GivenPlace) => Promise<SubmitOutcome>;
  },
): Promise<SubmitOutcome> {
  const now = deps.clock.now();
  const id = newSubmissionId(now);
  const room = await checkSaturation(deps, who);
  if ("type" in room) return (await steps.replayed()) ?? room;
  const { owner, role, contest } = who;
  const place = await deps.admission.admit({ id, owner, role, contest });
  if (place.type === "refused") return (await steps.replayed()) ?? place;
  try {
    const outcome = await steps.store({ id, now, unfinished: place.unfinished });
    if (outcome.type === "refused" || outcome.replayed) {
      place.back();
      return outcome;
    }
    place.done("stored");
    return { ...outcome, ...room };
  } catch (error) {
    // It may be stored or not.
    place.done("unknown");
    throw error;
  }
}
