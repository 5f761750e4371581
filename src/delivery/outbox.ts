/**
 * The outbox: one row for each edition and subscriber, claimed, submitted and recorded.
 *
 *   pending ─claim─► pending, leased ─mark─► submitting ─record─► submitted | failed | pending, due later
 *                          └► suppressed, failed as stale, or pending again: it may not go any more
 *
 * A claim is a lease under a fence. Every later step names that fence, and is refused once another claim has raised it, so
 * that a worker which slept through its lease can neither submit nor overwrite a result. Only a row at `submitting` can have
 * reached a server without our knowing; where its lease lapses it is uncertain (uncertain.ts).
 *
 * All of it is set-based: one statement takes the rows of many connections.
 */
import { sql } from 'kysely';
import type { Db } from '../store/store.ts';
import type { DeliveryState } from '../store/tables.ts';
import { CANCELLED, type DeliveryResult } from './delivery-result.ts';
import { type MarkFacts, whyNotMailed } from './mark.ts';
import { rowValues } from './row-values.ts';

export type { DeliveryState };

/** A row under our lease. */
export interface ClaimedDelivery {
  editionId: number;
  newsletter: string;
  subscriberId: number;
  /** As given by the subscriber; null where the subscriber is gone. */
  email: string | null;
  /** Submissions begun so far. */
  attempts: number;
  /** The claim's number: what is recorded names it. */
  fence: number;
  /** From then on it is not worth submitting any more. */
  staleAt: number | null;
  /** A limit lets it go from this instant on. */
  notBefore: number;
}

/** Which row, and under which claim. */
export type Claim = Pick<ClaimedDelivery, 'editionId' | 'subscriberId' | 'fence'>;

/** What came of asking to submit. Whatever is not `submitting` must not be mailed, and is recorded already. */
export type Marking =
  | { is: 'submitting' }
  | Extract<DeliveryResult, { is: 'suppressed' | 'failed' | 'put-back' }>
  /** Another worker has claimed it since, or the operator has settled it. */
  | { is: 'lost' };

/**
 * Notes that submissions begin: one for each connection, right before its message goes to the server. What may not go at this moment
 * (the edition paused or cancelled, the reader unsubscribed, paused, suppressed or gone, the delivery stale) is recorded as such.
 * @param trx a transaction
 * @param claims each with the newsletter whose consent it needs
 * @param leaseMs longer than a submission can take
 * @returns for each claim what it came to
 */
export async function markSubmitting(
  trx: Db,
  claims: readonly (Claim & { newsletter: string })[],
  now: number,
  leaseMs: number,
): Promise<Marking[]> {
  if (claims.length === 0) return [];
  const r = rowValues(
    { edition_id: 'bigint', subscriber_id: 'bigint', fence: 'bigint', newsletter: 'text' },
    claims.map((claim) => [claim.editionId, claim.subscriberId, claim.fence, claim.newsletter]),
  );
  // The open editions are asked for once a statement: an edition's row is hundreds of kilobytes long.
  const { rows } = await sql<Key>`with ${r}
    update deliveries
    set state = 'submitting', attempts = deliveries.attempts + 1,
      lease_until = cast(${now + leaseMs} as bigint), changed_at = cast(${now} as bigint)
    from r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state = 'pending'
      and (deliveries.stale_at is null or deliveries.stale_at > ${now})
      and deliveries.edition_id in (select id from editions where delivery = 'open')
      and exists (
        select 1 from subscriptions join subscribers on subscribers.id = subscriptions.subscriber_id
        where subscriptions.subscriber_id = r.subscriber_id and subscriptions.newsletter = r.newsletter
          and subscriptions.state = 'confirmed' and subscribers.suppressed_reason is null
          and (subscribers.paused_until is null or subscribers.paused_until <= ${now})
      )
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.execute(trx);
  const marked = new Set(rows.map(keyOf));
  const markings: Marking[] = [];
  for (const claim of claims) {
    const is = marked.has(keyOfClaim(claim)) ? ({ is: 'submitting' } as const) : await refuseMark(trx, claim, now);
    markings.push(is);
  }
  return markings;
}

async function refuseMark(trx: Db, claim: Claim & { newsletter: string }, now: number): Promise<Marking> {
  const facts = await findMarkFacts(trx, claim);
  if (facts === undefined) return { is: 'lost' };
  const result = whyNotMailed(facts, now);
  const [recorded] = await recordResults(trx, [{ claim, result }], now);
  return recorded ? result : { is: 'lost' };
}

function findMarkFacts(trx: Db, claim: Claim): Promise<MarkFacts | undefined> {
  return trx
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .leftJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .leftJoin('subscriptions', (join) =>
      join
        .onRef('subscriptions.subscriber_id', '=', 'deliveries.subscriber_id')
        .onRef('subscriptions.newsletter', '=', 'editions.newsletter'),
    )
    .select([
      'deliveries.stale_at as staleAt',
      'deliveries.reason',
      'editions.delivery',
      'editions.delivery_reason as deliveryReason',
      'subscribers.id as subscriberId',
      'subscribers.paused_until as pausedUntil',
      'subscribers.suppressed_reason as suppressedReason',
      'subscriptions.state as consent',
    ])
    .where('deliveries.edition_id', '=', claim.editionId)
    .where('deliveries.subscriber_id', '=', claim.subscriberId)
    .where('deliveries.fence', '=', claim.fence)
    .where('deliveries.state', '=', 'pending')
    .executeTakeFirst();
}

/**
 * Records how deliveries go on, and ends their leases.
 * @param trx a transaction, where it must share one
 * @returns for each whether it was recorded: not where another worker has claimed the row since
 */
export async function recordResults(
  trx: Db,
  results: readonly { claim: Claim; result: DeliveryResult }[],
  now: number,
): Promise<boolean[]> {
  if (results.length === 0) return [];
  const r = rowValues(
    {
      edition_id: 'bigint',
      subscriber_id: 'bigint',
      fence: 'bigint',
      state: 'text',
      due_at: 'bigint',
      uncounted: 'bigint',
      reply: 'text',
      reason: 'text',
    },
    results.map(({ claim, result }) => [claim.editionId, claim.subscriberId, claim.fence, ...afterwards(result)]),
  );
  // What was on the wire while its edition was cancelled, and did not go, is cancelled too.
  const cancelled = sql`r.state = 'pending'
    and (select delivery from editions where id = r.edition_id) = 'cancelled'`;
  const { rows } = await sql<Key>`with ${r}
    update deliveries
    set state = case when ${cancelled} then 'suppressed' else r.state end,
      attempts = deliveries.attempts - r.uncounted,
      due_at = coalesce(r.due_at, deliveries.due_at),
      reply = coalesce(r.reply, deliveries.reply),
      reason = case when ${cancelled}
        then ${CANCELLED} || (select coalesce(delivery_reason, '') from editions where id = r.edition_id)
        else r.reason end,
      lease_until = null, changed_at = cast(${now} as bigint)
    from r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state in ('pending', 'submitting')
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.execute(trx);
  const recorded = new Set(rows.map(keyOf));
  return results.map(({ claim }) => recorded.has(keyOfClaim(claim)));
}

function afterwards(result: DeliveryResult): [DeliveryState, number | null, number, string | null, string | null] {
  switch (result.is) {
    case 'submitted':
      return ['submitted', null, 0, result.reply, null];
    case 'deferred':
      return ['pending', result.dueAt, 0, result.reply, result.reason];
    case 'failed':
      return ['failed', null, 0, result.reply, result.reason];
    case 'suppressed':
      return ['suppressed', null, 0, null, result.reason];
    case 'returned':
      return ['pending', null, 1, result.reply, result.reason];
    case 'put-back':
      return ['pending', null, 0, null, result.reason];
  }
}

/** Gives back claims that nothing was done with, so that the next worker need not wait for the lease. */
export async function releaseClaims(db: Db, claims: readonly Claim[]): Promise<void> {
  if (claims.length === 0) return;
  const r = rowValues(
    { edition_id: 'bigint', subscriber_id: 'bigint', fence: 'bigint' },
    claims.map((claim) => [claim.editionId, claim.subscriberId, claim.fence]),
  );
  await sql`with ${r}
    update deliveries set lease_until = null
    from r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state = 'pending'`.execute(db);
}

/**
 * Makes deliveries due at once that were recorded as failed or deferred when nobody could know that the server refuses everyone; the
 * attempt does not count.
 * @returns for each whether it was: not where it has been claimed since, or its edition cancelled
 */
export async function reopenRefused(db: Db, claims: readonly Claim[], reason: string, now: number): Promise<boolean[]> {
  if (claims.length === 0) return [];
  const r = rowValues(
    { edition_id: 'bigint', subscriber_id: 'bigint', fence: 'bigint' },
    claims.map((claim) => [claim.editionId, claim.subscriberId, claim.fence]),
  );
  const { rows } = await sql<Key>`with ${r}
    update deliveries
    set state = 'pending', attempts = deliveries.attempts - 1, due_at = cast(${now} as bigint),
      reason = ${reason}, changed_at = cast(${now} as bigint)
    from r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state in ('failed', 'pending')
      and deliveries.edition_id in (select id from editions where delivery in ('open', 'paused'))
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.execute(db);
  const reopened = new Set(rows.map(keyOf));
  return claims.map((claim) => reopened.has(keyOfClaim(claim)));
}

/** Marks the open editions as done of which no delivery is open any more. @returns their ids */
export async function finishEditions(db: Db): Promise<number[]> {
  // Literals, not parameters: only then do the partial indexes answer.
  const finished = await db
    .selectFrom('editions')
    .select('id')
    .where(sql<boolean>`delivery = 'open'`)
    .where(
      sql<boolean>`not exists (select 1 from deliveries where deliveries.edition_id = editions.id
        and deliveries.state in ('pending', 'submitting'))`,
    )
    .orderBy('id')
    .execute();
  const ids = finished.map((edition) => edition.id);
  if (ids.length > 0) {
    await db
      .updateTable('editions')
      .set({ delivery: 'done', delivery_reason: null })
      .where('id', 'in', ids)
      .where('delivery', '=', 'open')
      .execute();
  }
  return ids;
}

interface Key {
  edition_id: number;
  subscriber_id: number;
  fence: number;
}

function keyOf(row: Key): string {
  return `${row.edition_id} ${row.subscriber_id} ${row.fence}`;
}

function keyOfClaim(claim: Claim): string {
  return `${claim.editionId} ${claim.subscriberId} ${claim.fence}`;
}

/** How many deliveries of each edition are in each state. Editions without any have no entry. */
export async function countDeliveries(
  db: Db,
  editionIds: number[],
): Promise<Map<number, Record<DeliveryState, number>>> {
  const counts = new Map<number, Record<DeliveryState, number>>();
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

export interface FailedDelivery {
  editionId: number;
  subscriberId: number;
  /** Null where the subscriber is gone. */
  email: string | null;
  attempts: number;
  reply: string | null;
  reason: string | null;
  changedAt: number;
}

/** The deliveries that failed, newest first, with their reasons. */
export async function listFailedDeliveries(
  db: Db,
  query: { editionId?: number; limit: number },
): Promise<FailedDelivery[]> {
  return db
    .selectFrom('deliveries')
    .leftJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select([
      'deliveries.edition_id as editionId',
      'deliveries.subscriber_id as subscriberId',
      'subscribers.email',
      'deliveries.attempts',
      'deliveries.reply',
      'deliveries.reason',
      'deliveries.changed_at as changedAt',
    ])
    .where('deliveries.state', '=', 'failed')
    .$if(query.editionId !== undefined, (q) => q.where('deliveries.edition_id', '=', query.editionId as number))
    .orderBy('deliveries.changed_at', 'desc')
    .orderBy('deliveries.edition_id')
    .orderBy('deliveries.subscriber_id')
    .limit(query.limit)
    .execute();
}
