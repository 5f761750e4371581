/**
 * Changes of the stored state: pauses, resumes and cancels editions, releases a held queue, settles uncertain
 * deliveries. Repeating any of these changes nothing. Each takes an `onCommit`, which is called last in the transaction
 * of the change, and only if something changed. No alert is changed here.
 */
import { sql } from 'kysely';
import { type Action, ActionableError } from '../../core/actions.ts';
import { readDeliveryCounts } from '../../core/store/counts.ts';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { revokedLease } from '../../core/store/lease.ts';
import { DELIVERY_HELD } from '../../core/store/meta.ts';
import { type Db, type InTransaction, inTransaction, type Store } from '../../core/store/store.ts';
import type { EditionDeliveryState } from '../../core/store/tables/edition-tables.ts';
import type { DeliveryState } from '../../core/store/tables.ts';
import { editionAction } from '../../editions/edition-action.ts';
import { findEditionById, fullEditionName, listRevisions } from '../../editions/queries.ts';
import { rfc3339 } from '../../lib/time.ts';
import { CANCELLED, MAY_HAVE_ARRIVED, mayHaveArrived } from '../queue/delivery-outcome.ts';

/** The operator asked for something that is not possible. */
export class DeliveryControlError extends ActionableError {
  override name = 'DeliveryControlError';
}

/**
 * Holds the pending deliveries of an edition until it is resumed. Submissions in progress finish.
 * @param reason for the operator; if it is paused already, the first reason is kept
 * @returns false if it was paused already
 * @throws DeliveryControlError if the edition does not exist, or is done or cancelled
 */
export async function pauseEdition(
  db: Db,
  editionId: number,
  reason: string,
  onCommit?: InTransaction,
): Promise<boolean> {
  return changeState(db, editionId, { from: ['delivering'], to: 'paused', reason }, onCommit);
}

/** As `pauseEdition`. @returns false if the edition is not under delivery */
export async function pauseIfDelivering(db: Db, editionId: number, reason: string): Promise<boolean> {
  return setDeliveryState(db, editionId, { from: ['delivering'], to: 'paused', reason });
}

interface StateChange {
  from: readonly EditionDeliveryState[];
  to: EditionDeliveryState;
  reason: string | null;
}

/** @returns false if the edition is in none of the states `from` */
export async function setDeliveryState(db: Db, editionId: number, { from, to, reason }: StateChange): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('editions')
    .set({ delivery_state: to, delivery_reason: reason })
    .where('id', '=', editionId)
    .where('delivery_state', 'in', from)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/**
 * Continues the delivery of a paused edition.
 * @returns false if it was not paused
 * @throws DeliveryControlError if the edition does not exist, or is done or cancelled
 */
export async function resumeEdition(db: Db, editionId: number): Promise<boolean> {
  return changeState(db, editionId, { from: ['paused'], to: 'delivering', reason: null });
}

/**
 * Reads whether an edition is paused.
 * @throws DeliveryControlError if it does not exist, or is done or cancelled
 */
export async function isPaused(db: Db, editionId: number): Promise<boolean> {
  await requireNewestRevision(db, editionId);
  const edition = await findStateOf(db, editionId);
  const { delivery_state: state } = edition;
  if (state === 'done' || state === 'cancelled') throw await stateError(db, edition, 'delivering');
  return state === 'paused';
}

// A few milliseconds per transaction, so that other writers do not wait.
const CANCEL_BATCH = 5_000;

/**
 * Cancels an edition: its pending deliveries are suppressed, in short transactions. Submissions in progress finish.
 * @param reason for the operator
 * @returns number of suppressed deliveries; 0 if it was cancelled before
 * @throws DeliveryControlError if the edition does not exist or is done
 */
export async function cancelEdition(
  { db, dialect }: Pick<Store, 'db' | 'dialect'>,
  editionId: number,
  reason: string,
  now: number,
  onCommit?: InTransaction,
): Promise<number> {
  await changeState(db, editionId, { from: ['delivering', 'paused'], to: 'cancelled', reason }, onCommit);
  const lock = dialect === 'postgres' ? sql`for update` : sql``;
  for (let cancelled = 0; ; ) {
    // Only while it is cancelled: an operator may retry it meanwhile.
    const { numAffectedRows } = await sql`
      with open as (
        select edition_id, subscriber_id from deliveries
        where edition_id = ${editionId} and ${isInOpenState('deliveries')} and state = 'pending'
        order by edition_id, due_at, subscriber_id
        limit ${CANCEL_BATCH}
        ${lock}
      )
      update deliveries
      set state = 'suppressed', lease_until = null, changed_at = cast(${now} as bigint),
        reason = ${CANCELLED} || (select coalesce(delivery_reason, '') from editions where id = ${editionId})
          || case when ${mayHaveArrived('deliveries')} then ${`; ${MAY_HAVE_ARRIVED}`} else '' end
      from open
      where deliveries.edition_id = open.edition_id and deliveries.subscriber_id = open.subscriber_id
        and deliveries.state = 'pending'
        and exists (select 1 from editions where id = ${editionId} and delivery_state = 'cancelled')`.execute(db);
    const count = Number(numAffectedRows ?? 0n);
    cancelled += count;
    if (count === 0) return cancelled;
  }
}

/**
 * Releases a queue that is held, for example after a backup was restored.
 * @returns false if it was not held
 */
export async function releaseQueue(db: Db, onCommit?: InTransaction): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const { numDeletedRows } = await tx.deleteFrom('meta').where('key', '=', DELIVERY_HELD).executeTakeFirstOrThrow();
    if (numDeletedRows > 0n) await onCommit?.(tx);
    return numDeletedRows > 0n;
  });
}

/**
 * Settles the uncertain deliveries of an edition, or one of them: they were submitted, or are to be submitted again
 * (`retry`).
 * @returns their number, and that of submissions that may still be in progress, with the end of the last lease
 * @throws DeliveryControlError if there is no such edition or delivery, the delivery is not uncertain, or the edition
 *   is cancelled and `as` is `retry`
 */
export async function settleDeliveries(
  db: Db,
  { editionId, subscriberId }: { editionId: number; subscriberId?: number | undefined },
  as: 'submitted' | 'retry',
  now: number,
  onCommit?: InTransaction,
): Promise<{ settled: number; inProgress: number; until: number | null }> {
  const edition = await findStateOf(db, editionId);
  const name = `${edition.newsletter}/${edition.slot}`;
  if (as === 'retry') {
    await requireNewestRevision(db, editionId);
    if (edition.delivery_state === 'cancelled') {
      throw new DeliveryControlError(
        `${name} is cancelled, so its deliveries cannot be retried: settle it as submitted`,
      );
    }
  }
  const state = as === 'submitted' ? 'submitted' : 'pending';
  const columns =
    as === 'submitted'
      ? { reply: 'settled by the operator as submitted', reason: null }
      : { due_at: now, reason: 'settled by the operator: retried with the same Message-ID' };
  const settled = await inTransaction(db, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('deliveries')
      .set({ state, ...revokedLease('deliveries'), changed_at: now, ...columns })
      .where('edition_id', '=', editionId)
      .$if(subscriberId !== undefined, (q) => q.where('subscriber_id', '=', subscriberId as number))
      .where(isInOpenState('deliveries'))
      .where('state', '=', 'submitting')
      .where('lease_until', '<=', now)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows > 0n) await onCommit?.(tx);
    return Number(numUpdatedRows);
  });
  if (subscriberId !== undefined && settled === 0) await requireState(db, { editionId, subscriberId, name }, state);
  const { count, until } = await db
    .selectFrom('deliveries')
    .select((e) => [e.fn.countAll<number>().as('count'), e.fn.max('lease_until').as('until')])
    .where('edition_id', '=', editionId)
    .where(isInOpenState('deliveries'))
    .where('state', '=', 'submitting')
    .where('lease_until', '>', now)
    .executeTakeFirstOrThrow();
  return { settled, inProgress: count, until };
}

/** @throws DeliveryControlError unless the delivery has that state already */
async function requireState(
  db: Db,
  { editionId, subscriberId, name }: { editionId: number; subscriberId: number; name: string },
  wanted: DeliveryState,
): Promise<void> {
  const row = await db
    .selectFrom('deliveries')
    .select(['state', 'lease_until'])
    .where('edition_id', '=', editionId)
    .where('subscriber_id', '=', subscriberId)
    .executeTakeFirst();
  const what = `the delivery of ${name} to subscriber ${subscriberId}`;
  if (row === undefined) throw new DeliveryControlError(`${what} does not exist`);
  if (row.state === wanted) return;
  throw new DeliveryControlError(
    row.state === 'submitting' && row.lease_until !== null
      ? `${what} may still be in progress: settle it after ${rfc3339(row.lease_until)}`
      : `${what} is ${row.state}, not uncertain`,
  );
}

/** @throws DeliveryControlError if the edition does not exist, or has been reissued: it names the newest revision */
export async function requireNewestRevision(db: Db, editionId: number): Promise<void> {
  const edition = await findEditionById(db, editionId);
  if (edition === null) throw new DeliveryControlError(`edition ${editionId} does not exist`);
  if (edition.supersededBy === null) return;
  const [newest = edition] = await listRevisions(db, edition.newsletter, edition.slot);
  throw new DeliveryControlError(
    `${fullEditionName(edition)} has been reissued: use ${fullEditionName(newest)}, its revision ${newest.revision}`,
  );
}

/** @returns false if it was in that state before */
async function changeState(db: Db, editionId: number, change: StateChange, onCommit?: InTransaction): Promise<boolean> {
  const { to } = change;
  const hasChanged = await inTransaction(db, async (tx) => {
    const isSet = await setDeliveryState(tx, editionId, change);
    if (isSet) await onCommit?.(tx);
    return isSet;
  });
  if (hasChanged) return true;
  const edition = await findStateOf(db, editionId);
  if (edition.delivery_state === to) return false;
  await requireNewestRevision(db, editionId);
  throw await stateError(db, edition, to);
}

async function stateError(
  db: Db,
  { id, newsletter, slot, delivery_state: state }: Awaited<ReturnType<typeof findStateOf>>,
  to: EditionDeliveryState,
): Promise<DeliveryControlError> {
  const name = `${newsletter}/${slot}`;
  const verb = { delivering: 'resumed', paused: 'paused', cancelled: 'cancelled', done: 'done' }[to];
  const problem = `${name} is ${state} and cannot be ${verb}`;
  if (to !== 'delivering') return new DeliveryControlError(problem);
  const purpose = 'deliver what was not submitted';
  if (state === 'cancelled') return new DeliveryControlError(problem, [retryCancelled(purpose, name)]);
  const hasFailed = (await readDeliveryCounts(db, [id])).some((row) => row.state === 'failed' && row.count > 0);
  return new DeliveryControlError(problem, hasFailed ? [editionAction('retry', purpose, name)] : []);
}

/** @throws DeliveryControlError if it does not exist */
export async function findStateOf(db: Db, editionId: number) {
  const edition = await db
    .selectFrom('editions')
    .select(['id', 'newsletter', 'slot', 'delivery_state'])
    .where('id', '=', editionId)
    .executeTakeFirst();
  if (edition === undefined) throw new DeliveryControlError(`edition ${editionId} does not exist`);
  return edition;
}

/** Delivers a cancelled edition after all. */
export function retryCancelled(to: string, edition: string): Action {
  return editionAction('retry', to, edition, {
    options: '--cancelled',
    desk: '“Deliver it after all” under Deliveries',
  });
}
