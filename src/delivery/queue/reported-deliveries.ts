/** Deliveries of which the mail provider has reported something: so it has accepted them. */
import { sql } from 'kysely';
import { countDelivered } from '../../core/store/counts.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { dialectOf, type Store, type Tx } from '../../core/store/store.ts';
import { mayHaveArrived, REPORTED } from './delivery-outcome.ts';
import type { DeliveryClaim } from './outbox.ts';

type DeliveryKey = Pick<DeliveryClaim, 'editionId' | 'subscriberId'>;

/** Records that deliveries have reached their mailbox. Only the first report of each counts. @returns their number */
export async function markDelivered(
  tx: Tx,
  reports: readonly (DeliveryKey & { deliveredAt: number })[],
): Promise<number> {
  if (reports.length === 0) return 0;
  const values = reports.map(({ editionId, subscriberId, deliveredAt }) => [editionId, subscriberId, deliveredAt]);
  const r = jsonRows(dialectOf(tx), values, { edition_id: 'int', subscriber_id: 'int', delivered_at: 'int' });
  const { rows } = await sql<{ edition_id: number }>`update deliveries set delivered_at = r.delivered_at
    from (select edition_id, subscriber_id, min(delivered_at) as delivered_at from ${r} r
      group by edition_id, subscriber_id) r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.delivered_at is null
    returning deliveries.edition_id`.execute(tx);
  const byEdition = [...Map.groupBy(rows, (row) => row.edition_id)].sort(([a], [b]) => a - b);
  for (const [editionId, { length }] of byEdition) await countDelivered(tx, editionId, length);
  return rows.length;
}

/**
 * Settles those that are uncertain as submitted, so that they are not submitted again: interrupted ones, and those that
 * are pending, failed or suppressed after an attempt that may have arrived. One whose submission is in progress is left
 * to its worker.
 */
export async function settleReported(tx: Tx, deliveries: readonly DeliveryKey[], now: number): Promise<void> {
  if (deliveries.length === 0) return;
  const values = deliveries.map(({ editionId, subscriberId }) => [editionId, subscriberId]);
  const r = jsonRows(dialectOf(tx), values, { edition_id: 'int', subscriber_id: 'int' });
  // The fence stops a worker that has claimed it again.
  const { rows } = await sql<{ edition_id: number; subscriber_id: number }>`update deliveries
    set state = 'submitted', reply = ${REPORTED}, reason = null, lease_until = null, fence = fence + 1,
      changed_at = cast(${now} as bigint)
    from ${r} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.state <> ${SUBMITTED}
      and case when deliveries.state = ${SUBMITTING} then deliveries.lease_until <= ${now}
        else coalesce(${mayHaveArrived('deliveries')}, false) end
    returning deliveries.edition_id, deliveries.subscriber_id`.execute(tx);
  // They were not refused after all.
  for (const { edition_id, subscriber_id } of rows) {
    await tx
      .deleteFrom('edition_refusals')
      .where('edition_id', '=', edition_id)
      .where('subscriber_id', '=', subscriber_id)
      .execute();
  }
}

/**
 * Settles interrupted deliveries whose report came while their worker was ending. A claim does the same, but with
 * `delivery.uncertain: hold` they are never claimed.
 */
export async function settleDelivered({ db }: Pick<Store, 'db'>, now: number): Promise<void> {
  await sql`update deliveries
    set state = 'submitted', reply = ${REPORTED}, reason = null, lease_until = null, fence = fence + 1,
      changed_at = cast(${now} as bigint)
    where state = 'submitting' and lease_until <= ${now} and delivered_at is not null`.execute(db);
}

// Parameters: literals would make SQLite use the index of open deliveries.
const SUBMITTED = 'submitted';
const SUBMITTING = 'submitting';
