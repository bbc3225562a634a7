import type { Limits } from "../../shared/limits.ts";
import type { Refused } from "../overflow.ts";

/** Long-lived connections (WebSockets, event streams, waiting long polls) of each owner on this server. */
export interface ConnectionCounts {
  /** Counts one in; undefined when the owner has as many as it may. Call the result once, when it closes. */
  take(owner: string): (() => void) | undefined;
  total(): number;
}

export function createConnectionCounts(deps: {
  readonly limits: Pick<Limits, "connectionsPerOwner">;
  readonly refused: Refused;
}): ConnectionCounts {
  const open = new Map<string, number>();
  let total = 0;
  return {
    take(owner) {
      const held = open.get(owner) ?? 0;
      if (held >= deps.limits.connectionsPerOwner) {
        deps.refused("connectionsPerOwner");
        return undefined;
      }
      open.set(owner, held + 1);
      total += 1;
      let released = false;
      return () => {
        if (released) return;
        released = true;
        total -= 1;
        const left = (open.get(owner) ?? 1) - 1;
        if (left === 0) open.delete(owner);
        else open.set(owner, left);
      };
    },
    total: () => total,
  };
}
