/**
 * What a live store has that a backup lacks. Only reads, and blocks no writer.
 */
import { existsSync } from 'node:fs';
import { sql } from 'kysely';
import type { Config } from '../../core/config/config.ts';
import { openForReading } from '../../core/store/backup/backup.ts';
import { schemaState } from '../../core/store/schema.ts';
import { type Db, openStore, type Store } from '../../core/store/store.ts';
import type { RevisionKey } from './after-release.ts';

/** Numbers of what was done after the backup: a restore would lose it. */
export interface LostSince {
  articles: number;
  /** Articles of the backup that were edited since. */
  editedArticles: number;
  subscribers: number;
  /** Subscriptions, confirmations, unsubscriptions and all else that is proof of consent. */
  consentEvents: number;
  suppressions: number;
  editions: number;
  submittedDeliveries: number;
}

/**
 * Opens the store of the configuration for reading, without creating it.
 * @returns the reason where it cannot be compared with a backup of the current schema
 * @throws StoreError where it cannot be opened
 */
export async function openLiveStore({ secrets, paths }: Config): Promise<{ store: Store } | { reason: string }> {
  const { databaseUrl } = secrets;
  if (databaseUrl === undefined && !existsSync(paths.store)) return { reason: `there is no store ${paths.store}` };
  const store = databaseUrl === undefined ? openForReading(paths.store) : await openStore({ databaseUrl, path: '' });
  const { kind } = await schemaState(store).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  if (kind === 'current') return { store };
  await store.close();
  const reason = kind === 'empty' ? 'is empty' : 'does not have the schema of this version';
  return { reason: `the store ${store.location} ${reason}` };
}

/** @param since when the backup was made, epoch milliseconds */
export async function countLostSince(live: Db, since: number): Promise<LostSince> {
  const { rows } = await sql<LostSince>`select
    (select count(*) from articles where created_at > ${since}) as articles,
    (select count(*) from articles where updated_at > ${since} and created_at <= ${since}) as "editedArticles",
    (select count(*) from subscribers where created_at > ${since}) as subscribers,
    (select count(*) from consent_events where at > ${since}) as "consentEvents",
    (select count(*) from suppressions where at > ${since}) as suppressions,
    (select count(*) from editions where closed_at > ${since}) as editions,
    (select count(*) from deliveries
      where state = 'submitted' and changed_at > ${since}) as "submittedDeliveries"`.execute(live);
  return rows[0] as LostSince;
}

/** How many deliveries of an edition were submitted after the backup. */
export async function countSubmittedSince(live: Db, edition: RevisionKey, since: number): Promise<number> {
  const { n } = await live
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .select((select) => select.fn.countAll<number>().as('n'))
    .where('editions.newsletter', '=', edition.newsletter)
    .where('editions.slot', '=', edition.slot)
    .where('editions.revision', '=', edition.revision)
    .where('deliveries.state', '=', 'submitted')
    .where('deliveries.changed_at', '>', since)
    .executeTakeFirstOrThrow();
  return n;
}
