/**
 * What is old enough goes: deliveries and runs fold into totals, the rest is deleted. In short transactions, so that nothing else waits
 * for long; whatever was interrupted is done the next time, and doing it twice changes nothing.
 */
import { sql } from 'kysely';
import type { Config } from '../config/config.ts';
import { DAY, localDate } from '../lib/time.ts';
import { forgetRates } from '../store/rate-limits.ts';
import type { Db, Store } from '../store/store.ts';
import type { RunState } from '../store/tables.ts';
import { CANCELLED } from './queue/delivery-outcome.ts';

/** How many rows went. */
export interface RetentionReport {
  deliveries: number;
  runs: number;
  /** Subscribers who never confirmed anything. */
  unconfirmed: number;
  serviceMessages: number;
  bounces: number;
  rates: number;
  /** Counts of feed readers. */
  readers: number;
}

/** A few tens of milliseconds' writing. */
const AT_ONCE = 5_000;

/**
 * Keeps house at `now`, by the configured times. Several processes at once may do it.
 * @throws where the store fails; what was done until then is kept
 */
export async function runRetention(
  store: Store,
  config: Pick<Config, 'retention' | 'signup' | 'publication'>,
  now: number,
): Promise<RetentionReport> {
  const { deliveriesDays, runsDays, readersDays } = config.retention;
  const oldDeliveries = now - deliveriesDays * DAY;
  const unconfirmedSince = now - config.signup.deleteUnconfirmedAfterDays * DAY;
  // Whatever the zone was, nobody counts on these days any more.
  const lastDay = localDate(now - 3 * DAY, config.publication.zone);
  await store.db.deleteFrom('warm_up_days').where('day', '<', lastDay).execute();
  await endCancelled(store, now);
  return {
    deliveries: await foldDeliveries(store, oldDeliveries),
    runs: await foldRuns(store, now - runsDays * DAY),
    unconfirmed: await forgetUnconfirmed(store, unconfirmedSince),
    serviceMessages: await forgetServiceMessages(store, oldDeliveries),
    bounces: await forgetBounces(store, oldDeliveries),
    rates: await forgetRates(store.db, now),
    readers: await forgetReaders(store.db, localDate(now - readersDays * DAY, config.publication.zone)),
  };
}

async function foldDeliveries({ db }: Store, before: number): Promise<number> {
  let folded = 0;
  for (let last = 0; ; ) {
    // From one edition to the next by the primary key: a few seeks, however many deliveries there are.
    const { id } = await db
      .selectFrom('deliveries')
      .select((e) => e.fn.min('edition_id').as('id'))
      .where('edition_id', '>', last)
      .executeTakeFirstOrThrow();
    if (id === null) return folded;
    last = id;
    const edition = await db.selectFrom('editions').select('closed_at').where('id', '=', id).executeTakeFirst();
    // Ids grow as editions close: all that follow are newer.
    if (edition !== undefined && edition.closed_at >= before) return folded;
    if (await hasOpenDeliveries(db, id)) continue;
    for (;;) {
      const count = await foldSome(db, id);
      folded += count;
      if (count === 0) break;
    }
  }
}

/**
 * Ends what is uncertain of cancelled editions: it is never tried again, and what was not known by then will not be. Where it is left to
 * the operator (`delivery.uncertain: hold`), it must be settled before.
 */
async function endCancelled({ db }: Store, now: number): Promise<void> {
  for (let last = 0; ; ) {
    // From one edition with open deliveries to the next, by the partial index deliveries_open.
    const { id } = await db
      .selectFrom('deliveries')
      .select((e) => e.fn.min('edition_id').as('id'))
      .where(sql<boolean>`state in ('pending', 'submitting')`)
      .where('edition_id', '>', last)
      .executeTakeFirstOrThrow();
    if (id === null) return;
    last = id;
    const edition = await db
      .selectFrom('editions')
      .select(['delivery_state', 'delivery_reason'])
      .where('id', '=', id)
      .executeTakeFirst();
    if (edition?.delivery_state !== 'cancelled') continue;
    await db
      .updateTable('deliveries')
      .set({
        state: 'failed',
        // Whoever wakes up with the old claim may record nothing.
        fence: sql<number>`fence + 1`,
        lease_until: null,
        changed_at: now,
        reason: `${CANCELLED}${edition.delivery_reason ?? ''}; its last submission was interrupted, so it may have arrived`,
      })
      .where('edition_id', '=', id)
      .where(sql<boolean>`state in ('pending', 'submitting')`)
      .where('state', '=', 'submitting')
      .where('lease_until', '<=', now)
      .execute();
  }
}

async function hasOpenDeliveries(db: Db, editionId: number): Promise<boolean> {
  const open = await db
    .selectFrom('deliveries')
    .select('subscriber_id')
    .where('edition_id', '=', editionId)
    // Written out for the partial index deliveries_open.
    .where(sql<boolean>`state in ('pending', 'submitting')`)
    .limit(1)
    .executeTakeFirst();
  return open !== undefined;
}

/** What is counted is what this very statement deleted: two processes never count a row twice. */
async function foldSome(db: Store['db'], editionId: number): Promise<number> {
  return db.transaction().execute(async (tx) => {
    const { rows } = await sql<{ state: 'submitted' | 'failed' | 'suppressed' }>`
      delete from deliveries where edition_id = ${editionId} and subscriber_id <= (
        select max(subscriber_id) from (
          select subscriber_id from deliveries where edition_id = ${editionId} order by subscriber_id limit ${AT_ONCE}
        ) as chunk
      ) returning state`.execute(tx);
    const totals = [...Map.groupBy(rows, (row) => row.state)].map(([state, alike]) => ({
      edition_id: editionId,
      state,
      count: alike.length,
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

/** The newest run of a schedule stays: it says up to where its slots are done. So does one that still runs. */
async function foldRuns({ db }: Store, before: number): Promise<number> {
  let folded = 0;
  for (;;) {
    const count = await db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ schedule: string; state: RunState }>`
        delete from runs where (schedule, slot_at) in (
          select old.schedule, old.slot_at from runs as old
          where old.slot_at < ${before} and old.state <> 'running' and exists (
            select 1 from runs as newer where newer.schedule = old.schedule and newer.slot_at > old.slot_at
          )
          limit ${AT_ONCE}
        ) returning schedule, state`.execute(tx);
      if (rows.length === 0) return 0;
      const alike = Map.groupBy(rows, (row) => JSON.stringify([row.schedule, row.state]));
      await tx
        .insertInto('run_totals')
        .values([...alike.values()].map((runs) => ({ ...(runs[0] as (typeof rows)[number]), count: runs.length })))
        .onConflict((conflict) =>
          conflict.columns(['schedule', 'state']).doUpdateSet({ count: sql`run_totals.count + excluded.count` }),
        )
        .execute();
      return rows.length;
    });
    folded += count;
    if (count === 0) return folded;
  }
}

/** Whoever asked and never confirmed, anything, ever. The suppressed stay: they are to be remembered. */
async function forgetUnconfirmed({ db, reports, dialect }: Store, since: number): Promise<number> {
  let forgotten = 0;
  for (let last = 0; ; ) {
    const ids = await findUnconfirmed(reports, since, { after: last });
    if (ids.length === 0) return forgotten;
    last = ids.at(-1) as number;
    forgotten += await db.transaction().execute(async (tx) => {
      // Whoever confirms at this moment holds the row, and is then no longer found.
      const lock = tx.selectFrom('subscribers').select('id').where('id', 'in', ids).orderBy('id');
      if (dialect === 'postgres') await lock.forUpdate().execute();
      const still = await findUnconfirmed(tx, since, { of: ids });
      if (still.length === 0) return 0;
      await tx.deleteFrom('bounces').where('subscriber_id', 'in', still).execute();
      await tx.deleteFrom('service_messages').where('subscriber_id', 'in', still).execute();
      // Subscriptions and consent events go with it.
      await tx.deleteFrom('subscribers').where('id', 'in', still).execute();
      return still.length;
    });
  }
}

async function findUnconfirmed(db: Db, since: number, which: { after: number } | { of: number[] }): Promise<number[]> {
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
    .$if('after' in which, (q) => q.where('id', '>', 'after' in which ? which.after : 0))
    .$if('of' in which, (q) => q.where('id', 'in', 'of' in which ? which.of : []))
    .orderBy('id')
    .limit(AT_ONCE)
    .execute();
  return rows.map((row) => row.id);
}

function forgetServiceMessages({ db, reports }: Store, before: number): Promise<number> {
  return forgetInChunks(
    (after) =>
      reports
        .selectFrom('service_messages')
        .select('id')
        .where('id', '>', after)
        .where('changed_at', '<', before)
        .where('expires_at', '<', before)
        .where('state', 'not in', ['pending', 'submitting'])
        .orderBy('id')
        .limit(AT_ONCE)
        .execute(),
    (ids) => db.deleteFrom('service_messages').where('id', 'in', ids).executeTakeFirstOrThrow(),
  );
}

function forgetBounces({ db, reports }: Store, before: number): Promise<number> {
  return forgetInChunks(
    (after) =>
      reports
        .selectFrom('bounces')
        .select('id')
        .where('id', '>', after)
        .where('at', '<', before)
        .orderBy('id')
        .limit(AT_ONCE)
        .execute(),
    (ids) => db.deleteFrom('bounces').where('id', 'in', ids).executeTakeFirstOrThrow(),
  );
}

/** A day at a time: some thousands of rows. Reports go first, so that none is left where this ends half-way. */
async function forgetReaders(db: Db, before: string): Promise<number> {
  let forgotten = 0;
  for (;;) {
    const oldest = await db
      .selectFrom('feed_readers')
      .select((e) => e.fn.min('day').as('day'))
      .executeTakeFirstOrThrow();
    if (oldest.day === null || oldest.day >= before) return forgotten;
    await db.deleteFrom('feed_reader_reports').where('day', '<=', oldest.day).execute();
    const gone = await db.deleteFrom('feed_readers').where('day', '=', oldest.day).executeTakeFirstOrThrow();
    forgotten += Number(gone.numDeletedRows);
  }
}

/** So many at a time that no write is long. @returns how many were deleted */
async function forgetInChunks(
  pageAfter: (id: number) => Promise<{ id: number }[]>,
  remove: (ids: number[]) => Promise<{ numDeletedRows: bigint }>,
): Promise<number> {
  let forgotten = 0;
  for (let last = 0; ; ) {
    const ids = (await pageAfter(last)).map((row) => row.id);
    const end = ids.at(-1);
    if (end === undefined) return forgotten;
    last = end;
    forgotten += Number((await remove(ids)).numDeletedRows);
  }
}
