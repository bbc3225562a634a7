import { LANES, type Lane } from "../shared/lane.ts";
import { type QueueId, queuesOf } from "../shared/queue.ts";
import type { Topology } from "../shared/topology.ts";
import { laneDepths, type LaneDepth } from "./broker/jobs.ts";
import type { Link } from "./broker/link.ts";
import { keep } from "./kept.ts";
import type { Unfinished } from "./unfinished.ts";

export interface QueueView {
  readonly language: QueueId;
  readonly lane: Lane;
  /** In the stream, with no executor. */
  readonly waiting: number;
  /** In the stream, held by an executor. */
  readonly running: number;
  /** waiting + running: what the dispatch window bounds. */
  readonly inStream: number;
  /** Stored and not yet in the stream. */
  readonly pending: number;
  /** Deliveries to executors since the lane was made; undefined while the broker does not tell. */
  readonly started?: number;
  /** When the oldest unfinished submission of it came in. */
  readonly oldestAt?: Date;
}

/** Looked at anew after this, milliseconds, when somebody asks; whoever asks meanwhile gets what is there (kept.ts). */
const KEEP_MS = 2_000;

async function depthsOf(
  link: Link,
  topology: Topology,
  language: QueueId,
): Promise<ReadonlyMap<Lane, LaneDepth>> {
  if (!link.connected()) return new Map();
  return await laneDepths({ jsm: link.use().jsm, topology }, language).catch(
    () => new Map<Lane, LaneDepth>(),
  );
}

/**
 * What waits and runs, per language and lane; some seconds old. Two to four as a rule, and the longer the more waits:
 * counting takes a thirtieth of the time at most, and `pending` is counted apart (unfinished.ts), so that it is up to
 * twice as old. While NATS is away its numbers are 0. Throws StoreUnavailable.
 */
export function createQueues(deps: {
  readonly unfinished: Pick<Unfinished, "counts">;
  readonly link: Link;
  readonly topology: Topology;
}): () => Promise<QueueView[]> {
  async function look(): Promise<QueueView[]> {
    const [counts, depths] = await Promise.all([
      deps.unfinished.counts(),
      Promise.all(
        queuesOf(deps.topology).map(
          async (id) => [id, await depthsOf(deps.link, deps.topology, id)] as const,
        ),
      ),
    ]);
    return depths.flatMap(([language, lanes]) =>
      LANES.map((lane) => {
        const depth = lanes.get(lane);
        const { waiting, running } = depth ?? { waiting: 0, running: 0 };
        const own = counts.filter((one) => one.language === language && one.lane === lane);
        const oldest = Math.min(...own.map((one) => one.oldestAt.getTime()));
        return {
          language,
          lane,
          waiting,
          running,
          inStream: waiting + running,
          ...(depth === undefined ? {} : { started: depth.started }),
          pending: own.find((one) => one.state === "PENDING")?.count ?? 0,
          ...(Number.isFinite(oldest) ? { oldestAt: new Date(oldest) } : {}),
        };
      }),
    );
  }

  return keep({ keepMs: KEEP_MS, read: look });
}
