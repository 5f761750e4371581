/**
 * The outbox of deliveries: one row for each edition and subscriber, which is claimed, submitted and recorded.
 *
 *   pending ─claim─► pending, leased ─mark─► submitting ─record─► submitted | failed | pending, due later
 *                                    └─► not eligible: suppressed, failed as expired, or pending again
 *
 * A claim is a lease with a fence. Each later step names the fence, and does nothing after another claim has raised it:
 * a worker whose lease expired can neither submit nor overwrite an outcome. Only a row in `submitting` can have reached
 * a server without a record of it; when its lease expires it is uncertain. The first time it is claimed again, and
 * submitted with the same Message-ID; after that, or with `delivery.uncertain: hold`, it waits for the operator.
 *
 * All statements are set-based: each handles the rows of many workers.
 */
import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { SubscriptionState } from '../../audience/consent/states.ts';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, inTransaction, type Tx } from '../../core/store/store.ts';
import type { EditionDeliveryState } from '../../core/store/tables/edition-tables.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import type { DeliveryState } from '../../core/store/tables.ts';
import { rfc3339 } from '../../lib/time.ts';
import type { ChosenCopy } from '../message/copy-bodies.ts';
import {
  CANCELLED,
  type DeliveryOutcome,
  expiredReason,
  MAY_HAVE_ARRIVED,
  mayHaveArrived,
  REPORTED,
} from './delivery-outcome.ts';

/** A row under our lease. */
export interface ClaimedDelivery {
  editionId: number;
  newsletter: string;
  subscriberId: number;
  /** As given by the subscriber; null if the subscriber no longer exists. */
  email: string | null;
  /** Version of the subscriber's links to the preferences. */
  tokenVersion: number | null;
  /** Submissions begun so far. */
  attempts: number;
  /** Whether an earlier attempt may have arrived: after another such attempt it waits for the operator. */
  mayHaveArrived: boolean;
  /** Whether the server has refused it for good before: an operator made it pending again. */
  wasRefused: boolean;
  fence: number;
  /** Epoch milliseconds; null if it does not expire. */
  expiresAt: number | null;
  /** Null for the whole edition. */
  copy: ChosenCopy | null;
}

/** Identifies a claimed row. */
export type DeliveryClaim = Pick<ClaimedDelivery, 'editionId' | 'subscriberId' | 'fence'>;

/**
 * The result of marking. Unless it is `submitting`, the message must not be submitted, and that is recorded already.
 */
export type MarkResult =
  | { kind: 'submitting' }
  | Extract<DeliveryOutcome, { kind: 'suppressed' | 'failed' | 'released' }>
  /** Another worker has claimed it, or the operator has settled it. */
  | { kind: 'lost' };

/**
 * The statement that marks the beginning of submissions: one per worker, right before its message is written to the
 * server. It returns the keys of the rows that may be submitted. Not of those that are not eligible at this moment:
 * edition paused or cancelled; subscriber unsubscribed, paused, suppressed, held or deleted; delivery expired.
 * @param claims with the newsletter whose consent is required
 * @param leaseMs longer than any submission
 */
export function markQuery(
  db: Db,
  claims: readonly (DeliveryClaim & { newsletter: string })[],
  now: number,
  leaseMs: number,
): CompiledQuery<ClaimKeyRow> {
  const values = claims.map((claim) => [claim.editionId, claim.subscriberId, claim.fence, claim.newsletter]);
  const r = jsonRows(dialectOf(db), values, {
    edition_id: 'int',
    subscriber_id: 'int',
    fence: 'int',
    newsletter: 'text',
  });
  // The open editions are selected once per statement: an edition's row has hundreds of kilobytes.
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
          and subscribers.held_by is null and (subscribers.paused_until is null or subscribers.paused_until <= ${now})
      )
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.compile(db);
}

/** Records why a row that `markQuery` did not return must not be submitted. */
export async function recordIneligible(
  tx: Tx,
  claim: DeliveryClaim & { newsletter: string },
  now: number,
): Promise<MarkResult> {
  const facts = await findEligibilityFacts(tx, claim);
  if (facts === undefined) return { kind: 'lost' };
  const outcome = decideIneligible(facts, now);
  const [recorded] = await recordOutcomes(tx, [{ claim, outcome }], now);
  return recorded ? outcome : { kind: 'lost' };
}

async function findEligibilityFacts(
  tx: Tx,
  { editionId, subscriberId, fence }: DeliveryClaim,
): Promise<EligibilityFacts | undefined> {
  const { rows } = await sql<EligibilityFacts>`
    select deliveries.expires_at as "expiresAt", deliveries.reason, editions.delivery_state as "deliveryState",
      editions.delivery_reason as "deliveryReason", subscribers.id as "subscriberId",
      subscribers.paused_until as "pausedUntil", subscribers.suppressed_reason as "suppressedReason",
      subscriptions.state as consent
    from deliveries join editions on editions.id = deliveries.edition_id
    left join subscribers on subscribers.id = deliveries.subscriber_id
    left join subscriptions on subscriptions.subscriber_id = deliveries.subscriber_id
      and subscriptions.newsletter = editions.newsletter
    where deliveries.edition_id = ${editionId} and deliveries.subscriber_id = ${subscriberId}
      and deliveries.fence = ${fence} and deliveries.state = 'pending'`.execute(tx);
  return rows[0];
}

/** The state of a delivery, its edition and its subscriber. */
interface EligibilityFacts {
  expiresAt: number | null;
  /** Why the last attempt failed, or null. */
  reason: string | null;
  deliveryState: EditionDeliveryState;
  deliveryReason: string | null;
  /** Null if the subscriber no longer exists. */
  subscriberId: number | null;
  pausedUntil: number | null;
  suppressedReason: SuppressionReason | null;
  consent: SubscriptionState | null;
}

/** Why a claimed delivery must not be submitted: the outcome for the first obstacle. Pure. */
function decideIneligible(
  facts: EligibilityFacts,
  now: number,
): Extract<DeliveryOutcome, { kind: 'suppressed' | 'failed' | 'released' }> {
  const { expiresAt, reason, deliveryState, deliveryReason, pausedUntil, suppressedReason } = facts;
  if (deliveryState === 'cancelled') return { kind: 'suppressed', reason: CANCELLED + (deliveryReason ?? '') };
  if (facts.subscriberId === null) return { kind: 'suppressed', reason: 'the subscriber no longer exists' };
  if (suppressedReason !== null) {
    return { kind: 'suppressed', reason: `the address is suppressed: ${suppressedReason}` };
  }
  if (facts.consent !== 'confirmed') return { kind: 'suppressed', reason: 'the subscription is no longer confirmed' };
  if (pausedUntil !== null && pausedUntil > now) {
    return { kind: 'suppressed', reason: `the subscriber paused mail until ${rfc3339(pausedUntil)}` };
  }
  if (expiresAt !== null && expiresAt <= now) return { kind: 'failed', reply: null, reason: expiredReason(reason) };
  // The edition is paused, the subscriber held, or the obstacle has just gone: the next claim decides again.
  return { kind: 'released', reason };
}

/**
 * Records outcomes and ends the leases. An uncertain delivery stays in `submitting`, with an expired lease. A delivery
 * that the mail provider reported meanwhile is submitted, with any outcome: its message has arrived.
 * @returns for each whether it was recorded: false if its claim was lost
 */
export async function recordOutcomes(
  db: Db,
  outcomes: readonly { claim: DeliveryClaim; outcome: DeliveryOutcome }[],
  now: number,
): Promise<boolean[]> {
  if (outcomes.length === 0) return [];
  const { rows } = await db.executeQuery<ClaimKeyRow>(recordQuery(db, outcomes, now));
  const claims = outcomes.map(({ claim }) => claim);
  return matchClaims(claims, rows);
}

/** The statement of `recordOutcomes`. It returns the keys of the rows that it recorded. */
export function recordQuery(
  db: Db,
  outcomes: readonly { claim: DeliveryClaim; outcome: DeliveryOutcome }[],
  now: number,
): CompiledQuery<ClaimKeyRow> {
  const values = outcomes.map(({ claim, outcome }) => [
    claim.editionId,
    claim.subscriberId,
    claim.fence,
    ...columnsOf(outcome),
  ]);
  const r = jsonRows(dialectOf(db), values, {
    edition_id: 'int',
    subscriber_id: 'int',
    fence: 'int',
    state: 'text',
    due_at: 'int',
    uncounted: 'int',
    reply: 'text',
    reason: 'text',
  });
  // The mail provider reported it as delivered during the submission, whose reply was lost.
  const reported = sql`r.state <> 'submitted' and deliveries.delivered_at is not null`;
  // An edition that was cancelled during the submission: deliveries that would be pending are suppressed.
  const cancelled = sql`r.state = 'pending'
    and (select delivery_state from editions where id = r.edition_id) = 'cancelled'`;
  // An attempt that may have arrived is not forgotten: a reissue must not mail its recipient again.
  const arrivedBefore = sql`coalesce(${mayHaveArrived('deliveries')}, false)`;
  const arrivedNow = sql`coalesce(${mayHaveArrived('r')}, false)`;
  return sql<ClaimKeyRow>`update deliveries
    set state = case when ${reported} then 'submitted' when ${cancelled} then 'suppressed' else r.state end,
      attempts = deliveries.attempts - r.uncounted,
      due_at = coalesce(r.due_at, deliveries.due_at),
      reply = case when ${reported} then ${REPORTED} else coalesce(r.reply, deliveries.reply) end,
      reason = case when ${reported} then null when ${cancelled}
        then ${CANCELLED} || (select coalesce(delivery_reason, '') from editions where id = r.edition_id)
          || case when ${arrivedBefore} or ${arrivedNow} then ${`; ${MAY_HAVE_ARRIVED}`} else '' end
        when ${arrivedBefore} and not ${arrivedNow} then coalesce(r.reason || '; ', '') || ${MAY_HAVE_ARRIVED}
        else r.reason end,
      lease_until = case when r.state = 'submitting' and not (${reported}) then cast(${now} as bigint) end,
      changed_at = cast(${now} as bigint)
    from ${r} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state in (${PENDING}, ${SUBMITTING})
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.compile(db);
}

// Parameters here, not literals: with the condition of the index deliveries_open, SQLite would use that index and walk
// through every open row.
const PENDING = 'pending';
const SUBMITTING = 'submitting';

/** For each claim whether its key is among the rows. */
export function matchClaims(claims: readonly DeliveryClaim[], rows: readonly ClaimKeyRow[]): boolean[] {
  const keys = new Set(rows.map((row) => `${row.edition_id} ${row.subscriber_id} ${row.fence}`));
  return claims.map((claim) => keys.has(`${claim.editionId} ${claim.subscriberId} ${claim.fence}`));
}

/** State, due_at, uncounted attempts, reply and reason. */
function columnsOf(outcome: DeliveryOutcome): [DeliveryState, number | null, number, string | null, string | null] {
  switch (outcome.kind) {
    case 'submitted':
      return ['submitted', null, 0, outcome.reply, null];
    case 'deferred':
      return ['pending', outcome.dueAt, 0, outcome.reply, outcome.reason];
    case 'failed':
      return ['failed', null, 0, outcome.reply, outcome.reason];
    case 'suppressed':
      return ['suppressed', null, 0, null, outcome.reason];
    case 'uncertain':
      return ['submitting', null, 0, null, outcome.reason];
    case 'reverted':
      return ['pending', outcome.dueAt ?? null, 1, outcome.reply, outcome.reason];
    case 'released':
      return ['pending', null, 0, null, outcome.reason];
  }
}

/** Ends the leases of unused claims, so that the next worker need not wait for them to expire. */
export async function releaseClaims(db: Db, claims: readonly DeliveryClaim[]): Promise<void> {
  if (claims.length === 0) return;
  await sql`update deliveries set lease_until = null
    from ${keyRows(db, claims)} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state = ${PENDING}`.execute(db);
}

function keyRows(db: Db, claims: readonly DeliveryClaim[]) {
  const values = claims.map((claim) => [claim.editionId, claim.subscriberId, claim.fence]);
  return jsonRows(dialectOf(db), values, { edition_id: 'int', subscriber_id: 'int', fence: 'int' });
}

/**
 * Called before an edition is set to `done`, outside of a transaction. What it returns is called in the transaction
 * that sets it.
 */
export type PrepareFinish = (editionId: number) => Promise<(tx: Tx) => Promise<void>>;

/** Sets editions without open deliveries to `done`. @returns their ids */
export async function finishEditions(db: Db, prepare?: PrepareFinish): Promise<number[]> {
  // Literals, so that the partial indexes are used.
  const candidates = await db
    .selectFrom('editions')
    .select('id')
    .where(sql<boolean>`delivery_state = 'delivering'`)
    .where(({ not, exists }) => not(exists(openDeliveriesOf(db, sql.ref('editions.id')))))
    .orderBy('id')
    .execute();
  const finished: number[] = [];
  for (const { id } of candidates) {
    const onFinish = await prepare?.(id);
    if (await inTransaction(db, (tx) => finish(tx, id, onFinish))) finished.push(id);
  }
  return finished;
}

/** @returns false if it was finished by another process, or deliveries of it were reopened */
async function finish(tx: Tx, id: number, onFinish: ((tx: Tx) => Promise<void>) | undefined): Promise<boolean> {
  // Locked before its deliveries are looked at, as `reopenDeliveries` does: otherwise it could be set to done while
  // they are reopened, and they would never be claimed.
  const lock = dialectOf(tx) === 'postgres' ? sql`for update` : sql``;
  const { rows } =
    await sql`select id from editions where id = ${id} and delivery_state = 'delivering' ${lock}`.execute(tx);
  if (rows.length === 0) return false;
  if (await hasOpenDeliveries(tx, id)) return false;
  await tx
    .updateTable('editions')
    .set({ delivery_state: 'done', delivery_reason: null })
    .where('id', '=', id)
    .execute();
  await onFinish?.(tx);
  return true;
}

export async function hasOpenDeliveries(db: Db, editionId: number): Promise<boolean> {
  return (await openDeliveriesOf(db, sql.lit(editionId)).limit(1).execute()).length > 0;
}

function openDeliveriesOf(db: Db, editionId: RawBuilder<unknown>) {
  return db
    .selectFrom('deliveries')
    .select('deliveries.subscriber_id')
    .where(sql<boolean>`deliveries.edition_id = ${editionId} and ${isInOpenState('deliveries')}`);
}

/** The key and fence of a row, as statements return them. */
export interface ClaimKeyRow {
  edition_id: number;
  subscriber_id: number;
  fence: number;
}
