/**
 * Retention of subscribers who never confirmed anything, of those who left, and of client addresses.
 */
import { sql } from 'kysely';
import type { SigningSecrets } from '../config/signing-secrets.ts';
import type { Db, Store } from '../store/store.ts';
import { lockSubscriber } from './consent/changes.ts';
import { replaceByHash } from './erasure.ts';

/** Rows per transaction: a few tens of milliseconds of writing. */
const BATCH = 5_000;

/**
 * Deletes subscribers without a confirmation, ever, and without a change since an instant. Suppressed ones are kept.
 * @returns number of deleted subscribers
 */
export async function deleteUnconfirmed({ db, reports, dialect }: Store, since: number): Promise<number> {
  let deleted = 0;
  for (let last = 0; ; ) {
    const ids = await findUnconfirmed(reports, since, { after: last });
    if (ids.length === 0) return deleted;
    last = ids.at(-1) as number;
    deleted += await db.transaction().execute(async (tx) => {
      // A concurrent confirmation holds the lock first; the second query then no longer finds that subscriber.
      const lock = tx.selectFrom('subscribers').select('id').where('id', 'in', ids).orderBy('id');
      if (dialect === 'postgres') await lock.forUpdate().execute();
      const unconfirmed = await findUnconfirmed(tx, since, { among: ids });
      if (unconfirmed.length === 0) return 0;
      await tx.deleteFrom('bounces').where('subscriber_id', 'in', unconfirmed).execute();
      await tx.deleteFrom('service_messages').where('subscriber_id', 'in', unconfirmed).execute();
      // Cascades to subscriptions and consent_events.
      await tx.deleteFrom('subscribers').where('id', 'in', unconfirmed).execute();
      return unconfirmed.length;
    });
  }
}

async function findUnconfirmed(
  db: Db,
  since: number,
  which: { after: number } | { among: number[] },
): Promise<number[]> {
  const rows = await db
    .selectFrom('subscribers')
    .select('id')
    .where('created_at', '<', since)
    .where('suppressed_reason', 'is', null)
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('subscriptions')
            .select('subscriptions.subscriber_id')
            .whereRef('subscriptions.subscriber_id', '=', 'subscribers.id')
            .where((f) => f.or([f('state', '<>', 'unconfirmed'), f('changed_at', '>=', since)])),
        ),
      ),
    )
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('consent_events')
            .select('consent_events.id')
            .whereRef('consent_events.subscriber_id', '=', 'subscribers.id')
            .where('change', '=', 'confirmed'),
        ),
      ),
    )
    .where((e) => ('after' in which ? e('id', '>', which.after) : e('id', 'in', which.among)))
    .orderBy('id')
    .limit(BATCH)
    .execute();
  return rows.map((row) => row.id);
}

/** Subscribers per transaction: each takes a few milliseconds, because its deliveries are looked up by edition. */
const LEAVERS_BATCH = 20;

/**
 * Deletes subscribers all of whose subscriptions ended before an instant, with the proof of their consent. The hash of
 * the address remains on the suppression list, so that no import adds it again.
 * @returns number of deleted subscribers
 */
export async function deleteLeavers(
  { db, reports }: Store,
  secrets: SigningSecrets,
  since: number,
  now: number,
): Promise<number> {
  let deleted = 0;
  for (let last = 0; ; ) {
    const ids = await findLeavers(reports, since, { after: last });
    if (ids.length === 0) return deleted;
    last = ids.at(-1) as number;
    deleted += await db.transaction().execute(async (tx) => {
      let count = 0;
      for (const id of ids) {
        const subscriber = await lockSubscriber(tx, id);
        // Not if the subscriber has come back since the first query.
        if (subscriber === null || (await findLeavers(tx, since, { among: [id] })).length === 0) continue;
        await replaceByHash(tx, secrets, subscriber, ['hard-bounce', 'soft-bounces', 'complaint', 'operator'], now);
        count += 1;
      }
      return count;
    });
  }
}

async function findLeavers(db: Db, since: number, which: { after: number } | { among: number[] }): Promise<number[]> {
  const rows = await db
    .selectFrom('subscribers')
    .select('id')
    .where((e) => {
      const subscriptions = e
        .selectFrom('subscriptions')
        .select('subscriptions.subscriber_id')
        .whereRef('subscriptions.subscriber_id', '=', 'subscribers.id');
      const open = subscriptions.where((f) => f.or([f('state', '<>', 'unsubscribed'), f('changed_at', '>=', since)]));
      return e.and([e.exists(subscriptions), e.not(e.exists(open))]);
    })
    .where((e) => ('after' in which ? e('id', '>', which.after) : e('id', 'in', which.among)))
    .orderBy('id')
    .limit(LEAVERS_BATCH)
    .execute();
  return rows.map((row) => row.id);
}

/** The events whose source is a client's address. In these words, so that their partial index is used. */
const hasClientAddress = sql<boolean>`source is not null
  and channel in ('form', 'confirmation', 'preferences', 'unsubscribe-page', 'one-click')`;

/** Deletes the addresses of clients from events before an instant; the events remain. @returns number of events */
export async function deleteClientAddresses({ db }: Store, since: number): Promise<number> {
  let changed = 0;
  for (;;) {
    const { numUpdatedRows } = await db
      .updateTable('consent_events')
      .set({ source: null })
      .where('id', 'in', (e) =>
        e.selectFrom('consent_events').select('id').where('at', '<', since).where(hasClientAddress).limit(BATCH),
      )
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return changed;
    changed += Number(numUpdatedRows);
  }
}
