/**
 * Retention of deliveries, service messages and bounces. Every statement is short, so that other writers do not wait.
 * An interrupted run is continued by the next, and running twice, or concurrently, changes nothing.
 */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { AppContext } from '../core/app-context.ts';
import { isInOpenState, OPEN_DELIVERY_STATES } from '../core/store/delivery-states.ts';
import type { Db, Store } from '../core/store/store.ts';
import { DAY } from '../lib/time.ts';
import { deleteRefusalsOfFinished } from './control/circuit-breaker.ts';
import { deleteProgress } from './progress.ts';
import { EVENT_IDS_KEPT } from './providers/report-reader.ts';
import { CANCELLED } from './queue/delivery-outcome.ts';
import { hasOpenDeliveries } from './queue/outbox.ts';
import { settleDelivered } from './queue/reported-deliveries.ts';

/** Only deliveries that are not open are folded, so those that can be settled are settled first. */
export async function runDeliveryRetention(
  { store, config }: AppContext,
  now: number,
): Promise<Record<string, number>> {
  const before = now - config.retention.deliveriesDays * DAY;
  const isEnded = sql<SqlBool>`changed_at < ${before} and expires_at < ${before}
    and state not in (${sql.join(OPEN_DELIVERY_STATES)})`;
  await settleDelivered(store, now);
  await failUncertainOfCancelled(store, now);
  await deleteRefusalsOfFinished(store.db);
  return {
    deliveries: await foldDeliveries(store, before),
    // Of editions before the first that has deliveries.
    editionCopies: await deleteRepeatedly(
      store.db,
      sql`delete from edition_copies where id in (select id from edition_copies where edition_id < (
        select coalesce(min(edition_id), ${Number.MAX_SAFE_INTEGER}) from deliveries) limit ${BATCH})`,
    ),
    // Minutes of the progress of deliveries.
    progress: await deleteProgress(store.db, before),
    serviceMessages: await deleteOldRows(store, 'service_messages', isEnded),
    bounces: await deleteOldRows(store, 'bounces', sql`at < ${before}`),
    // Ids of what mail providers reported.
    providerEvents: await deleteRepeatedly(
      store.db,
      sql`delete from webhook_events where (provider, id) in (
        select provider, id from webhook_events where received_at < ${now - EVENT_IDS_KEPT} limit ${BATCH})`,
    ),
  };
}

/** Rows per statement: a few tens of milliseconds of writing. */
const BATCH = 5_000;

/**
 * Replaces the deliveries of editions that closed before an instant and have none open by totals.
 * @returns number of deleted deliveries
 */
export async function foldDeliveries({ db }: Pick<Store, 'db'>, before: number): Promise<number> {
  let folded = 0;
  for (let last = 0; ; ) {
    const id = await nextEdition(db, last);
    if (id === null) return folded;
    last = id;
    const edition = await db.selectFrom('editions').select('closed_at').where('id', '=', id).executeTakeFirst();
    // Ids grow as editions close, so all following ones are newer.
    if (edition !== undefined && edition.closed_at >= before) return folded;
    if (await hasOpenDeliveries(db, id)) continue;
    for (;;) {
      const count = await foldBatch(db, id);
      folded += count;
      if (count === 0) break;
    }
  }
}

/** The next edition with deliveries: by the primary key, a few index lookups for any number of deliveries. */
async function nextEdition(db: Db, after: number): Promise<number | null> {
  const { id } = await db
    .selectFrom('deliveries')
    .select((e) => e.fn.min('edition_id').as('id'))
    .where('edition_id', '>', after)
    .executeTakeFirstOrThrow();
  return id;
}

/**
 * Counts exactly the rows that its own statement deleted, so that two processes never count a row twice. Leaves rows
 * that an operator has just made pending again.
 */
async function foldBatch(db: Store['db'], editionId: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ state: 'submitted' | 'failed' | 'suppressed' }>`
      delete from deliveries where edition_id = ${editionId} and subscriber_id <= (
        select max(subscriber_id) from (
          select subscriber_id from deliveries where edition_id = ${editionId} order by subscriber_id limit ${BATCH}
        ) as batch
      )
      and not (${isInOpenState('deliveries')}) returning state`.execute(tx);
    const totals = [...Map.groupBy(rows, (row) => row.state)].map(([state, group]) => ({
      edition_id: editionId,
      state,
      count: group.length,
    }));
    if (totals.length === 0) return 0;
    await tx
      .insertInto('delivery_totals')
      .values(totals)
      .onConflict((conflict) =>
        conflict.columns(['edition_id', 'state']).doUpdateSet({ count: sql`delivery_totals.count + excluded.count` }),
      )
      .execute();
    return rows.length;
  });
}

/**
 * Fails the uncertain deliveries of cancelled editions: they are never retried. With `delivery.uncertain: hold`, the
 * operator must settle them before this runs.
 */
async function failUncertainOfCancelled({ db }: Pick<Store, 'db'>, now: number): Promise<void> {
  // A literal state, so that the partial index deliveries_submitting is used.
  await sql`
    update deliveries set state = 'failed', lease_until = null, fence = deliveries.fence + 1,
      changed_at = cast(${now} as bigint), reason = ${CANCELLED} || coalesce(editions.delivery_reason, '')
        || '; its last submission was interrupted, so it may have arrived'
    from editions
    where editions.id = deliveries.edition_id and editions.delivery_state = 'cancelled'
      and deliveries.state = 'submitting' and deliveries.lease_until <= ${now}`.execute(db);
}

/**
 * Deletes rows in batches.
 * @param isOld a condition. No index has it: the rows are found by `reports`.
 * @returns number of deleted rows
 */
export async function deleteOldRows(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  table: 'service_messages' | 'bounces',
  isOld: RawBuilder<SqlBool>,
): Promise<number> {
  let deleted = 0;
  for (let last = 0; ; ) {
    const old = reports.selectFrom(table).select('id').where('id', '>', last).where(isOld);
    const ids = (await old.orderBy('id').limit(BATCH).execute()).map(({ id }) => id);
    const end = ids.at(-1);
    if (end === undefined) return deleted;
    last = end;
    const { numDeletedRows } = await db.deleteFrom(table).where('id', 'in', ids).executeTakeFirstOrThrow();
    deleted += Number(numDeletedRows);
  }
}

/** Repeats a statement that deletes a batch of rows, until none is left. @returns number of deleted rows */
async function deleteRepeatedly(db: Db, statement: RawBuilder<unknown>): Promise<number> {
  for (let deleted = 0; ; ) {
    const { numAffectedRows = 0n } = await statement.execute(db);
    deleted += Number(numAffectedRows);
    if (numAffectedRows === 0n) return deleted;
  }
}
