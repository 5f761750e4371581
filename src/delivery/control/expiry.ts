/**
 * Expiry of the deliveries of an edition whose delivery was interrupted, for example by a pause over night.
 */
import { type RawBuilder, sql } from 'kysely';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, type Store } from '../../core/store/store.ts';
import { isAtDomain } from '../../lib/address.ts';

/**
 * Counts the pending deliveries of an edition that have expired: they would fail at once if it is resumed.
 * @param domain counts only recipients of this domain, in lower case and A-labels
 */
export async function countExpiredPending(db: Db, editionId: number, now: number, domain?: string): Promise<number> {
  const { count } = await db
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('edition_id', '=', editionId)
    .where(isInOpenState('deliveries'))
    .where('state', '=', 'pending')
    .where('expires_at', '<=', now)
    .where(isTo(domain))
    .executeTakeFirstOrThrow();
  return count;
}

function isTo(domain: string | undefined): RawBuilder<boolean> {
  if (domain === undefined) return sql<boolean>`1 = 1`;
  return sql<boolean>`exists (
    select 1 from subscribers where subscribers.id = deliveries.subscriber_id and ${isAtDomain(domain)}
  )`;
}

// A few milliseconds per transaction, so that other writers do not wait.
const BATCH = 5_000;

/**
 * Extends the open deliveries of an edition that expire before an instant to that instant.
 * @param domain as for `countExpiredPending`
 * @returns their number
 */
export async function extendDeliveries(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  editionId: number,
  expiresAt: number,
  domain?: string,
): Promise<number> {
  let extended = 0;
  for (let after = 0; ; ) {
    const rows = await findExpiringBefore(reports, editionId, { expiresAt, after, domain });
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
  { expiresAt, after, domain }: { expiresAt: number; after: number; domain: string | undefined },
): Promise<{ subscriber_id: number }[]> {
  return db
    .selectFrom('deliveries')
    .select('subscriber_id')
    .where('edition_id', '=', editionId)
    .where('subscriber_id', '>', after)
    .where('state', 'in', [PENDING, SUBMITTING])
    .where('expires_at', '<', expiresAt)
    .where(isTo(domain))
    .orderBy('subscriber_id')
    .limit(BATCH)
    .execute();
}
