/**
 * Counts of rows by state, which triggers keep in the transactions that change the rows: reading them costs a few
 * lookups, however many rows there are. On PostgreSQL each connection counts in a slot of its own, so that
 * transactions do not wait for each other; a count is the sum of its slots.
 */
import { type RawBuilder, sql } from 'kysely';
import { jsonRows } from './json-rows.ts';
import { type Db, dialectOf, type Tx } from './store.ts';
import type { CountedSubject, DeliveryState } from './tables.ts';

export interface StateCount {
  /** Such as the newsletter of a subscription or the schedule of a run; empty where the subject has no such part. */
  scope: string;
  state: string;
  /** Rows in this state now. */
  count: number;
  /** How often a row got this state. Never decreases, also when rows are deleted. */
  entered: number;
}

/** The counts of a subject, by scope and state. Those that are 0 now are included. */
export function readStateCounts(db: Db, subject: CountedSubject): Promise<StateCount[]> {
  return db
    .selectFrom('state_counts')
    .select(['scope', 'state', sumOf('count').as('count'), sumOf('entered').as('entered')])
    .where('subject', '=', subject)
    .groupBy(['scope', 'state'])
    .orderBy('scope')
    .orderBy('state')
    .execute();
}

/** The counts of a subject without scopes, by state. */
export async function readCountsByState(db: Db, subject: CountedSubject): Promise<Map<string, StateCount>> {
  return new Map((await readStateCounts(db, subject)).map((one) => [one.state, one]));
}

/** The stored deliveries of editions by state. */
export function readDeliveryCounts(
  db: Db,
  editionIds: number[],
): Promise<{ editionId: number; state: DeliveryState; count: number }[]> {
  return db
    .selectFrom('delivery_counts')
    .select(['edition_id as editionId', 'state', sumOf('count').as('count')])
    .where('edition_id', 'in', editionIds)
    .groupBy(['edition_id', 'state'])
    .orderBy('edition_id')
    .orderBy('state')
    .execute();
}

/** How often deliveries got each state, by newsletter. Never decreases. */
export function readDeliveryTotals(db: Db): Promise<{ newsletter: string; state: DeliveryState; entered: number }[]> {
  return db
    .selectFrom('delivery_counts')
    .innerJoin('editions', 'editions.id', 'delivery_counts.edition_id')
    .select(['editions.newsletter', 'delivery_counts.state', sumOf('entered').as('entered')])
    .groupBy(['editions.newsletter', 'delivery_counts.state'])
    .orderBy('editions.newsletter')
    .orderBy('delivery_counts.state')
    .execute();
}

/** Counts deliveries that were inserted in a state, in the same transaction: no trigger counts them. */
export async function countQueued(tx: Tx, editionId: number, count: number, state = 'pending'): Promise<void> {
  if (count === 0) return;
  await sql`insert into delivery_counts (edition_id, state, slot, count, entered)
    values (${editionId}, ${state}, ${slotOf(tx)}, ${count}, ${count})
    on conflict (edition_id, state, slot) do update
    set count = delivery_counts.count + excluded.count, entered = delivery_counts.entered + excluded.entered`.execute(
    tx,
  );
}

/** Counts deliveries that are reported as delivered for the first time, in the same transaction. */
export async function countDelivered(tx: Tx, editionId: number, count: number): Promise<void> {
  await sql`insert into delivered_counts (edition_id, slot, count) values (${editionId}, ${slotOf(tx)}, ${count})
    on conflict (edition_id, slot) do update set count = delivered_counts.count + excluded.count`.execute(tx);
}

/** The deliveries of each edition that were reported as delivered, ever. Editions without any have no entry. */
export async function readDelivered(db: Db, editionIds: number[]): Promise<Map<number, number>> {
  if (editionIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('delivered_counts')
    .select(['edition_id', sumOf('count').as('count')])
    .where('edition_id', 'in', editionIds)
    .groupBy('edition_id')
    .execute();
  return new Map(rows.map((row) => [row.edition_id, row.count]));
}

/** Adds to the totals of a subject that has no rows. @param totals one for each scope and state */
export async function addToTotals(
  db: Db,
  subject: 'feed_requests',
  totals: readonly { scope: string; state: string; count: number }[],
): Promise<void> {
  if (totals.length === 0) return;
  const values = totals.map(({ scope, state, count }) => [scope, state, count]);
  const given = jsonRows(dialectOf(db), values, { scope: 'text', state: 'text', count: 'int' });
  await sql`insert into state_counts (subject, scope, state, slot, count, entered)
    select ${sql.lit(subject)}, scope, state, ${slotOf(db)}, 0, count from ${given} r where true
    order by scope, state
    on conflict (subject, scope, state, slot) do update
    set entered = state_counts.entered + excluded.entered`.execute(db);
}

/** Adds up the slots of connections in slot 0. Leaves out those that a transaction is counting in. */
export async function foldCountSlots(db: Db): Promise<void> {
  if (dialectOf(db) === 'sqlite') return;
  for (const [table, columns, counted] of [
    ['delivery_counts', ['edition_id', 'state'], ['count', 'entered']],
    ['delivered_counts', ['edition_id'], ['count']],
    ['state_counts', ['subject', 'scope', 'state'], ['count', 'entered']],
    ['growth_counts', ['quarter', 'newsletter', 'change'], ['count']],
  ] as const) {
    const key = sql.join(columns.map((column) => sql.ref(column)));
    const to = sql.table(table);
    const sums = sql.join(counted.map((column) => sql`sum(${sql.ref(column)})`));
    const names = sql.join(counted.map((column) => sql.ref(column)));
    const added = sql.join(
      counted.map((column) => {
        const name = sql.ref(column);
        return sql`${name} = ${to}.${name} + excluded.${name}`;
      }),
    );
    await sql`with gone as (
        delete from ${to} where (${key}, slot) in (
          select ${key}, slot from ${to} where slot <> 0 order by ${key}, slot for update skip locked
        ) returning *
      )
      insert into ${to} (${key}, slot, ${names})
      select ${key}, 0, ${sums} from gone group by ${key} order by ${key}
      on conflict (${key}, slot) do update set ${added}`.execute(db);
  }
}

function slotOf(db: Db): RawBuilder<number> {
  return dialectOf(db) === 'sqlite' ? sql`0` : sql`pg_backend_pid()`;
}

/** PostgreSQL's sum of a bigint is a numeric, which the driver returns as text. */
function sumOf(column: 'count' | 'entered'): RawBuilder<number> {
  return sql<number>`cast(sum(${sql.ref(column)}) as bigint)`;
}
