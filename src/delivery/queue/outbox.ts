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
import { type CompiledQuery, sql } from 'kysely';
import { jsonRows } from '../../store/json-rows.ts';
import { type Db, dialectOf } from '../../store/store.ts';
import type { DeliveryState } from '../../store/tables.ts';
import { CANCELLED, type DeliveryOutcome } from './delivery-outcome.ts';
import { decideIneligible, type EligibilityFacts } from './eligibility.ts';

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
  expiresAt: number | null;
  /** A limit lets it go from this instant on. */
  notBefore: number;
}

/** Which row, and under which claim. */
export type DeliveryClaim = Pick<ClaimedDelivery, 'editionId' | 'subscriberId' | 'fence'>;

/** What came of asking to submit. Whatever is not `submitting` must not be mailed, and is recorded already. */
export type MarkResult =
  | { kind: 'submitting' }
  | Extract<DeliveryOutcome, { kind: 'suppressed' | 'failed' | 'put-back' }>
  /** Another worker has claimed it since, or the operator has settled it. */
  | { kind: 'lost' };

/**
 * Notes that submissions begin: one for each connection, right before its message goes to the server. What may not go at this moment
 * (the edition paused or cancelled, the reader unsubscribed, paused, suppressed or gone, the delivery stale) is recorded as such.
 * @param tx a transaction
 * @param claims each with the newsletter whose consent it needs
 * @param leaseMs longer than a submission can take
 * @returns for each claim what it came to
 */
export async function markSubmitting(
  tx: Db,
  claims: readonly (DeliveryClaim & { newsletter: string })[],
  now: number,
  leaseMs: number,
): Promise<MarkResult[]> {
  if (claims.length === 0) return [];
  const { rows } = await tx.executeQuery<ClaimKeyRow>(markQuery(tx, claims, now, leaseMs));
  const marked = matchClaims(claims, rows);
  const markings: MarkResult[] = [];
  for (const [n, claim] of claims.entries()) {
    markings.push(marked[n] ? { kind: 'submitting' } : await recordIneligible(tx, claim, now));
  }
  return markings;
}

/** The statement of `markSubmitting`: it returns the keys of the rows that may go. */
export function markQuery(
  db: Db,
  claims: readonly (DeliveryClaim & { newsletter: string })[],
  now: number,
  leaseMs: number,
): CompiledQuery<ClaimKeyRow> {
  const r = jsonRows(
    dialectOf(db),
    claims.map((claim) => [claim.editionId, claim.subscriberId, claim.fence, claim.newsletter]),
    { edition_id: 'int', subscriber_id: 'int', fence: 'int', newsletter: 'text' },
  );
  // The open editions are asked for once a statement: an edition's row is hundreds of kilobytes long.
  return sql<ClaimKeyRow>`update deliveries
    set state = 'submitting', attempts = deliveries.attempts + 1,
      lease_until = cast(${now + leaseMs} as bigint), changed_at = cast(${now} as bigint)
    from ${r} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state = ${PENDING}
      and (deliveries.expires_at is null or deliveries.expires_at > ${now})
      and deliveries.edition_id in (select id from editions where delivery_state = 'delivering')
      and exists (
        select 1 from subscriptions join subscribers on subscribers.id = subscriptions.subscriber_id
        where subscriptions.subscriber_id = r.subscriber_id and subscriptions.newsletter = r.newsletter
          and subscriptions.state = 'confirmed' and subscribers.suppressed_reason is null
          and (subscribers.paused_until is null or subscribers.paused_until <= ${now})
      )
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.compile(db);
}

/** Records why a row may not go that `markQuery` did not take. */
export async function recordIneligible(
  tx: Db,
  claim: DeliveryClaim & { newsletter: string },
  now: number,
): Promise<MarkResult> {
  const facts = await findMarkFacts(tx, claim);
  if (facts === undefined) return { kind: 'lost' };
  const result = decideIneligible(facts, now);
  const [recorded] = await recordResults(tx, [{ claim, result }], now);
  return recorded ? result : { kind: 'lost' };
}

function findMarkFacts(tx: Db, claim: DeliveryClaim): Promise<EligibilityFacts | undefined> {
  return tx
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.edition_id')
    .leftJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .leftJoin('subscriptions', (join) =>
      join
        .onRef('subscriptions.subscriber_id', '=', 'deliveries.subscriber_id')
        .onRef('subscriptions.newsletter', '=', 'editions.newsletter'),
    )
    .select([
      'deliveries.expires_at as expiresAt',
      'deliveries.reason',
      'editions.delivery_state as deliveryState',
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
 * Records how deliveries go on, and ends their leases; an uncertain one stays at `submitting` under a lease that has lapsed.
 * @param tx a transaction, where it must share one
 * @returns for each whether it was recorded: not where another worker has claimed the row since
 */
export async function recordResults(
  tx: Db,
  results: readonly { claim: DeliveryClaim; result: DeliveryOutcome }[],
  now: number,
): Promise<boolean[]> {
  if (results.length === 0) return [];
  const { rows } = await tx.executeQuery<ClaimKeyRow>(recordQuery(tx, results, now));
  return matchClaims(
    results.map(({ claim }) => claim),
    rows,
  );
}

/** The statement of `recordResults`: it returns the keys of the rows that it recorded. */
export function recordQuery(
  db: Db,
  results: readonly { claim: DeliveryClaim; result: DeliveryOutcome }[],
  now: number,
): CompiledQuery<ClaimKeyRow> {
  const r = jsonRows(
    dialectOf(db),
    results.map(({ claim, result }) => [claim.editionId, claim.subscriberId, claim.fence, ...afterwards(result)]),
    {
      edition_id: 'int',
      subscriber_id: 'int',
      fence: 'int',
      state: 'text',
      due_at: 'int',
      uncounted: 'int',
      reply: 'text',
      reason: 'text',
    },
  );
  // What was on the wire while its edition was cancelled, and did not go, is cancelled too.
  const cancelled = sql`r.state = 'pending'
    and (select delivery_state from editions where id = r.edition_id) = 'cancelled'`;
  return sql<ClaimKeyRow>`update deliveries
    set state = case when ${cancelled} then 'suppressed' else r.state end,
      attempts = deliveries.attempts - r.uncounted,
      due_at = coalesce(r.due_at, deliveries.due_at),
      reply = coalesce(r.reply, deliveries.reply),
      reason = case when ${cancelled}
        then ${CANCELLED} || (select coalesce(delivery_reason, '') from editions where id = r.edition_id)
        else r.reason end,
      lease_until = case when r.state = 'submitting' then cast(${now} as bigint) end, changed_at = cast(${now} as bigint)
    from ${r} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state in (${PENDING}, ${SUBMITTING})
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.compile(db);
}

// Bound, not written out: with its condition before it, SQLite takes the index deliveries_open and walks along every open row.
const PENDING = 'pending';
const SUBMITTING = 'submitting';

/** For each claim whether its key is among the rows. */
export function matchClaims(claims: readonly DeliveryClaim[], rows: readonly ClaimKeyRow[]): boolean[] {
  const taken = new Set(rows.map((row) => `${row.edition_id} ${row.subscriber_id} ${row.fence}`));
  return claims.map((claim) => taken.has(`${claim.editionId} ${claim.subscriberId} ${claim.fence}`));
}

function afterwards(result: DeliveryOutcome): [DeliveryState, number | null, number, string | null, string | null] {
  switch (result.kind) {
    case 'submitted':
      return ['submitted', null, 0, result.reply, null];
    case 'deferred':
      return ['pending', result.dueAt, 0, result.reply, result.reason];
    case 'failed':
      return ['failed', null, 0, result.reply, result.reason];
    case 'suppressed':
      return ['suppressed', null, 0, null, result.reason];
    case 'uncertain':
      return ['submitting', null, 0, null, result.reason];
    case 'returned':
      return ['pending', null, 1, result.reply, result.reason];
    case 'put-back':
      return ['pending', null, 0, null, result.reason];
  }
}

/** Gives back claims that nothing was done with, so that the next worker need not wait for the lease. */
export async function releaseClaims(db: Db, claims: readonly DeliveryClaim[]): Promise<void> {
  if (claims.length === 0) return;
  await sql`update deliveries set lease_until = null
    from ${keyRows(db, claims)} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state = ${PENDING}`.execute(db);
}

/**
 * Makes deliveries due at once that were recorded as failed or deferred when nobody could know that the server refuses everyone; the
 * attempt does not count.
 * @returns for each whether it was: not where it has been claimed since, or its edition cancelled
 */
export async function reopenRefused(
  db: Db,
  claims: readonly DeliveryClaim[],
  reason: string,
  now: number,
): Promise<boolean[]> {
  if (claims.length === 0) return [];
  const { rows } = await sql<ClaimKeyRow>`update deliveries
    set state = 'pending', attempts = deliveries.attempts - 1, due_at = cast(${now} as bigint),
      reason = ${reason}, changed_at = cast(${now} as bigint)
    from ${keyRows(db, claims)} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state in ('failed', ${PENDING})
      and deliveries.edition_id in (select id from editions where delivery_state in ('delivering', 'paused'))
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.execute(db);
  return matchClaims(claims, rows);
}

function keyRows(db: Db, claims: readonly DeliveryClaim[]) {
  return jsonRows(
    dialectOf(db),
    claims.map((claim) => [claim.editionId, claim.subscriberId, claim.fence]),
    { edition_id: 'int', subscriber_id: 'int', fence: 'int' },
  );
}

/** Marks the open editions as done of which no delivery is open any more. @returns their ids */
export async function finishEditions(db: Db): Promise<number[]> {
  // Literals, not parameters: only then do the partial indexes answer.
  const finished = await db
    .selectFrom('editions')
    .select('id')
    .where(sql<boolean>`delivery_state = 'delivering'`)
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
      .set({ delivery_state: 'done', delivery_reason: null })
      .where('id', 'in', ids)
      .where('delivery_state', '=', 'delivering')
      .execute();
  }
  return ids;
}

/** A row's key, as statements return it. */
export interface ClaimKeyRow {
  edition_id: number;
  subscriber_id: number;
  fence: number;
}
