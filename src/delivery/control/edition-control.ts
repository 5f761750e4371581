/**
 * The operator at the wheel: pauses, resumes and cancels editions, and lets a held queue go. Doing any of it twice changes nothing more.
 */
import { sql } from 'kysely';
import { rfc3339 } from '../../lib/time.ts';
import { DELIVERY_HELD, readMeta, writeMeta } from '../../store/meta.ts';
import type { Db, Store } from '../../store/store.ts';
import type { EditionDeliveryState } from '../../store/tables.ts';
import { CANCELLED } from '../queue/delivery-outcome.ts';

/** What the operator asked of the queue that cannot be done, said for the operator. */
export class DeliveryControlError extends Error {
  override name = 'DeliveryControlError';
}

/**
 * Holds what is pending of an edition until it is resumed. What is on the wire is finished.
 * @param reason said for an operator; where it is paused already, the first reason stays
 * @returns false where it was paused already
 * @throws SteeringError where there is no such edition, or it is done or cancelled
 */
export async function pauseEdition(db: Db, editionId: number, reason: string): Promise<boolean> {
  return change(db, editionId, { from: ['delivering'], to: 'paused', reason });
}

/**
 * Lets a paused edition go on.
 * @returns false where it wasn't paused
 * @throws SteeringError where there is no such edition, or it is done or cancelled
 */
export async function resumeEdition(db: Db, editionId: number): Promise<boolean> {
  return change(db, editionId, { from: ['paused'], to: 'delivering', reason: null });
}

// A few milliseconds' writing: other writers come in between.
const CANCELLED_AT_ONCE = 5_000;

/**
 * Ends an edition: all that is pending of it is suppressed, in short transactions. What is on the wire is finished.
 * @param reason said for an operator
 * @returns how many deliveries were suppressed; none where it was cancelled before
 * @throws SteeringError where there is no such edition, or it is done
 */
export async function cancelEdition(
  { db, dialect }: Pick<Store, 'db' | 'dialect'>,
  editionId: number,
  reason: string,
  now: number,
): Promise<number> {
  await change(db, editionId, { from: ['delivering', 'paused'], to: 'cancelled', reason });
  const lock = dialect === 'postgres' ? sql`for update` : sql``;
  for (let cancelled = 0; ; ) {
    const { numAffectedRows } = await sql`
      with open as (
        select edition_id, subscriber_id from deliveries
        where edition_id = ${editionId} and state in ('pending', 'submitting') and state = 'pending'
        order by edition_id, due_at, subscriber_id
        limit ${CANCELLED_AT_ONCE}
        ${lock}
      )
      update deliveries
      set state = 'suppressed', lease_until = null, changed_at = cast(${now} as bigint),
        reason = ${CANCELLED} || (select coalesce(delivery_reason, '') from editions where id = ${editionId})
      from open
      where deliveries.edition_id = open.edition_id and deliveries.subscriber_id = open.subscriber_id
        and deliveries.state = 'pending'`.execute(db);
    const count = Number(numAffectedRows ?? 0n);
    cancelled += count;
    if (count === 0) return cancelled;
  }
}

/**
 * Lets a held queue go, such as a restored backup's.
 * @returns false where it wasn't held
 */
export async function releaseQueue(db: Db): Promise<boolean> {
  if ((await readMeta(db, DELIVERY_HELD)) === undefined) return false;
  await writeMeta(db, DELIVERY_HELD, null);
  return true;
}

/**
 * Settles one uncertain delivery: it had arrived (`submitted`), or it is mailed once more (`retry`). Settling it the same way twice
 * changes nothing.
 * @throws SteeringError where there is no such delivery, or it is not uncertain
 */
export async function settleDelivery(
  db: Db,
  editionId: number,
  subscriberId: number,
  as: 'submitted' | 'retry',
  now: number,
): Promise<void> {
  const row = await findDelivery(db, editionId, subscriberId);
  if (row === undefined)
    throw new DeliveryControlError(`there is no delivery of edition ${editionId} to subscriber ${subscriberId}`);
  const state = as === 'submitted' ? 'submitted' : 'pending';
  if (row.state === state) return;
  const which = `the delivery of edition ${editionId} to subscriber ${subscriberId}`;
  if (row.state !== 'submitting')
    throw new DeliveryControlError(`${which} is ${row.state}, not uncertain: there is nothing to settle`);
  if (row.lease_until !== null && row.lease_until > now) {
    throw new DeliveryControlError(`${which} may still be on the wire: settle it after ${rfc3339(row.lease_until)}`);
  }
  if (as === 'retry' && row.delivery_state === 'cancelled') {
    throw new DeliveryControlError(
      `edition ${editionId} is cancelled, nothing of it is mailed again: settle it as submitted`,
    );
  }
  const { numUpdatedRows } = await db
    .updateTable('deliveries')
    .set({
      state,
      // Whoever wakes up with the old claim may record nothing.
      fence: sql<number>`fence + 1`,
      lease_until: null,
      changed_at: now,
      ...(as === 'submitted'
        ? { reply: 'settled by the operator as submitted', reason: null }
        : { due_at: now, reason: 'settled by the operator: tried again with the same Message-ID' }),
    })
    .where('edition_id', '=', editionId)
    .where('subscriber_id', '=', subscriberId)
    .where('fence', '=', row.fence)
    .where('state', '=', 'submitting')
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw new DeliveryControlError(`${which} has just changed: look again`);
}

function findDelivery(db: Db, editionId: number, subscriberId: number) {
  return db
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .select(['deliveries.state', 'deliveries.fence', 'deliveries.lease_until', 'editions.delivery_state'])
    .where('deliveries.edition_id', '=', editionId)
    .where('deliveries.subscriber_id', '=', subscriberId)
    .executeTakeFirst();
}

/** @returns whether this call changed it; not where it stood there before */
async function change(
  db: Db,
  editionId: number,
  { from, to, reason }: { from: EditionDeliveryState[]; to: EditionDeliveryState; reason: string | null },
): Promise<boolean> {
  const changed = await db
    .updateTable('editions')
    .set({ delivery_state: to, delivery_reason: reason })
    .where('id', '=', editionId)
    .where('delivery_state', 'in', from)
    .executeTakeFirstOrThrow();
  if (changed.numUpdatedRows > 0n) return true;
  const edition = await db
    .selectFrom('editions')
    .select('delivery_state')
    .where('id', '=', editionId)
    .executeTakeFirst();
  if (edition === undefined) throw new DeliveryControlError(`there is no edition ${editionId}`);
  if (edition.delivery_state === to) return false;
  const wanted = { delivering: 'resumed', paused: 'paused', cancelled: 'cancelled', done: 'done' }[to];
  const why = edition.delivery_state === 'done' ? 'nothing of it is left to deliver' : 'that cannot be undone';
  throw new DeliveryControlError(`edition ${editionId} is ${edition.delivery_state}, ${why}: it cannot be ${wanted}`);
}
