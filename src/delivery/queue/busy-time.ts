/**
 * Stretches of time that are taken, as intervals in their order that don't touch.
 */
export interface Interval {
  from: number;
  /** Exclusive. */
  until: number;
}

/** The first instant, from `earliest` on, at which a stretch of that length is free. */
export function firstFree(busy: readonly Interval[], earliest: number, length: number): number {
  let at = earliest;
  for (const { from, until } of busy) {
    if (until <= at) continue;
    if (at + length <= from) return at;
    at = until;
  }
  return at;
}

/**
 * The intervals with one more, which must be free. A gap that is too short for another of its length closes, so that there is one
 * interval for a whole run of them.
 */
export function takeTime(busy: readonly Interval[], taken: Interval): Interval[] {
  const length = taken.until - taken.from;
  const before = busy.filter(({ from }) => from < taken.from);
  const after = busy.filter(({ from }) => from >= taken.from);
  const joined: Interval[] = [];
  for (const interval of [...before, taken, ...after]) {
    const last = joined.at(-1);
    if (last !== undefined && interval.from - last.until < length) last.until = interval.until;
    else joined.push({ ...interval });
  }
  return joined;
}
