/**
 * Retention of subscribers who never confirmed anything.
 */
import type { Db, Store } from '../store/store.ts';

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
