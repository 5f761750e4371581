/**
 * Expiry of the deliveries of an edition whose delivery was interrupted, for example by a pause over night.
 */
import { sql } from 'kysely';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, type Store } from '../../core/store/store.ts';

/**
 * Counts the pending deliveries of an edition that have expired: they would fail at once if it is resumed.
 */
export async function countExpiredPending(db: Db, editionId: number, now: number): Promise<number> {
  const { count } = await db
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('edition_id', '=', editionId)
    .where(isInOpenState('deliveries'))
    .where('state', '=', 'pending')
    .where('expires_at', '<=', now)
    .executeTakeFirstOrThrow();
  return count;
}

// A few milliseconds per transaction, so that other writers do not wait.
const BATCH = 5_000;

/**
 * Extends the open deliveries of an edition that expire before an instant to that instant.
 * @returns their number
 */
export async function extendDeliveries(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  editionId: number,
  expiresAt: number,
): Promise<number> {
  let extended = 0;
  for (let after = 0; ; ) {
    const rows = await findExpiringBefore(reports, editionId, { expiresAt, after });
    const last = rows.at(-1);
    if (last === undefined) return extended;
    after = last.subscriber_id;
    const r = jsonRows(
      dialectOf(db),
      rows.map((row) => [row.subscriber_id]),
      { subscriber_id: 'int' },
    );
    const { numAffectedRows } = await sql`update deliveries set expires_at = cast(${expiresAt} as bigint)
      from ${r} r
      where deliveries.edition_id = ${editionId} and deliveries.subscriber_id = r.subscriber_id
        and deliveries.expires_at < ${expiresAt} and deliveries.state in (${PENDING}, ${SUBMITTING})`.execute(db);
    extended += Number(numAffectedRows ?? 0n);
  }
}

// Parameters, so that the primary key is used: from the index of open deliveries, each batch would sort all of them.
const PENDING = 'pending';
const SUBMITTING = 'submitting';

function findExpiringBefore(
  db: Db,
  editionId: number,
  { expiresAt, after }: { expiresAt: number; after: number },
): Promise<{ subscriber_id: number }[]> {
  return db
    .selectFrom('deliveries')
    .select('subscriber_id')
    .where('edition_id', '=', editionId)
    .where('subscriber_id', '>', after)
    .where('state', 'in', [PENDING, SUBMITTING])
    .where('expires_at', '<', expiresAt)
    .orderBy('subscriber_id')
    .limit(BATCH)
    .execute();
}
