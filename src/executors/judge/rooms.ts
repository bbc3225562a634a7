import type { ProblemManifest } from "../../shared/judging.ts";
import type { Limits } from "../../shared/limits.ts";
import type { LentSlot } from "../work.ts";
import type { LentRoom } from "./inorder.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

/** Where a test runs: a slot, and a folder for what belongs to it. */
export interface Room {
  readonly slot: number;
  readonly workspace: Workspace;
}

export interface RoomDeps {
  readonly sandbox: Parameters<typeof openWorkspace>[0]["sandbox"];
  readonly workDir: string;
  readonly limits: Pick<Limits, "parallelTests">;
  /** CPUs that programs may use. */
  readonly cores: number;
  readonly cpuPressure: () => number;
  readonly lendSlot: () => LentSlot | undefined;
}

/** What is left of a job is worth a second slot when it is expected to take so long, milliseconds. */
const WORTH_MS = 500;
/** A machine on which processes wait for a CPU for so much of the time has nothing to lend. */
const BUSY = 0.5;

/** Both sides of an interactive problem share one core, passes follow each other, and answers are not run at all. */
export const canRunBeside = (manifest: ProblemManifest): boolean =>
  manifest.interactive !== true && manifest.passes === undefined && manifest.submitAnswer !== true;

/**
 * A second slot and more for one job's tests: only where no job wants it, where there is a core for it, and where enough
 * is left to do. `wallMs` is what the tests so far have taken, each.
 */
export async function lendRoom(
  deps: RoomDeps,
  state: { readonly waiting: number; readonly rooms: number; readonly wallMs: readonly number[] },
): Promise<LentRoom<Room> | undefined> {
  const { waiting, rooms, wallMs } = state;
  if (wallMs.length === 0 || rooms >= Math.min(deps.limits.parallelTests, deps.cores)) return undefined;
  const average = wallMs.reduce((sum, one) => sum + one, 0) / wallMs.length;
  if (waiting * average < WORTH_MS || deps.cpuPressure() > BUSY) return undefined;
  const lent = deps.lendSlot();
  if (lent === undefined) return undefined;
  try {
    const workspace = await openWorkspace(deps, lent.slot);
    return {
      room: { slot: lent.slot, workspace },
      signal: lent.signal,
      giveBack: async () => {
        // What cannot be removed now is removed at the next start.
        await workspace.close().catch(() => {});
        lent.giveBack();
      },
    };
  } catch (error) {
    lent.giveBack();
    throw error;
  }
}
