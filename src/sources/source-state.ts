/** What the store knows of sources: claims of polls, and outcomes. Items of own sites: item-state.ts. */
import { type Insertable, type RawBuilder, type Selectable, sql, type Updateable, type UpdateObject } from 'kysely';
import type { Config } from '../core/config/config.ts';
import type { AnySource } from '../core/config/sources.ts';
import { claimRows, revokedLease, updateClaimed } from '../core/store/lease.ts';
import { type Db, inTransaction, lockName, type Tx } from '../core/store/store.ts';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import type { Tables } from '../core/store/tables.ts';
import { MINUTE } from '../lib/time.ts';
import { clearChanges } from './item-state.ts';
import type { SourceCondition, SourceTransition } from './polling/poll-state.ts';
import { askedUntil } from './request.ts';

/** A poll extends its lease after each page; one that lasts longer without has ended with its process. */
const POLL_LEASE = 2 * MINUTE;

export type SourceRow = Selectable<Tables['sources']>;
type Change = Updateable<Tables['sources']>;

/**
 * Adds the sources of the configuration that are new. One with another address or API begins again, and one with other
 * rules for its articles is read again; its items stay known. One with the address that is polled already, since it has
 * moved there, goes on.
 */
export async function registerSources(
  db: Db,
  { sections }: Pick<Config, 'sections'>,
  sources: readonly AnySource[],
  now: number,
): Promise<void> {
  if (sources.length === 0) return;
  const ids = sources.map(({ id }) => id);
  const columns = ['id', 'url', 'use', 'configured_api', 'rules', 'endpoint'] as const;
  const rows = await db.selectFrom('sources').select(columns).where('id', 'in', ids).execute();
  const known = new Map(rows.map((row) => [row.id, row]));
  for (const source of sources) {
    const { id } = source;
    const row = known.get(id);
    const given = givenColumns(source, sections);
    // It is called every second: usually it writes nothing.
    if (row === undefined) await addSource(db, { id, ...given, due_at: now, state_since: now });
    else if (row.use !== given.use || row.configured_api !== given.configured_api) await begin(db, row, given, now);
    else if (row.url !== given.url) await (row.endpoint === given.url ? goOn : begin)(db, row, given, now);
    else if (row.rules !== given.rules) {
      await clearChanges(db, id);
      await updateSource(db, id, { ...given, ...UNREAD, due_at: now });
    }
  }
}

type ConfiguredColumns = Pick<Insertable<Tables['sources']>, 'url' | 'configured_api' | 'rules'> &
  Pick<SourceRow, 'use'>;

/** `rules`: what decides what its items become, beside the items themselves. */
function givenColumns(source: AnySource, sections: Config['sections']): ConfiguredColumns {
  const { url, use } = source;
  if (use === 'roundup') return { url, use, configured_api: 'feed', rules: '' };
  const { sections: mapped, kinds, section, membersOnly } = source;
  const rules = JSON.stringify([mapped, kinds, section ?? null, membersOnly, sections]);
  return { url, use, configured_api: source.api, rules };
}

const UNREAD = {
  ...{ etag: null, last_modified: null, read_to: null, swept_at: null, fully_swept_at: null },
  ...{ failures: 0, failing_since: null },
};

const NOT_REDIRECTED = { moved_to: null, moved_since: null, moved_polls: 0, moved_known: 0 };

const UNKNOWN = {
  ...{ ...UNREAD, ...NOT_REDIRECTED, api: null, endpoint: null, polled_at: null, succeeded_at: null, repaired: 0 },
  ...{ state: 'active' as const, reason: null, not_found_since: null, news_at: null },
  ...{ item_gap: null, usual_new: null, items_read_at: null },
} satisfies Change;

async function addSource(db: Db, row: Insertable<Tables['sources']>): Promise<void> {
  await db
    .insertInto('sources')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

type SourceRef = Pick<SourceRow, 'id' | 'url' | 'use' | 'configured_api'>;

async function begin(db: Db, before: SourceRef, given: ConfiguredColumns, now: number): Promise<void> {
  const { id, url, use, configured_api } = before;
  // The addresses of its posts may be others, though none was edited.
  await clearChanges(db, id);
  await db
    .updateTable('sources')
    .set({ ...given, ...UNKNOWN, ...revokedLease('sources'), due_at: now, state_since: now })
    .where('id', '=', id)
    // Another process may have done it meanwhile, and poll it already.
    .where('url', '=', url)
    .where('use', '=', use)
    .where('configured_api', '=', configured_api)
    .execute();
}

async function goOn(db: Db, { id }: SourceRef, { url }: ConfiguredColumns, now: number): Promise<void> {
  const isMoved = sql`state = 'moved'`;
  await db
    .updateTable('sources')
    .set({
      ...{ url, ...NOT_REDIRECTED, ...revokedLease('sources') },
      state_since: sql<number>`case when ${isMoved} then cast(${now} as bigint) else state_since end`,
      reason: sql<string | null>`case when ${isMoved} then null else reason end`,
      state: sql<SourceRow['state']>`case when ${isMoved} then 'active' else state end`,
    })
    .where('id', '=', id)
    .where('endpoint', '=', url)
    .where('url', '!=', url)
    .execute();
}

async function updateSource(db: Db, id: string, change: UpdateObject<Tables, 'sources'>): Promise<void> {
  await db.updateTable('sources').set(change).where('id', '=', id).execute();
}

/** The right to poll a source, until it expires and another process claims it. */
export type SourceClaim = Pick<SourceRow, 'id' | 'fence'>;

/** Neither paused nor gone. */
const IS_POLLED = sql<boolean>`paused_at is null and state <> 'gone'`;

/** The sources among `ids` that are due and that nobody polls; the longest due first. */
export async function listDueSources(db: Db, ids: readonly string[], now: number): Promise<SourceRow[]> {
  if (ids.length === 0) return [];
  return db
    .selectFrom('sources')
    .selectAll()
    .where('id', 'in', [...ids])
    .where(IS_POLLED)
    .where('due_at', '<=', now)
    .where((e) => e.or([e('lease_until', 'is', null), e('lease_until', '<=', now)]))
    .orderBy('due_at')
    .orderBy('id')
    .execute();
}

/** @returns null if it is no longer due, or it or one of `siblings` is being polled */
export function claimDueSource(db: Db, id: string, siblings: string[], now: number): Promise<SourceRow | null> {
  return claimAlone(db, id, siblings, IS_POLLED, now);
}

function claimAlone(db: Db, id: string, siblings: string[], condition: RawBuilder<boolean>, now: number) {
  return inTransaction(db, async (tx) => {
    const all = [id, ...siblings].toSorted();
    await lockName(tx, `polls of ${all[0]}`);
    const polled = tx.selectFrom('sources').select('id').where('id', 'in', all).where('lease_until', '>', now);
    if ((await polled.executeTakeFirst()) !== undefined) return null;
    const [row] = await claimRows(tx, 'sources', sql`id = ${id} and ${condition}`, { now, until: now + POLL_LEASE });
    return row ?? null;
  });
}

/** Puts off a source that is not claimed. */
export async function postponeSource(db: Db, id: string, until: number): Promise<void> {
  await db
    .updateTable('sources')
    .set({ due_at: until })
    .where('id', '=', id)
    .where('due_at', '<', until)
    .where('lease_until', 'is', null)
    .execute();
}

/** Until when the server of a source asks not to be called; null if it does not, and daywire alone put it off. */
export function askedPause({ state, reason }: Pick<SourceRow, 'state' | 'reason'>, now: number): number | null {
  const until = state === 'waiting' ? askedUntil(reason) : null;
  return until !== null && until > now ? until : null;
}

/**
 * Claims a source, due or not, also one that is gone or paused.
 * @returns `claimed`, or why not: it or one of `siblings` is being polled, or its server asked for a pause
 */
export async function claimSourceNow(
  db: Db,
  id: string,
  siblings: string[],
  now: number,
): Promise<{ kind: 'claimed'; row: SourceRow } | { kind: 'busy' } | { kind: 'waiting'; until: number }> {
  await reviveSource(db, id, now);
  const known = await findSourceRow(db, id);
  const until = known === null ? null : askedPause(known, now);
  if (until !== null) return { kind: 'waiting', until };
  await db.updateTable('sources').set({ due_at: now }).where('id', '=', id).where('due_at', '>', now).execute();
  const row = await claimAlone(db, id, siblings, sql`true`, now);
  return row === null ? { kind: 'busy' } : { kind: 'claimed', row };
}

/** Pauses the polls of a source. */
export async function pausePolls(db: Db, id: string, now: number): Promise<void> {
  await updateSource(db, id, { paused_at: now });
}

/** Polls a paused source again, and one that is gone: at once, unless its server asked for a pause. */
export async function resumePolls(db: Db, id: string, now: number): Promise<void> {
  await reviveSource(db, id, now);
  const row = await findSourceRow(db, id);
  await updateSource(db, id, { paused_at: null, due_at: (row === null ? null : askedPause(row, now)) ?? now });
}

/** Lets a source that is gone be polled again. It is looked for where the configuration says. */
async function reviveSource(db: Db, id: string, now: number): Promise<void> {
  await db
    .updateTable('sources')
    .set({ state: 'active', state_since: now, reason: null, ...NOT_REDIRECTED, not_found_since: null })
    .set({ endpoint: null, failures: 0, failing_since: null, due_at: now })
    .where('id', '=', id)
    .where('state', '=', 'gone')
    .execute();
}

/** Records progress, and extends the lease. @returns whether the claim still holds */
export async function recordPollProgress(db: Db, claim: SourceClaim, progress: Change, now: number): Promise<boolean> {
  const row = await updateClaimed(db, 'sources', { id: claim.id, fence: claim.fence })
    .set({ ...progress, lease_until: now + POLL_LEASE })
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Makes a claimed poll read everything again, as if it were the first one. */
export async function beginAgain(db: Db, row: SourceRow, now: number): Promise<void> {
  const change = { etag: null, last_modified: null, read_to: null };
  await clearChanges(db, row.id);
  await recordPollProgress(db, row, change, now);
  Object.assign(row, change);
}

export function conditionOf(row: SourceRow): SourceCondition {
  return {
    ...{ state: row.state, since: row.state_since, reason: row.reason, endpoint: row.endpoint },
    ...{ movedTo: row.moved_to, movedSince: row.moved_since, movedPolls: row.moved_polls },
    ...{ movedKnown: row.moved_known === 1, notFoundSince: row.not_found_since, newsAt: row.news_at },
    failures: row.failures,
  };
}

/** What a poll has learnt of a source beside its condition; what is left out stays as it was. */
export type PollFindings = Pick<
  Change,
  'api' | 'etag' | 'last_modified' | 'repaired' | 'item_gap' | 'usual_new' | 'items_read_at'
>;

/**
 * Ends a claimed poll. A request that came meanwhile makes the source due at once, unless the poll has failed.
 * @returns false if the claim was lost, and nothing is recorded
 */
export async function endPoll(
  tx: Tx,
  { id, fence }: SourceClaim,
  { condition, nextAt }: SourceTransition,
  { startedAt, now, findings }: { startedAt: number; now: number; findings: PollFindings },
): Promise<boolean> {
  const { state, since, reason, endpoint, failures, movedTo, movedSince, movedPolls } = condition;
  const next = nextAt ?? now;
  const row = await updateClaimed(tx, 'sources', { id, fence })
    .set({
      ...{ ...findings, lease_until: null, polled_at: startedAt },
      ...{ state, state_since: since, reason, endpoint, failures, not_found_since: condition.notFoundSince },
      ...{ moved_to: movedTo, moved_since: movedSince, moved_polls: movedPolls, news_at: condition.newsAt },
      moved_known: condition.movedKnown ? 1 : 0,
      ...(failures > 0
        ? { due_at: next, failing_since: sql<number>`coalesce(failing_since, ${startedAt})` }
        : {
            ...{ succeeded_at: now, failing_since: null, requested_at: null },
            due_at: sql<number>`case when requested_at >= ${startedAt} then cast(${now} as bigint)
              else cast(${next} as bigint) end`,
          }),
    })
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/** Gives a claimed poll back as it was, so that it is due at once: the process ends. */
export async function releaseSource(db: Db, claim: SourceClaim, now: number): Promise<void> {
  await updateClaimed(db, 'sources', { id: claim.id, fence: claim.fence })
    .set({ due_at: now, lease_until: null })
    .execute();
}

/** Makes a source due at once, as far as its server did not ask for a pause. */
export async function requestPoll(db: Db, id: string, now: number): Promise<void> {
  const row = await findSourceRow(db, id);
  if (row === null) return;
  await updateSource(db, id, { requested_at: now, due_at: askedPause(row, now) ?? Math.min(row.due_at, now) });
}

export async function findSourceRow(db: Db, id: string): Promise<SourceRow | null> {
  return (await db.selectFrom('sources').selectAll().where('id', '=', id).executeTakeFirst()) ?? null;
}

/** By id, in order. */
export function listSourceRows(db: Db): Promise<SourceRow[]> {
  return db.selectFrom('sources').selectAll().orderBy('id').execute();
}

/** Clears the failures of sources that are no longer polled. */
export async function clearSourceFailures(db: Db, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable('sources')
    .set({ failures: 0, failing_since: null })
    .where('id', 'in', ids)
    .where('failing_since', 'is not', null)
    .execute();
}

export function apiName(api: SourceApi): string {
  return { wordpress: 'the WordPress REST API', ghost: 'the Ghost Content API', feed: 'a feed' }[api];
}
