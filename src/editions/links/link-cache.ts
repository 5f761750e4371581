/** Results of link checks, in the table `link_checks`: shared by all processes. */
import type { Db } from '../../core/store/store.ts';
import type { FetchResult } from '../../lib/guarded-fetch/fetch-client.ts';
import { sha256 } from '../../lib/sha256.ts';
import { DAY, MINUTE } from '../../lib/time.ts';

export interface KnownLink {
  state: LinkState;
  /** Epoch milliseconds. */
  checkedAt: number;
}

/** Rows of this age are deleted. */
const RETENTION = 7 * DAY;

/** Reads what is known of links, of which an edition has some hundred at most; however old. @returns by URL */
export async function findKnownLinks(db: Db, urls: readonly string[]): Promise<Map<string, KnownLink>> {
  const rows = await db
    .selectFrom('link_checks')
    .select(['url', 'state', 'reason', 'checked_at as checkedAt'])
    .where('key', 'in', [...new Set(urls), ''].map(sha256))
    .execute();
  return new Map(
    rows.map(({ url, state: kind, reason, checkedAt }) => {
      return [url, { state: kind === 'works' ? { kind } : { kind, reason: reason ?? '' }, checkedAt }];
    }),
  );
}

/** Records what was found at `now`. */
export async function saveLinkStates(db: Db, states: ReadonlyMap<string, LinkState>, now: number): Promise<void> {
  if (states.size === 0) return;
  const rows = [...states].map(([url, state]) => ({
    // The URL itself may be longer than PostgreSQL's indexes allow.
    ...{ key: sha256(url), url, state: state.kind, checked_at: now },
    reason: state.kind === 'works' ? null : state.reason,
  }));
  await db
    .insertInto('link_checks')
    // In the order of the keys: two processes that lock rows in different orders would wait for each other.
    .values(rows.sort((a, b) => (a.key < b.key ? -1 : 1)))
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((e) => ({
        state: e.ref('excluded.state'),
        reason: e.ref('excluded.reason'),
        checked_at: e.ref('excluded.checked_at'),
      })),
    )
    .execute();
}

/** Deletes what was found a week ago. @returns the number of links */
export async function deleteOldLinkStates(db: Db, now: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('link_checks')
    .where('checked_at', '<', now - RETENTION)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/**
 * `dead`: nothing is there. `unchecked`: daywire cannot tell, which many sites make sure of. `reason`: such as `its
 * server answered 404`.
 */
export type LinkState = { kind: 'works' } | { kind: 'dead'; reason: string } | { kind: 'unchecked'; reason: string };

/** A link that works is looked up once a day; the others again soon, since somebody may be mending them. */
const KEPT = { works: DAY, dead: 10 * MINUTE, unchecked: 10 * MINUTE } satisfies Record<LinkState['kind'], number>;

/** Not there (404), or no longer (410). */
const DEAD = [404, 410];

/** State of a link, by the answer of its server. */
export function linkStateOf(result: FetchResult): LinkState {
  if (result.kind === 'refused') return { kind: 'unchecked', reason: result.reason };
  if (result.kind === 'failed') {
    return result.isUnknownHost
      ? { kind: 'dead', reason: 'the name of its host does not exist' }
      : { kind: 'unchecked', reason: result.reason };
  }
  const { status } = result;
  if (status < 400) return { kind: 'works' };
  const reason = `its server answered ${status}`;
  return DEAD.includes(status) ? { kind: 'dead', reason } : { kind: 'unchecked', reason };
}

/** Whether what was found at `checkedAt` need not be looked up again at `now`. */
export function isFresh(state: LinkState, checkedAt: number, now: number): boolean {
  // A later instant is that of a clock that was wrong.
  return checkedAt <= now && now - checkedAt < KEPT[state.kind];
}
