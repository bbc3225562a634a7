import type { LimitName, Limits } from "../../shared/limits.ts";
import type { Refused } from "../overflow.ts";

/** So many at once, and nobody waits: who finds no place is turned away. */
export interface Places {
  /** Undefined when all are taken. Call the result when the place is free again; twice does no harm. */
  take(): (() => void) | undefined;
}

export function createPlaces(
  deps: { readonly limits: Limits; readonly refused: Refused },
  limit: LimitName,
): Places {
  let taken = 0;
  return {
    take() {
      if (taken >= deps.limits[limit]) {
        deps.refused(limit);
        return undefined;
      }
      taken += 1;
      let held = true;
      return () => {
        if (held) taken -= 1;
        held = false;
      };
    },
  };
}
