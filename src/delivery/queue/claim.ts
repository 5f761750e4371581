/**
 * Claims deliveries: in small leases, the oldest open edition first, and past the limits only as far as they allow.
 */
import { sql } from 'kysely';
import { rfc3339 } from '../../lib/time.ts';
import { jsonRows } from '../../store/json-rows.ts';
import { DELIVERY_HELD, readMeta } from '../../store/meta.ts';
import { type Db, type Dialect, dialectOf, type Store } from '../../store/store.ts';
import { type DeliveryOutcome, EXPIRED } from './delivery-outcome.ts';
import { type ClaimedDelivery, recordResults } from './outbox.ts';
import { type DeliveryRateLimiter, RESERVED_AHEAD } from './rate-limiter.ts';
import { INTERRUPTED, retriesUncertain } from './uncertain.ts';

export interface ClaimOptions {
  /** Epoch milliseconds. */
  now: number;
  limit: number;
  /** How long they are ours, unless marking them extends it. */
  leaseMs: number;
  /** What becomes of a submission that was interrupted: claimed again, or left to the operator. */
  uncertain: 'retry' | 'hold';
  /** Null where nothing is limited. */
  throttle: DeliveryRateLimiter | null;
  /** Claims of that edition only. */
  editionId?: number | undefined;
}

export interface ClaimResult {
  deliveries: ClaimedDelivery[];
  /** How many were not worth submitting any more, and failed. Where this isn't 0, there may be more of both. */
  expired: number;
  /** How many wait for a limit. */
  postponed: number;
  /** Why nothing is mailed at all, or null. */
  held: string | null;
}

/** Claims what is due, longest due first within an edition. Those whose lease has lapsed are claimed again. */
export async function claimDeliveries(
  store: Pick<Store, 'db' | 'dialect'>,
  options: ClaimOptions,
): Promise<ClaimResult> {
  const nothing: ClaimResult = { deliveries: [], expired: 0, postponed: 0, held: null };
  // A look first: most of the time nothing is open, and a transaction would wait for other writers.
  const held = await readMeta(store.db, DELIVERY_HELD);
  if (held !== undefined) return { ...nothing, held };
  const editions = await findOpenEditions(store.db, options.editionId);
  if (editions.length === 0) return nothing;
  return store.db.transaction().execute(async (tx) => {
    const claimed = { ...nothing };
    for (const edition of editions) {
      const limit = options.limit - claimed.deliveries.length;
      if (limit <= 0) break;
      await claimOfEdition(tx, store.dialect, edition, { ...options, limit }, claimed);
    }
    return claimed;
  });
}

async function findOpenEditions(db: Db, editionId: number | undefined): Promise<OpenEdition[]> {
  return (
    db
      .selectFrom('editions')
      .select(['id', 'newsletter'])
      // A literal, not a parameter: only then does the partial index editions_in_delivery answer.
      .where(sql<boolean>`delivery_state = 'delivering'`)
      .$if(editionId !== undefined, (q) => q.where('id', '=', editionId as number))
      .orderBy('id')
      .execute()
  );
}

interface OpenEdition {
  id: number;
  newsletter: string;
}

async function claimOfEdition(
  tx: Db,
  dialect: Dialect,
  edition: OpenEdition,
  options: ClaimOptions,
  claimed: ClaimResult,
): Promise<void> {
  const { now, throttle } = options;
  const due = await selectDue(tx, dialect, edition.id, options);
  const fresh = due.filter((row) => row.expiresAt === null || row.expiresAt > now);
  if (fresh.length < due.length) claimed.expired += await failStale(tx, dialect, edition.id, options);
  if (fresh.length === 0) return;
  const instants = throttle === null ? null : await throttle.reserve(tx, fresh.map(domainOf), now);
  const mine: ClaimedDelivery[] = [];
  const changed: { claim: ClaimedDelivery; result: DeliveryOutcome }[] = [];
  for (const [n, row] of fresh.entries()) {
    const notBefore = instants?.[n] ?? now;
    const { state, reason, ...rest } = row;
    const delivery = { ...rest, editionId: edition.id, newsletter: edition.newsletter, notBefore };
    const interrupted = state === 'submitting';
    if (notBefore > now + RESERVED_AHEAD) {
      changed.push({ claim: delivery, result: postponed(notBefore, row.expiresAt, interrupted) });
      continue;
    }
    if (interrupted) changed.push({ claim: delivery, result: { kind: 'put-back', reason: INTERRUPTED } });
    mine.push(delivery);
  }
  await recordResults(tx, changed, now);
  claimed.postponed += fresh.length - mine.length;
  claimed.deliveries.push(...(await lease(tx, mine, now + options.leaseMs)));
}

interface DueRow extends Omit<ClaimedDelivery, 'editionId' | 'newsletter' | 'notBefore'> {
  state: 'pending' | 'submitting';
  reason: string | null;
}

async function selectDue(
  tx: Db,
  dialect: Dialect,
  editionId: number,
  { now, limit, uncertain }: ClaimOptions,
): Promise<DueRow[]> {
  const { rows } = await sql<DueRow>`
    select deliveries.subscriber_id as "subscriberId", deliveries.state, deliveries.attempts, deliveries.fence,
      deliveries.reason, deliveries.expires_at as "expiresAt", subscribers.email
    from deliveries left join subscribers on subscribers.id = deliveries.subscriber_id
    where deliveries.edition_id = ${editionId} and ${claimable(now, uncertain)}
    order by deliveries.due_at, deliveries.subscriber_id
    limit ${limit}
    ${steppingOver(dialect)}`.execute(tx);
  return rows;
}

/**
 * The condition of what may be claimed. The states are written out, not bound: SQLite uses the partial index deliveries_open only
 * where it sees its condition.
 */
function claimable(now: number, uncertain: 'retry' | 'hold') {
  return sql`deliveries.state in ('pending', 'submitting') and deliveries.due_at <= ${now}
    and (deliveries.lease_until is null or deliveries.lease_until <= ${now}) and ${retriesUncertain(uncertain)}`;
}

/** Other workers step over the rows this one is claiming; SQLite has one writer at a time. */
function steppingOver(dialect: Dialect) {
  return dialect === 'postgres' ? sql`for update of deliveries skip locked` : sql``;
}

const STALE_AT_ONCE = 5_000;

/**
 * Fails what is stale among the deliveries that have been due longest: with one edition's all due at once, those are the stale ones, and
 * no index is needed to find them.
 */
async function failStale(
  tx: Db,
  dialect: Dialect,
  editionId: number,
  { now, uncertain }: ClaimOptions,
): Promise<number> {
  const { numAffectedRows } = await sql`
    with due as (
      select deliveries.edition_id, deliveries.subscriber_id from deliveries
      where deliveries.edition_id = ${editionId} and ${claimable(now, uncertain)}
      order by deliveries.due_at, deliveries.subscriber_id
      limit ${STALE_AT_ONCE}
      ${steppingOver(dialect)}
    )
    update deliveries
    set state = 'failed', lease_until = null, fence = fence + 1, changed_at = cast(${now} as bigint),
      reason = ${EXPIRED} || case
        when state = 'submitting' then '; the last attempt was interrupted, so it may have arrived'
        when reason is null then ''
        else '; the last attempt: ' || reason end
    from due
    where deliveries.edition_id = due.edition_id and deliveries.subscriber_id = due.subscriber_id
      and deliveries.expires_at <= ${now}`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

function postponed(instant: number, expiresAt: number | null, interrupted: boolean): DeliveryOutcome {
  // Never beyond the instant at which it is stale: it must fail then, and not wait on.
  const dueAt = expiresAt === null ? instant : Math.min(instant, expiresAt);
  const reason = `over the limit of delivery.perSecond, domains or warmUp: asked again at ${rfc3339(dueAt)}`;
  return { kind: 'deferred', dueAt, reply: null, reason: interrupted ? `${INTERRUPTED}; ${reason}` : reason };
}

/** Only these two columns: no index holds them, so a claim writes nothing but the row. */
async function lease(tx: Db, rows: ClaimedDelivery[], leaseUntil: number): Promise<ClaimedDelivery[]> {
  if (rows.length === 0) return [];
  const r = jsonRows(
    dialectOf(tx),
    rows.map((row) => [row.editionId, row.subscriberId]),
    { edition_id: 'int', subscriber_id: 'int' },
  );
  await sql`update deliveries set fence = fence + 1, lease_until = cast(${leaseUntil} as bigint)
    from ${r} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id`.execute(tx);
  return rows.map((row) => ({ ...row, fence: row.fence + 1 }));
}

function domainOf({ email }: { email: string | null }): { domain: string } {
  return { domain: email === null ? '' : email.slice(email.lastIndexOf('@') + 1) };
}
