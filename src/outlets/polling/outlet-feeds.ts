/** What the store knows of the feeds of outlets: their claims, and what polls have found. */
import { type Selectable, sql, type Updateable } from 'kysely';
import type { RoundupSource } from '../../core/config/schema.ts';
import type { AnySource } from '../../core/config/sources.ts';
import { claimRows, revokedLease, updateClaimed } from '../../core/store/lease.ts';
import { type Db, inTransaction, type Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import { SITES } from '../../own-sites/poll-sources.ts';
import type { SourceKind } from '../../sources/control-sources.ts';
import { NO_HINTS, type PollHints } from '../../sources/feed/poll-hints.ts';
import {
  claimSource,
  findSourceRow,
  POLL_LEASE,
  type SourceClaim,
  type SourceRow,
} from '../../sources/source-state.ts';
import { type FeedCondition, type FeedTransition, newCondition } from './feed-state.ts';

export type OutletFeedRow = Selectable<Tables['outlet_feeds']>;

/** The feeds of other outlets, as a kind of source. */
const OUTLETS: SourceKind = {
  register: (tx, _config, source, now) => registerOutlets(tx, source.use === 'roundup' ? [source] : [], now),
  resume: resumeOutlet,
  async findObstacle(tx, id, now) {
    const feed = await findOutletFeed(tx, id);
    if (feed?.state === 'gone') return { kind: 'stopped', why: 'gone' };
    const row = feed?.state === 'waiting' ? await findSourceRow(tx, id) : null;
    return row !== null && row.due_at > now ? { kind: 'waiting', until: row.due_at } : null;
  },
};

/** The kind of a source, by its key `use`. */
export const SOURCE_KINDS: Record<AnySource['use'], SourceKind> = { articles: SITES, roundup: OUTLETS };

/**
 * Adds the roundup sources of the configuration that are new. One with another address begins again; its items stay
 * known. One with the address that is polled already, since its feed has moved there, goes on.
 */
export async function registerOutlets(db: Db, sources: readonly RoundupSource[], now: number): Promise<void> {
  if (sources.length === 0) return;
  const rows = await db
    .selectFrom('sources')
    .innerJoin('outlet_feeds', 'outlet_feeds.source', 'sources.id')
    .select(['sources.id', 'sources.url', 'sources.use', 'sources.endpoint'])
    .where(
      'sources.id',
      'in',
      sources.map(({ id }) => id),
    )
    .execute();
  const known = new Map(rows.map((row) => [row.id, row]));
  for (const { id, url } of sources) {
    const row = known.get(id);
    // It is called every second: usually it writes nothing.
    if (row?.url === url && row.use === 'roundup') continue;
    const isPolled = row?.use === 'roundup' && row.endpoint === url;
    await inTransaction(db, (tx) => (isPolled ? keepFeed : beginFeed)(tx, { id, url }, now));
  }
}

async function keepFeed(tx: Tx, { id, url }: { id: string; url: string }, now: number): Promise<void> {
  const kept = await tx
    .updateTable('sources')
    .set({ url, ...revokedLease('sources') })
    .where('id', '=', id)
    .where('endpoint', '=', url)
    .where('url', '!=', url)
    .returning('id')
    .executeTakeFirst();
  if (kept === undefined) return;
  await tx.updateTable('outlet_feeds').set(NOT_REDIRECTED).where('source', '=', id).execute();
  await tx
    .updateTable('outlet_feeds')
    .set({ state: 'active', state_since: now, reason: null })
    .where('source', '=', id)
    .where('state', '=', 'moved')
    .execute();
}

async function beginFeed(tx: Tx, { id, url }: { id: string; url: string }, now: number): Promise<void> {
  const given = { url, use: 'roundup' as const, configured_api: 'feed' as const, rules: '', due_at: now };
  const unread = {
    ...{ api: null, endpoint: null, etag: null, last_modified: null, polled_at: null, succeeded_at: null },
    ...{ failures: 0, failing_since: null, problem: null, repaired: 0 },
  };
  const begun = await tx
    .insertInto('sources')
    .values({ id, ...given })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet({ ...given, ...unread, ...revokedLease('sources') })
        .where((e) => e.or([e('sources.url', '!=', url), e('sources.use', '!=', 'roundup')])),
    )
    .returning('id')
    .executeTakeFirst();
  // Another process has registered it meanwhile, and may poll it already.
  if (begun === undefined) return;
  const feed = { state: 'active' as const, state_since: now, ...UNREAD_FEED };
  await tx
    .insertInto('outlet_feeds')
    .values({ source: id, ...feed })
    .onConflict((conflict) => conflict.column('source').doUpdateSet(feed))
    .execute();
}

const NOT_REDIRECTED = { moved_to: null, moved_since: null, moved_polls: 0, moved_known: 0 };

const UNREAD_FEED = {
  ...{ reason: null, ...NOT_REDIRECTED, not_found_since: null },
  ...{ item_gap: null, usual_new: null, news_at: null, has_validators: 0, hints: null, read_at: null },
} satisfies Updateable<Tables['outlet_feeds']>;

/** A feed that is gone is polled when an operator asks for it. */
const NOT_GONE = sql`not exists (select 1 from outlet_feeds where source = sources.id and state = 'gone')`;

/** The sources among `ids` that are due and not paused, and that nobody polls; the longest due first. */
export async function listDueOutlets(db: Db, ids: readonly string[], now: number): Promise<SourceRow[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('sources')
    .selectAll()
    .where('id', 'in', [...ids])
    .where('use', '=', 'roundup')
    .where('paused_at', 'is', null)
    .where('due_at', '<=', now)
    .where((e) => e.or([e('lease_until', 'is', null), e('lease_until', '<=', now)]))
    .where(sql<boolean>`${NOT_GONE}`)
    .orderBy('due_at')
    .orderBy('id')
    .execute();
}

/** Claims a source that is due. @returns null if it is not due any more, or another process polls it */
export async function claimDueOutlet(db: Db, id: string, now: number): Promise<SourceRow | null> {
  const condition = sql`id = ${id} and use = 'roundup' and paused_at is null and ${NOT_GONE}`;
  const [row] = await claimRows(db, 'sources', condition, { now, until: now + POLL_LEASE });
  return row ?? null;
}

/** Puts off a source that is not claimed. */
export async function postponeOutlet(db: Db, id: string, until: number): Promise<void> {
  await db
    .updateTable('sources')
    .set({ due_at: until })
    .where('id', '=', id)
    .where('due_at', '<', until)
    .where('lease_until', 'is', null)
    .execute();
}

/**
 * Claims a source, due or not, also one that is gone or paused.
 * @returns `claimed`, or why not: another process polls it, or its server asked not to be called before an instant
 */
export async function claimOutletNow(
  db: Db,
  id: string,
  now: number,
): Promise<{ kind: 'claimed'; row: SourceRow } | { kind: 'busy' } | { kind: 'waiting'; until: number }> {
  await reviveOutlet(db, id, now);
  const feed = await findOutletFeed(db, id);
  const due = await db.selectFrom('sources').select('due_at').where('id', '=', id).executeTakeFirst();
  if (feed?.state === 'waiting' && due !== undefined && due.due_at > now) return { kind: 'waiting', until: due.due_at };
  const row = await claimSource(db, id, now);
  return row === null ? { kind: 'busy' } : { kind: 'claimed', row };
}

/** Polls a paused source again, and one that is gone: at once, unless its server asked for a pause. */
export async function resumeOutlet(db: Db, id: string, now: number): Promise<void> {
  await reviveOutlet(db, id, now);
  const isWaiting = sql`exists (select 1 from outlet_feeds where source = sources.id and state = 'waiting')`;
  await db
    .updateTable('sources')
    .set({
      paused_at: null,
      due_at: sql<number>`case when due_at > ${now} and ${isWaiting} then due_at else cast(${now} as bigint) end`,
    })
    .where('id', '=', id)
    .execute();
}

/** Lets a feed that is gone be polled again. It is looked for where the configuration says. */
async function reviveOutlet(db: Db, id: string, now: number): Promise<void> {
  await inTransaction(db, async (tx) => {
    const row = await tx
      .updateTable('outlet_feeds')
      .set({ state: 'active', state_since: now, reason: null, ...NOT_REDIRECTED, not_found_since: null })
      .where('source', '=', id)
      .where('state', '=', 'gone')
      .returning('source')
      .executeTakeFirst();
    if (row === undefined) return;
    const change = { endpoint: null, failures: 0, failing_since: null, problem: null, due_at: now };
    await tx.updateTable('sources').set(change).where('id', '=', id).execute();
  });
}

export async function findOutletFeed(db: Db, source: string): Promise<OutletFeedRow | null> {
  const row = await db.selectFrom('outlet_feeds').selectAll().where('source', '=', source).executeTakeFirst();
  return row ?? null;
}

/** By source, in order. */
export function listOutletFeeds(db: Db): Promise<OutletFeedRow[]> {
  return db.selectFrom('outlet_feeds').selectAll().orderBy('source').execute();
}

/** @param feed null for one that is not registered */
export function conditionOf(row: SourceRow, feed: OutletFeedRow | null, now: number): FeedCondition {
  if (feed === null) return newCondition(now);
  return {
    ...{ state: feed.state, since: feed.state_since, reason: feed.reason, endpoint: row.endpoint },
    ...{ movedTo: feed.moved_to, movedSince: feed.moved_since, movedPolls: feed.moved_polls },
    ...{ movedKnown: feed.moved_known === 1, notFoundSince: feed.not_found_since, newsAt: feed.news_at },
    failures: row.failures,
  };
}

/** What the feed has asked of pollers. */
export function hintsOf(feed: OutletFeedRow | null): PollHints {
  return feed === null || feed.hints === null ? NO_HINTS : (JSON.parse(feed.hints) as PollHints);
}

/** What a poll has learnt of the feed; what is left out stays as it was. */
export interface FeedFindings {
  etag?: string | null;
  lastModified?: string | null;
  repaired?: boolean;
  itemGap?: number | null;
  hints?: PollHints;
}

/** Ends a claimed poll. @returns false if the claim was lost, and nothing is recorded */
export async function recordOutletPoll(
  tx: Tx,
  claim: SourceClaim,
  { condition, nextAt }: FeedTransition,
  { startedAt, now, findings }: { startedAt: number; now: number; findings: FeedFindings },
): Promise<boolean> {
  const { failures, endpoint, reason } = condition;
  const hasFailed = failures > 0;
  const { etag, lastModified, repaired, itemGap, hints } = findings;
  const row = await updateClaimed(tx, 'sources', { id: claim.id, fence: claim.fence })
    .set({
      ...{ due_at: nextAt ?? now, lease_until: null, polled_at: startedAt, requested_at: null },
      ...{ endpoint, failures, problem: hasFailed ? reason : null, api: endpoint === null ? null : 'feed' },
      failing_since: hasFailed ? sql<number>`coalesce(failing_since, ${startedAt})` : null,
      ...(hasFailed ? {} : { succeeded_at: now }),
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { last_modified: lastModified }),
      ...(repaired === undefined ? {} : { repaired: repaired ? 1 : 0 }),
    })
    .returning('id')
    .executeTakeFirst();
  if (row === undefined) return false;
  await tx
    .updateTable('outlet_feeds')
    .set({
      ...{ state: condition.state, state_since: condition.since, reason },
      ...{ moved_to: condition.movedTo, moved_since: condition.movedSince, moved_polls: condition.movedPolls },
      ...{ moved_known: condition.movedKnown ? 1 : 0, not_found_since: condition.notFoundSince },
      news_at: condition.newsAt,
      ...(etag === undefined && lastModified === undefined
        ? {}
        : { has_validators: (etag ?? lastModified ?? null) === null ? 0 : 1 }),
      ...(itemGap === undefined ? {} : { item_gap: itemGap }),
      ...(hints === undefined ? {} : { hints: JSON.stringify(hints) }),
    })
    .where('source', '=', claim.id)
    .execute();
  return true;
}
