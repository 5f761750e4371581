/** Decides which articles of a source are withdrawn. Pure. */

/** Sweeps in a row that must miss an item before anyone asks about it. */
const MISSING_SWEEPS = 2;
/** More at once may be a fault of the source, such as a plugin that hides posts: they wait for the operator. */
export const MAX_AT_ONCE = 5;

/** An item that daywire knows, and how many complete sweeps in a row have missed it. */
export interface KnownItem {
  item: string;
  missing: number;
  modifiedAt: number | null;
  /** It is gone, and that has been dealt with, or waits for the operator. */
  isWithdrawn: boolean;
}

export interface SweepOutcome {
  /** Present again. */
  returned: string[];
  /** Missing once more, by the number of sweeps. */
  missing: Map<number, string[]>;
  /** Missing for long enough: whether they are gone is to be confirmed. */
  suspected: string[];
  /** Present, but unknown, changed since they were read, or back after a withdrawal. */
  unread: string[];
}

/**
 * Compares a complete list of a source's ids with what is known.
 * @param known of the same period
 * @param present by id; when they were modified
 */
export function compareIds(known: readonly KnownItem[], present: ReadonlyMap<string, number | null>): SweepOutcome {
  const outcome: SweepOutcome = { returned: [], missing: new Map(), suspected: [], unread: [] };
  const byItem = new Map(known.map((one) => [one.item, one]));
  for (const [id, modifiedAt] of present) {
    const item = byItem.get(id);
    const isChanged = item !== undefined && modifiedAt !== null && modifiedAt > (item.modifiedAt ?? 0);
    if (item === undefined || isChanged || item.isWithdrawn) outcome.unread.push(id);
    else if (item.missing > 0) outcome.returned.push(id);
  }
  for (const { item, missing, isWithdrawn } of known) {
    if (present.has(item) || isWithdrawn) continue;
    const sweeps = missing + 1;
    outcome.missing.set(sweeps, [...(outcome.missing.get(sweeps) ?? []), item]);
    if (sweeps >= MISSING_SWEEPS) outcome.suspected.push(item);
  }
  return outcome;
}

/**
 * What a response says about a post that the list no longer has. WordPress answers 401 for a post in the trash, to
 * anyone without a login: then its public address decides.
 * @param api status of the API's response for it
 * @param page status of its public address; null if it was not asked
 */
export function isGone(api: number, page: number | null): boolean {
  if (api === 404 || api === 410) return true;
  return (api === 401 || api === 403) && (page === 404 || page === 410);
}
