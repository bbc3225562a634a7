import type { Log } from "../../shared/log.ts";
import { type Change, createChange } from "./change.ts";

/** What can keep an executor from taking jobs. */
export type Condition = "nats" | "events" | "blobs" | "disk" | "languages" | "slots";

/** Jobs are pulled only while no condition has a reason against it. */
export interface Health {
  /** Undefined reason: this condition is well again. */
  set(condition: Condition, reason: string | undefined): void;
  get(condition: Condition): string | undefined;
  /** Every reason in one line; undefined when healthy. */
  reason(): string | undefined;
  readonly change: Change;
}

export function createHealth(log: Log): Health {
  const reasons = new Map<Condition, string>();
  const change = createChange();
  return {
    set: (condition, reason) => {
      const before = reasons.get(condition);
      if (before === reason) return;
      if (reason === undefined) {
        reasons.delete(condition);
        log.info({ condition }, "well again");
      } else {
        reasons.set(condition, reason);
        log.warn({ condition, reason }, "takes no jobs");
      }
      change.notify();
    },
    get: (condition) => reasons.get(condition),
    reason: () => (reasons.size === 0 ? undefined : [...reasons.values()].join("; ")),
    change,
  };
}
