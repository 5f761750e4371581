/**
 * Queries on the queue, for status and metrics. They read every row of an edition, which may be a million: pass
 * `store.reports`.
 */
import { type RawBuilder, sql } from 'kysely';
import { readDeliveryCounts, readStateCounts } from '../../core/store/counts.ts';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import type { Db } from '../../core/store/store.ts';
import type { EditionDeliveryState } from '../../core/store/tables/edition-tables.ts';
import type { CountedSubject, DeliveryState } from '../../core/store/tables.ts';
import { TOO_FEW } from '../../editions/copies/copy.ts';
import { isMarkedUncertain } from './delivery-outcome.ts';
import { type FailureGroup, FailureGroups } from './failure-groups.ts';

/** Deliveries of copies with too few stories are no fault: `countAllDeliveries` counts them apart from `suppressed`. */
export type DeliveryStateCounts = Record<DeliveryState, number> & { [TOO_FEW]?: number };

export const NO_DELIVERIES: DeliveryStateCounts = { pending: 0, submitting: 0, submitted: 0, failed: 0, suppressed: 0 };

/** How many percent of an edition's messages are over. Rounded down: 100 is all. */
export function percentOver({ pending, submitting, submitted, failed, ...counts }: DeliveryStateCounts): number {
  const over = submitted + failed + counts.suppressed + (counts[TOO_FEW] ?? 0);
  const all = over + pending + submitting;
  return all === 0 ? 100 : Math.floor((100 * over) / all);
}

/** The number of deliveries in all states, without those of copies with too few stories. */
export function queuedOf({ [TOO_FEW]: _few, ...queued }: DeliveryStateCounts): number {
  return Object.values(queued).reduce((sum, count) => sum + count, 0);
}

/** Counts the deliveries of each edition by state. Editions without deliveries have no entry. */
export async function countDeliveries(db: Db, editionIds: number[]): Promise<Map<number, DeliveryStateCounts>> {
  const counts = new Map<number, DeliveryStateCounts>();
  if (editionIds.length === 0) return counts;
  for (const { editionId, state, count } of await readDeliveryCounts(db, editionIds)) {
    if (count !== 0) counts.set(editionId, { ...(counts.get(editionId) ?? NO_DELIVERIES), [state]: count });
  }
  return counts;
}

/** As `countDeliveries`, including deliveries that retention has replaced by totals; see `DeliveryStateCounts`. */
export async function countAllDeliveries(db: Db, editionIds: number[]): Promise<Map<number, DeliveryStateCounts>> {
  const counts = await countDeliveries(db, editionIds);
  if (editionIds.length === 0) return counts;
  const totals = await db.selectFrom('delivery_totals').selectAll().where('edition_id', 'in', editionIds).execute();
  for (const { edition_id, state, count } of totals) {
    const live = counts.get(edition_id) ?? NO_DELIVERIES;
    counts.set(edition_id, { ...live, [state]: live[state] + count });
  }
  // As the index editions_too_few has it.
  const { rows } = await sql<{ id: number; few: number }>`select id, too_few as few from editions
    where too_few > 0 and id + 0 in (${sql.join(editionIds)})`.execute(db);
  for (const { id, few } of rows) {
    const all = counts.get(id) ?? NO_DELIVERIES;
    counts.set(id, { ...all, suppressed: all.suppressed - few, [TOO_FEW]: few });
  }
  return counts;
}

/**
 * The earliest due instant of the open deliveries of editions under delivery, past or future; null if there are none.
 */
export async function findNextDue(db: Db): Promise<number | null> {
  // Literals, so that the partial indexes are used: one index lookup for each edition.
  const { rows } = await sql<{ due: number | null }>`
    select min(due) as due from (
      select (
        select min(deliveries.due_at) from deliveries
        where deliveries.edition_id = editions.id and ${isInOpenState('deliveries')}
      ) as due
      from editions where editions.delivery_state = 'delivering'
    ) as each_edition`.execute(db);
  return rows[0]?.due ?? null;
}

export interface UncertainDelivery {
  editionId: number;
  newsletter: string;
  slot: string;
  subscriberId: number;
  /** Null if the subscriber no longer exists. */
  email: string | null;
  attempts: number;
  /** Begin of the submission. */
  since: number;
}

/**
 * The uncertain deliveries, oldest first: in `submitting` with an expired lease.
 * @param query.editionId default: of all editions
 */
export async function listUncertain(
  db: Db,
  { now, limit, editionId }: { now: number; limit: number; editionId?: number },
): Promise<UncertainDelivery[]> {
  return uncertainDeliveries(db, now, editionId)
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .leftJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select([
      'deliveries.edition_id as editionId',
      'editions.newsletter',
      'editions.slot',
      'deliveries.subscriber_id as subscriberId',
      'subscribers.email',
      'deliveries.attempts',
      'deliveries.changed_at as since',
    ])
    .orderBy('deliveries.changed_at')
    .orderBy('deliveries.edition_id')
    .orderBy('deliveries.subscriber_id')
    .limit(limit)
    .execute();
}

/**
 * Counts the uncertain deliveries of each edition that wait for an operator: with `hold` all of them, with `retry`
 * those that were tried again before.
 */
export async function countUnsettled(
  db: Db,
  uncertain: 'retry' | 'hold',
  now: number,
): Promise<{ newsletter: string; slot: string; count: number }[]> {
  return uncertainDeliveries(db, now)
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .$if(uncertain === 'retry', (q) => q.where(isMarkedUncertain(sql.ref('deliveries.reason'))))
    .select((e) => ['editions.newsletter', 'editions.slot', e.fn.countAll<number>().as('count')])
    .groupBy(['editions.id', 'editions.newsletter', 'editions.slot'])
    .orderBy('editions.id')
    .execute();
}

/** Editions under delivery, or paused, whose newsletter is not among `newsletters`, with their open deliveries. */
export async function listUnconfigured(
  db: Db,
  newsletters: readonly string[],
): Promise<{ newsletter: string; slot: string; open: number }[]> {
  // Literals, so that the partial indexes are used; only the editions of other newsletters are counted.
  const { rows } = await sql<{ newsletter: string; slot: string; open: number }>`
    select newsletter, slot, (
      select count(*) from deliveries where deliveries.edition_id = unfinished.id and ${isInOpenState('deliveries')}
    ) as open
    from (
      select id, newsletter, slot from editions where delivery_state = 'delivering'
      union all
      select id, newsletter, slot from editions where delivery_state = 'paused'
    ) as unfinished
    ${newsletters.length === 0 ? sql`` : sql`where newsletter not in (${sql.join(newsletters)})`}
    order by id`.execute(db);
  return rows.filter(({ open }) => open > 0);
}

/** Due deliveries of editions under delivery that a process has leased, and the end of the last lease. */
export async function findLeased(db: Db, now: number): Promise<{ count: number; until: number } | null> {
  const { count, until } = await db
    .selectFrom('editions')
    .innerJoin('deliveries', 'deliveries.edition_id', 'editions.id')
    .select((e) => [e.fn.countAll<number>().as('count'), e.fn.max('deliveries.lease_until').as('until')])
    // Literals, so that the partial indexes are used.
    .where(sql<boolean>`editions.delivery_state = 'delivering'`)
    .where(isInOpenState('deliveries'))
    .where('deliveries.due_at', '<=', now)
    .where('deliveries.lease_until', '>', now)
    .executeTakeFirstOrThrow();
  return until === null ? null : { count, until };
}

/** The paused editions with pending deliveries. */
export async function listPaused(db: Db): Promise<{ edition: string; pending: number }[]> {
  // A literal, so that the partial index is used.
  const { rows: editions } = await sql<{ id: number; newsletter: string; slot: string }>`
    select id, newsletter, slot from editions where delivery_state = 'paused' order by id`.execute(db);
  const ids = editions.map(({ id }) => id);
  const counts = await countDeliveries(db, ids);
  return editions
    .map(({ id, newsletter, slot }) => ({ edition: `${newsletter}/${slot}`, pending: counts.get(id)?.pending ?? 0 }))
    .filter(({ pending }) => pending > 0);
}

/** The editions that are being delivered. */
export async function listDelivering(db: Db): Promise<number[]> {
  // A literal, so that the partial index is used.
  const { rows } = await sql<{ id: number }>`
    select id from editions where delivery_state = 'delivering' order by id`.execute(db);
  return rows.map(({ id }) => id);
}

/** Counts the uncertain deliveries. @param editionId default: of all editions */
export async function countUncertain(db: Db, now: number, editionId?: number): Promise<number> {
  const { count } = await uncertainDeliveries(db, now, editionId)
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

function uncertainDeliveries(db: Db, now: number, editionId?: number) {
  return (
    db
      .selectFrom('deliveries')
      // A literal, so that the partial index deliveries_submitting is used.
      .where(sql<boolean>`deliveries.state = 'submitting'`)
      .where('deliveries.lease_until', '<=', now)
      .$if(editionId !== undefined, (q) => q.where('deliveries.edition_id', '=', editionId as number))
  );
}

/** Reads the delivery state of editions, with the reason of a pause or cancellation. */
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

// Bounds the memory, however many deliveries have failed for a reason of their own, and the time in which nothing else
// runs: grouping the words of a batch takes about 10 ms.
const FAILED_BATCH = 1_000;

/** Groups the failed deliveries of an edition; see failure-groups.ts. Reads all its deliveries, in batches. */
export async function groupFailures(db: Db, editionId: number): Promise<FailureGroup[]> {
  const groups = new FailureGroups();
  await addFailures(db, editionId, groups, 0);
  return groups.list();
}

/** Adds the failures of an edition since an instant, in epoch milliseconds. Reads all its deliveries, in batches. */
export async function addFailures(db: Db, editionId: number, groups: FailureGroups, since: number): Promise<void> {
  for (let last = 0; ; ) {
    const { rows } = await sql<{ reason: string | null; count: number; last: number }>`
      select reason, count(*) as count, max(subscriber_id) as last from (
        select subscriber_id, reason from deliveries
        where edition_id = ${editionId} and state = 'failed' and subscriber_id > ${last} and changed_at >= ${since}
        order by subscriber_id limit ${FAILED_BATCH}
      ) as batch
      group by reason`.execute(db);
    if (rows.length === 0) return;
    for (const row of rows) {
      groups.add(row.reason, row.count);
      last = Math.max(last, row.last);
    }
  }
}

export interface FailedDelivery {
  newsletter: string;
  slot: string;
  email: string;
  reason: string;
  /** The server's reply, or null. */
  reply: string | null;
}

/** A failed delivery, without the address if the subscriber no longer exists. */
export interface FailedDeliveryOf {
  subscriberId: number;
  email: string | null;
  reason: string | null;
  /** When it ended, epoch milliseconds. */
  at: number;
}

/** A page of the failed deliveries of an edition, by subscriber. @param page.after the last subscriber before it */
export async function listFailedOf(
  db: Db,
  editionId: number,
  { after, limit }: { after: number; limit: number },
): Promise<FailedDeliveryOf[]> {
  // A literal, so that the partial index deliveries_failed is used. Joined after the limit: PostgreSQL would join all.
  const { rows } = await sql<FailedDeliveryOf>`
    select failed.subscriber_id as "subscriberId", subscribers.email, failed.reason, failed.changed_at as at
    from (
      select subscriber_id, reason, changed_at from deliveries
      where edition_id = ${editionId} and state = 'failed' and subscriber_id > ${after}
      order by subscriber_id limit ${limit}
    ) as failed left join subscribers on subscribers.id = failed.subscriber_id
    order by failed.subscriber_id`.execute(db);
  return rows;
}

/** Lists the newest failed deliveries of some editions. Among all editions this would read every delivery. */
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

/** Counts service messages by state, bounces by kind, or suppressed addresses by reason. */
export async function countBy(db: Db, subject: CountedSubject): Promise<Record<string, number>> {
  const rows = (await readStateCounts(db, subject)).filter(({ count }) => count !== 0);
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

/**
 * Counts the submitted messages of an edition to some recipients, up to a limit. Where few of them are chosen, it reads
 * many deliveries: pass `store.reports`.
 * @param isChosen a condition on subscribers
 * @param isCounted a condition on deliveries. Default: they are submitted
 */
export async function countSubmittedTo(
  db: Db,
  editionId: number,
  isChosen: RawBuilder<unknown>,
  limit: number,
  isCounted: RawBuilder<unknown> = sql`deliveries.state = 'submitted'`,
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (
      select deliveries.subscriber_id
      from deliveries join subscribers on subscribers.id = deliveries.subscriber_id
      where deliveries.edition_id = ${editionId} and ${isCounted} and ${isChosen}
      limit ${limit}
    ) as counted`.execute(db);
  return Number(rows[0]?.count ?? 0);
}
