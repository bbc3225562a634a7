/** What one lane of a queue had in it when it was looked at. */
export interface LaneCount {
  readonly atSeconds: number;
  /** Jobs that executors have taken since the lane was made; it starts anew when the broker loses its streams. */
  readonly started: number;
  /** Jobs that wait, in the stream or before it. */
  readonly waiting: number;
}

export interface Arrivals {
  readonly last: LaneCount;
  readonly perSecond: number;
}

/** The rate is that of about so many seconds. */
const RATE_SECONDS = 30;

/**
 * The rate of arrivals, below 0 where more was cancelled than came. It follows from what every server sees alike: what was started meanwhile, and by how much the waiting changed.
 * What is cancelled while it waits takes an arrival back; what is delivered again counts again, as it is work again.
 */
export function observe(before: Arrivals | undefined, now: LaneCount): Arrivals {
  if (before === undefined) return { last: now, perSecond: 0 };
  const { last, perSecond } = before;
  const seconds = now.atSeconds - last.atSeconds;
  if (seconds <= 0) return before;
  // A lane made anew: nothing can be said about the time between.
  if (now.started < last.started) return { last: now, perSecond };
  const arrived = now.started - last.started + now.waiting - last.waiting;
  const keep = Math.exp(-seconds / RATE_SECONDS);
  return { last: now, perSecond: keep * perSecond + (1 - keep) * (arrived / seconds) };
}
