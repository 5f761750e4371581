/**
 * What stands where in the queue, counted or looked for: for status and metrics, and to judge what a server refuses. Long reads where an
 * edition has a million deliveries: give them `store.reports`.
 */
import { sql } from 'kysely';
import type { Db } from '../../store/store.ts';
import type { DeliveryState, EditionDeliveryState, SuppressionReason, Tables } from '../../store/tables.ts';

export type DeliveryStateCounts = Record<DeliveryState, number>;

/** How many deliveries of each edition are in each state. Editions without any have no entry. */
export async function countDeliveries(db: Db, editionIds: number[]): Promise<Map<number, DeliveryStateCounts>> {
  const counts = new Map<number, DeliveryStateCounts>();
  if (editionIds.length === 0) return counts;
  const rows = await db
    .selectFrom('deliveries')
    .select((e) => ['edition_id', 'state', e.fn.countAll<number>().as('count')])
    .where('edition_id', 'in', editionIds)
    .groupBy(['edition_id', 'state'])
    .orderBy('edition_id')
    .orderBy('state')
    .execute();
  for (const { edition_id, state, count } of rows) {
    const known = counts.get(edition_id) ?? { pending: 0, submitting: 0, submitted: 0, failed: 0, suppressed: 0 };
    counts.set(edition_id, { ...known, [state]: count });
  }
  return counts;
}

/**
 * Whether anything of an edition has been submitted, in whatever run. It finds that out soon where much has been; where nothing has, it
 * looks at every delivery: give it `store.reports`.
 */
export async function isAnySubmitted(db: Db, editionId: number): Promise<boolean> {
  const first = await db
    .selectFrom('deliveries')
    .select('subscriber_id')
    .where('edition_id', '=', editionId)
    .where('state', '=', 'submitted')
    // Along the primary key, or PostgreSQL might read through all editions before this one.
    .orderBy('edition_id')
    .orderBy('subscriber_id')
    .limit(1)
    .executeTakeFirst();
  return first !== undefined;
}

/** How many deliveries of each edition are, or were before they folded into totals, in each state; editions without any have no entry. */
export async function countAllDeliveries(db: Db, editionIds: number[]): Promise<Map<number, DeliveryStateCounts>> {
  const counts = await countDeliveries(db, editionIds);
  if (editionIds.length === 0) return counts;
  const totals = await db.selectFrom('delivery_totals').selectAll().where('edition_id', 'in', editionIds).execute();
  for (const { edition_id, state, count } of totals) {
    const live = counts.get(edition_id) ?? { pending: 0, submitting: 0, submitted: 0, failed: 0, suppressed: 0 };
    counts.set(edition_id, { ...live, [state]: live[state] + count });
  }
  return counts;
}

/** When the delivery is due that has been due longest, or comes next, of editions that are neither paused nor ended; null where none is open. */
export async function findNextDue(db: Db): Promise<number | null> {
  // The states are written out for the partial indexes: one seek for each edition under delivery.
  const { rows } = await sql<{ due: number | null }>`
    select min(due) as due from (
      select (
        select min(deliveries.due_at) from deliveries
        where deliveries.edition_id = editions.id and deliveries.state in ('pending', 'submitting')
      ) as due
      from editions where editions.delivery_state = 'delivering'
    ) as each_edition`.execute(db);
  return rows[0]?.due ?? null;
}

/** How many deliveries were on the wire when their process died, and are not tried again or settled yet. */
export async function countUncertain(db: Db, now: number): Promise<number> {
  const { count } = await db
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where(sql<boolean>`state in ('pending', 'submitting')`)
    .where('state', '=', 'submitting')
    .where('lease_until', '<=', now)
    .executeTakeFirstOrThrow();
  return count;
}

/** Whether these editions are under delivery, paused, cancelled or done; `reason` of a pause or a cancellation. */
export function readDeliveryStates(
  db: Db,
  editionIds: number[],
): Promise<{ editionId: number; state: EditionDeliveryState; reason: string | null }[]> {
  return db
    .selectFrom('editions')
    .select(['id as editionId', 'delivery_state as state', 'delivery_reason as reason'])
    .where('id', 'in', editionIds)
    .execute();
}

export interface FailedDelivery {
  newsletter: string;
  slot: string;
  email: string;
  reason: string;
  /** The server's reply, where it gave one. */
  reply: string | null;
}

/** The newest failed deliveries of some editions: to find the newest of all, every delivery would be read. */
export async function listFailedDeliveries(db: Db, editionIds: number[], limit: number): Promise<FailedDelivery[]> {
  if (editionIds.length === 0) return [];
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select(['editions.newsletter', 'editions.slot', 'subscribers.email', 'deliveries.reason', 'deliveries.reply'])
    .where('deliveries.edition_id', 'in', editionIds)
    .where('deliveries.state', '=', 'failed')
    .orderBy('deliveries.changed_at', 'desc')
    .orderBy('deliveries.edition_id')
    .orderBy('deliveries.subscriber_id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, reason: row.reason ?? 'no reason recorded' }));
}

/** Mail of the service itself, by state. */
export async function countServiceMessages(db: Db): Promise<Partial<DeliveryStateCounts>> {
  return countBy(
    db
      .selectFrom('service_messages')
      .select((e) => ['state as name', e.fn.countAll<number>().as('count')])
      .groupBy('state')
      .orderBy('state')
      .execute(),
  );
}

/** What came back and is still on record, by kind. */
export async function countBounces(db: Db): Promise<Partial<Record<Tables['bounces']['kind'], number>>> {
  return countBy(
    db
      .selectFrom('bounces')
      .select((e) => ['kind as name', e.fn.countAll<number>().as('count')])
      .groupBy('kind')
      .orderBy('kind')
      .execute(),
  );
}

/** The addresses on the suppression list, by reason. */
export async function countSuppressed(db: Db): Promise<Partial<Record<SuppressionReason, number>>> {
  return countBy(
    db
      .selectFrom('suppressions')
      .select((e) => ['reason as name', e.fn.countAll<number>().as('count')])
      .groupBy('reason')
      .orderBy('reason')
      .execute(),
  );
}

async function countBy<Name extends string>(
  query: Promise<{ name: Name; count: number }[]>,
): Promise<Partial<Record<Name, number>>> {
  const rows = await query;
  return Object.fromEntries(rows.map(({ name, count }) => [name, count])) as Partial<Record<Name, number>>;
}
