/** What the store knows of sources: claims of polls, and outcomes. Their items: item-state.ts. */
import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { ArticleSource, Config } from '../core/config/config.ts';
import { articleSources } from '../core/config/sources.ts';
import { claimRows, updateClaimed } from '../core/store/lease.ts';
import type { Db } from '../core/store/store.ts';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import type { Tables } from '../core/store/tables.ts';
import { HOUR, MINUTE } from '../lib/time.ts';
import { clearChanges } from './item-state.ts';

/** A poll ends its lease after each page; one that lasts longer without has ended with its process. */
export const POLL_LEASE = 2 * MINUTE;
/** The longest wait after failures. */
const MAX_RETRY_DELAY = 4 * HOUR;

export type SourceRow = Selectable<Tables['sources']>;

/**
 * Adds the sources of the configuration that are new. One with another address or API is looked for again, and one
 * with other rules for its articles is read again.
 */
export async function registerSources(
  db: Db,
  config: Pick<Config, 'sources' | 'sections'>,
  now: number,
): Promise<void> {
  const sources = articleSources(config);
  if (sources.length === 0) return;
  const ids = sources.map(({ id }) => id);
  const columns = ['id', 'url', 'configured_api', 'rules'] as const;
  const rows = await db.selectFrom('sources').select(columns).where('id', 'in', ids).execute();
  const known = new Map(rows.map((row) => [row.id, row]));
  for (const source of sources) {
    const { id, url, api } = source;
    const row = known.get(id);
    const given = { url, use: 'articles' as const, configured_api: api, rules: rulesOf(source, config.sections) };
    // It is called every second: usually it writes nothing.
    if (row === undefined) await addSource(db, { id, ...given, due_at: now });
    else if (row.url !== url || row.configured_api !== api) {
      // The addresses of its posts may be others, though none was edited.
      await clearChanges(db, id);
      await updateSource(db, id, { ...given, ...UNREAD, api: null, endpoint: null, due_at: now });
    } else if (row.rules !== given.rules) {
      await clearChanges(db, id);
      await updateSource(db, id, { ...given, ...UNREAD, due_at: now });
    }
  }
}

const UNREAD = {
  ...{ etag: null, last_modified: null, read_to: null, failures: 0, failing_since: null, problem: null },
  ...{ swept_at: null, fully_swept_at: null },
};

/** What decides what its items become, beside the items themselves. */
function rulesOf(
  { sections: mapped, kinds, section, membersOnly }: ArticleSource,
  sections: Config['sections'],
): string {
  return JSON.stringify([mapped, kinds, section ?? null, membersOnly, sections]);
}

async function addSource(db: Db, row: Insertable<Tables['sources']>): Promise<void> {
  await db
    .insertInto('sources')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

async function updateSource(db: Db, id: string, change: Updateable<Tables['sources']>): Promise<void> {
  await db.updateTable('sources').set(change).where('id', '=', id).execute();
}

/** The right to poll a source, until it expires and another process claims it. */
export interface SourceClaim {
  id: string;
  fence: number;
}

/** Claims the sources among `ids` that are due and not paused, and that nobody polls. */
export async function claimDueSources(db: Db, ids: readonly string[], now: number): Promise<SourceRow[]> {
  if (ids.length === 0) return [];
  const condition = sql`id in (${sql.join([...ids])}) and paused_at is null`;
  return claimRows(db, 'sources', condition, { now, until: now + POLL_LEASE });
}

/** @returns null while another process polls the source */
export async function claimSource(db: Db, id: string, now: number): Promise<SourceRow | null> {
  await db.updateTable('sources').set({ due_at: now }).where('id', '=', id).where('due_at', '>', now).execute();
  const [row] = await claimRows(db, 'sources', sql`id = ${id}`, { now, until: now + POLL_LEASE });
  return row ?? null;
}

type Progress = Partial<
  Pick<
    SourceRow,
    'api' | 'endpoint' | 'etag' | 'last_modified' | 'read_to' | 'repaired' | 'swept_at' | 'fully_swept_at'
  >
>;

/** Records progress, and extends the lease. @returns whether the claim still holds */
export async function recordPollProgress(
  db: Db,
  claim: SourceClaim,
  progress: Progress,
  now: number,
): Promise<boolean> {
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

/** Ends a claimed poll that succeeded. A request that came meanwhile makes the source due at once. */
export async function recordSuccess(
  db: Db,
  claim: SourceClaim,
  { startedAt, pollMinutes }: { startedAt: number; pollMinutes: number },
  now: number,
): Promise<void> {
  await updateClaimed(db, 'sources', { id: claim.id, fence: claim.fence })
    .set({
      due_at: sql<number>`case when requested_at >= ${startedAt} then cast(${now} as bigint)
        else cast(${now + pollMinutes * MINUTE} as bigint) end`,
      ...{ lease_until: null, polled_at: startedAt, succeeded_at: now, requested_at: null },
      ...{ failures: 0, failing_since: null, problem: null },
    })
    .execute();
}

/** Ends a claimed poll that failed. @param retryAt the earliest that the server wants, or null */
export async function recordFailure(
  db: Db,
  { id, fence, failures }: SourceRow,
  failure: { startedAt: number; problem: string; retryAt: number | null; pollMinutes: number; forgetEndpoint: boolean },
  now: number,
): Promise<void> {
  const { startedAt, problem, retryAt, pollMinutes, forgetEndpoint } = failure;
  const delay = Math.min(
    pollMinutes * MINUTE * 2 ** Math.min(failures, 10),
    Math.max(MAX_RETRY_DELAY, pollMinutes * MINUTE),
  );
  await updateClaimed(db, 'sources', { id, fence })
    .set({
      due_at: Math.max(now + delay, retryAt ?? 0),
      ...{ lease_until: null, polled_at: startedAt, failures: failures + 1, problem },
      failing_since: sql<number>`coalesce(failing_since, ${startedAt})`,
      ...(forgetEndpoint ? { endpoint: null } : {}),
    })
    .execute();
}

/** Gives a claimed poll back as it was, so that it is due at once: the process ends. */
export async function releaseSource(db: Db, claim: SourceClaim, now: number): Promise<void> {
  await updateClaimed(db, 'sources', { id: claim.id, fence: claim.fence })
    .set({ due_at: now, lease_until: null })
    .execute();
}

/** Makes a source due at once. */
export async function requestPoll(db: Db, id: string, now: number): Promise<void> {
  await db
    .updateTable('sources')
    .set({
      requested_at: now,
      due_at: sql<number>`case when due_at > ${now} then cast(${now} as bigint) else due_at end`,
    })
    .where('id', '=', id)
    .execute();
}

/** Pauses the polls of a source, or resumes them, at once. */
export async function setPaused(db: Db, id: string, isPaused: boolean, now: number): Promise<void> {
  const change = isPaused ? { paused_at: now } : { paused_at: null, due_at: now };
  await db.updateTable('sources').set(change).where('id', '=', id).execute();
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
    .set({ failures: 0, failing_since: null, problem: null })
    .where('id', 'in', ids)
    .where('failing_since', 'is not', null)
    .execute();
}

export function apiName(api: SourceApi): string {
  return { wordpress: 'the WordPress REST API', ghost: 'the Ghost Content API', feed: 'a feed' }[api];
}
