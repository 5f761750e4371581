/** What was found of links, in the table `link_checks`: shared by all processes. */
import type { Db } from '../../core/store/store.ts';
import { chunks } from '../../lib/chunks.ts';
import { sha256 } from '../../lib/sha256.ts';
import { DAY } from '../../lib/time.ts';
import type { LinkState } from './link-state.ts';

export interface KnownLink {
  state: LinkState;
  /** Epoch milliseconds. */
  checkedAt: number;
}

/** Rows of this age are deleted. */
const RETENTION = 7 * DAY;
const ROWS_PER_STATEMENT = 200;

/** Reads what is known of links, however old. @returns by URL */
export async function findKnownLinks(db: Db, urls: readonly string[]): Promise<Map<string, KnownLink>> {
  const known = new Map<string, KnownLink>();
  for (const part of chunks([...new Set(urls)], ROWS_PER_STATEMENT)) {
    const rows = await db
      .selectFrom('link_checks')
      .select(['url', 'state', 'reason', 'checked_at'])
      .where('key', 'in', part.map(sha256))
      .execute();
    for (const { url, state: kind, reason, checked_at } of rows) {
      const state: LinkState = kind === 'works' ? { kind } : { kind, reason: reason ?? '' };
      known.set(url, { state, checkedAt: checked_at });
    }
  }
  return known;
}

/** Records what was found at `now`. */
export async function saveLinkStates(db: Db, states: ReadonlyMap<string, LinkState>, now: number): Promise<void> {
  // In the order of the keys: two processes that lock rows in different orders would wait for each other.
  const rows = [...states]
    .map(([url, state]) => ({
      // The URL itself may be longer than PostgreSQL's indexes allow.
      key: sha256(url),
      url,
      state: state.kind,
      reason: state.kind === 'works' ? null : state.reason,
      checked_at: now,
    }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const part of chunks(rows, ROWS_PER_STATEMENT)) {
    await db
      .insertInto('link_checks')
      .values(part)
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet((e) => ({
          state: e.ref('excluded.state'),
          reason: e.ref('excluded.reason'),
          checked_at: e.ref('excluded.checked_at'),
        })),
      )
      .execute();
  }
}

/** Deletes what was found a week ago. @returns the number of links */
export async function deleteOldLinkStates(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('link_checks')
    .where('checked_at', '<', now - RETENTION)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
