import type { Log } from "../shared/log.ts";
import { encodeJson } from "../shared/nats.ts";
import { PoolName, PoolSettings } from "../shared/pool.ts";
import type { Control, Presence } from "../shared/protocol.ts";
import { type Repeat, repeat } from "../shared/repeat.ts";
import { subjects, type Topology } from "../shared/topology.ts";
import type { Link } from "./broker/link.ts";
import type { ExecutorView } from "./fleet.ts";
import type { PoolSettingsDocument, PoolSettingsStore } from "./store/poolsettings.ts";

/**
 * Tells executors what was changed of their pool: at once when it changes, and whenever one's presence shows that it
 * has not heard of the newest change, as after its restart. Every server does; an executor takes the newest word.
 */
export interface PoolControl {
  /** An executor was heard. */
  heard(presence: Presence): void;
  /** What was changed of a pool; undefined: nothing, or not known yet. */
  of(pool: string): PoolSettingsDocument | undefined;
  /** Here it was changed just now. */
  changed(settings: PoolSettingsDocument): void;
  readonly refresh: Repeat;
}

/** What another server changed is told after so long at most, milliseconds. */
const INTERVAL_MS = 1_000;

export function createPoolControl(deps: {
  readonly settings: Pick<PoolSettingsStore, "list">;
  readonly link: Pick<Link, "tell">;
  readonly topology: Topology;
  readonly executors: () => readonly ExecutorView[];
  readonly log: Log;
}): PoolControl {
  /** Undefined until it was read once: nobody is told "nothing was changed" on a guess. */
  let known: Map<string, PoolSettingsDocument> | undefined;

  function tellIfBehind({ executor, pool, poolChange }: Presence): void {
    if (known === undefined || !PoolName.safeParse(pool).success) return;
    const settings = known.get(pool);
    if (poolChange !== undefined && poolChange >= (settings?.change ?? 0)) return;
    // Without who did it and when.
    const read = PoolSettings.safeParse(settings ?? { change: 0 });
    if (!read.success) {
      deps.log.error({ err: read.error, pool }, "the settings of a pool cannot be read");
      return;
    }
    const control: Control = { type: "pool", settings: read.data };
    deps.link.tell(subjects.control(deps.topology, executor), encodeJson(control));
  }
  const tellAll = (): void => deps.executors().forEach(tellIfBehind);

  return {
    heard: tellIfBehind,
    of: (pool) => known?.get(pool),
    changed: (settings) => {
      known?.set(settings._id, settings);
      tellAll();
    },
    refresh: repeat({
      name: "poolcontrol",
      intervalMs: INTERVAL_MS,
      log: deps.log,
      async act() {
        const read = await deps.settings.list();
        known = new Map(read.map((one) => [one._id, one]));
        tellAll();
      },
    }),
  };
}
