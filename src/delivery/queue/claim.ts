/**
 * Claims deliveries in small batches, the oldest open edition first, within the rate limits.
 */
import { domainToASCII } from 'node:url';
import { type RawBuilder, sql } from 'kysely';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { isClaimable, skipLocked } from '../../core/store/lease.ts';
import { DELIVERY_HELD, readMeta } from '../../core/store/meta.ts';
import { type Db, dialectOf, type Store, type Tx } from '../../core/store/store.ts';
import { HOUR, rfc3339 } from '../../lib/time.ts';
import { listPausedDomains, waitingReason } from '../control/paused-domains.ts';
import type { DeliveryRateLimiter } from '../limits/rate-limiter.ts';
import { RESERVED_AHEAD } from '../limits/reserve-instant.ts';
import { type DeliveryOutcome, EXPIRED, INTERRUPTED, OVER_LIMITS, REPORTED } from './delivery-outcome.ts';
import { type ClaimedDelivery, recordOutcomes } from './outbox.ts';
import { recipientDomain } from './recipient-domain.ts';

export interface ClaimOptions {
  /** Epoch milliseconds. */
  now: number;
  limit: number;
  /** Duration of the lease, unless marking extends it. */
  leaseMs: number;
  /** Whether interrupted submissions are claimed again, or left to the operator. */
  uncertain: 'retry' | 'hold';
  /** Null if nothing is limited. */
  rateLimiter: DeliveryRateLimiter | null;
  /** Claims deliveries of this edition only. */
  editionId?: number | undefined;
  /** Claims no deliveries to these domains, in lower case. */
  exceptDomains?: readonly string[] | undefined;
  /** Claims deliveries from this position on. */
  from?: QueuePosition | null | undefined;
  /** Claims deliveries of these newsletters only: the messages of others cannot be built. Default: of all. */
  newsletters?: readonly string[] | undefined;
  /**
   * For a probe, which must be about neither one recipient nor one domain: claims deliveries of any edition that were
   * never tried before others, from this place in the queue on, from 0 up to but not including 1.
   */
  probeFrom?: number | undefined;
}

/** The place of a delivery in the order in which they are claimed. */
export interface QueuePosition {
  editionId: number;
  dueAt: number;
  subscriberId: number;
}

export interface ClaimResult {
  deliveries: ClaimedDelivery[];
  /** Number of expired deliveries that failed. If it is not 0, there may be more of both. */
  expired: number;
  /** Number of deliveries that a rate limit postponed, or that wait because their domain is paused. */
  postponed: number;
  /** The domains of postponed deliveries that are paused, or have a limit of their own. */
  waitingDomains: Set<string>;
  /** Whether a limit of all domains together postponed deliveries. */
  isOverTotal: boolean;
  /** Why the queue is held, or null. */
  held: string | null;
}

/** Claims due deliveries, longest due first within an edition, including those whose lease has expired. */
export async function claimDeliveries(
  store: Pick<Store, 'db' | 'dialect'>,
  options: ClaimOptions,
): Promise<ClaimResult> {
  const counts = { expired: 0, postponed: 0, isOverTotal: false };
  const nothing = (): ClaimResult => ({ ...counts, deliveries: [], waitingDomains: new Set(), held: null });
  // Queries first: most of the time nothing is open, and a transaction would wait for other writers.
  const held = await readMeta(store.db, DELIVERY_HELD);
  if (held !== undefined) return { ...nothing(), held };
  const editions = await findOpenEditions(store.db, options);
  if (editions.length === 0) return nothing();
  const ids = editions.map(({ id }) => id);
  const paused = Map.groupBy(await listPausedDomains(store.db, ids), ({ editionId }) => editionId);
  return store.db.transaction().execute(async (tx) => {
    const result = nothing();
    for (const isUntried of options.probeFrom === undefined ? [false] : [true, false]) {
      for (const edition of editions) {
        const limit = options.limit - result.deliveries.length;
        if (limit <= 0) return result;
        const pausedDomains = new Set(paused.get(edition.id)?.map(({ domain }) => domain));
        await claimOfEdition(tx, { ...edition, pausedDomains }, { ...options, limit, isUntried }, result);
      }
    }
    return result;
  });
}

/**
 * Finds the first delivery that `claimDeliveries` would claim. It reads past all others, which may take seconds in a
 * long queue: to be called with a connection for reports.
 */
export async function findClaimable(
  db: Db,
  options: Condition & Pick<ClaimOptions, 'editionId' | 'newsletters'>,
): Promise<QueuePosition | null> {
  for (const { id: editionId } of await findOpenEditions(db, options)) {
    const { rows } = await sql<Omit<QueuePosition, 'editionId'>>`
      select deliveries.due_at as "dueAt", deliveries.subscriber_id as "subscriberId"
      from deliveries left join subscribers on subscribers.id = deliveries.subscriber_id
      where ${isChosen(editionId, options)}
      order by deliveries.due_at, deliveries.subscriber_id
      limit 1`.execute(db);
    if (rows[0] !== undefined) return { editionId, ...rows[0] };
  }
  return null;
}

interface OpenEdition {
  id: number;
  newsletter: string;
}

async function findOpenEditions(
  db: Db,
  { editionId, newsletters, from = null }: Pick<ClaimOptions, 'editionId' | 'newsletters' | 'from'>,
): Promise<OpenEdition[]> {
  if (newsletters?.length === 0) return [];
  return (
    db
      .selectFrom('editions')
      .select(['id', 'newsletter'])
      // A literal, so that the partial index editions_in_delivery is used.
      .where(sql<boolean>`delivery_state = 'delivering'`)
      .$if(editionId !== undefined, (q) => q.where('id', '=', editionId as number))
      .$if(newsletters !== undefined, (q) => q.where('newsletter', 'in', newsletters as string[]))
      .$if(from !== null, (q) => q.where('id', '>=', (from as QueuePosition).editionId))
      .orderBy('id')
      .execute()
  );
}

/** Adds to `result`. */
async function claimOfEdition(
  tx: Tx,
  edition: OpenEdition & { pausedDomains: ReadonlySet<string> },
  options: ClaimOptions & { isUntried: boolean },
  result: ClaimResult,
): Promise<void> {
  const { now, rateLimiter, isUntried } = options;
  const found = await (isUntried ? selectUntried : selectDue)(tx, edition.id, options);
  const toClaim = (
    { state: _, reason: __, isRepeated, wasRefused, deliveredAt: ___, ...row }: DueRow,
    notBefore: number,
  ): ClaimedDelivery => {
    const { id: editionId, newsletter } = edition;
    return { ...row, isRepeated: isRepeated === 1, wasRefused: wasRefused === 1, editionId, newsletter, notBefore };
  };
  // The mail provider reported it while the process that submitted it was ending.
  const arrived = found.filter((row) => row.deliveredAt !== null);
  const submitted: DeliveryOutcome = { kind: 'submitted', reply: REPORTED };
  await recordOutcomes(
    tx,
    arrived.map((row) => ({ claim: toClaim(row, now), outcome: submitted })),
    now,
  );
  const due = found.filter((row) => row.deliveredAt === null);
  const unexpired = due.filter((row) => row.expiresAt === null || row.expiresAt > now);
  if (unexpired.length < due.length) result.expired += await failExpired(tx, edition.id, options);
  const changes: { claim: ClaimedDelivery; outcome: DeliveryOutcome }[] = [];
  const rows: DueRow[] = [];
  for (const row of unexpired) {
    const domain = recipientDomain(row.email);
    if (!edition.pausedDomains.has(domain)) {
      rows.push(row);
      continue;
    }
    result.waitingDomains.add(domain);
    changes.push({ claim: toClaim(row, now), outcome: waitForDomain(domain, row.expiresAt, now) });
  }
  const requested = rows.map(({ email }) => ({ domain: recipientDomain(email) }));
  const instants = rateLimiter === null || rows.length === 0 ? null : await rateLimiter.reserve(tx, requested, now);
  const claims: ClaimedDelivery[] = [];
  for (const [n, row] of rows.entries()) {
    const notBefore = instants?.[n] ?? now;
    const claim = toClaim(row, notBefore);
    const interrupted = row.state === 'submitting';
    if (notBefore > now + RESERVED_AHEAD) {
      const domain = recipientDomain(row.email);
      if (rateLimiter?.hasOwnLimit(domain)) result.waitingDomains.add(domain);
      else result.isOverTotal = true;
      changes.push({ claim, outcome: postpone(notBefore, row.expiresAt, interrupted) });
      continue;
    }
    if (interrupted) changes.push({ claim, outcome: { kind: 'released', reason: INTERRUPTED } });
    claims.push(claim);
  }
  await recordOutcomes(tx, changes, now);
  result.postponed += unexpired.length - claims.length;
  result.deliveries.push(...(await lease(tx, claims, now + options.leaseMs)));
}

interface DueRow extends Omit<ClaimedDelivery, 'editionId' | 'newsletter' | 'notBefore' | 'isRepeated' | 'wasRefused'> {
  isRepeated: 0 | 1;
  wasRefused: 0 | 1;
  state: 'pending' | 'submitting';
  reason: string | null;
  deliveredAt: number | null;
}

async function selectDue(tx: Tx, editionId: number, options: ClaimOptions & { isUntried: boolean }): Promise<DueRow[]> {
  const { rows } = await sql<DueRow>`
    select deliveries.subscriber_id as "subscriberId", deliveries.state, deliveries.attempts, deliveries.fence,
      deliveries.reason, deliveries.expires_at as "expiresAt", deliveries.delivered_at as "deliveredAt",
      subscribers.email, subscribers.token_version as "tokenVersion",
      case when deliveries.attempts > 0 or deliveries.reply is not null then 1 else 0 end as "isRepeated",
      case when deliveries.reply like '5%' then 1 else 0 end as "wasRefused"
    from deliveries left join subscribers on subscribers.id = deliveries.subscriber_id
    where ${isChosen(editionId, options)} ${options.isUntried ? UNTRIED : sql``}
    order by deliveries.due_at, deliveries.subscriber_id
    limit ${options.limit}
    ${skipLocked(tx, 'deliveries')}`.execute(tx);
  return rows;
}

/** Those at the head of the queue may all be for a domain that defers its mail, and would fail each probe. */
async function selectUntried(
  tx: Tx,
  editionId: number,
  options: ClaimOptions & { isUntried: boolean },
): Promise<DueRow[]> {
  const { probeFrom = 0 } = options;
  const { rows } = await sql<{ dueAt: number; first: number; last: number }>`
    select deliveries.due_at as "dueAt",
      (select min(subscriber_id) from deliveries where edition_id = ${editionId}) as first,
      (select max(subscriber_id) from deliveries where edition_id = ${editionId}) as last
    from deliveries left join subscribers on subscribers.id = deliveries.subscriber_id
    where ${isChosen(editionId, options)} ${UNTRIED}
    order by deliveries.due_at, deliveries.subscriber_id
    limit 1`.execute(tx);
  const [head] = rows;
  if (head === undefined) return [];
  const { dueAt, first, last } = head;
  const from = { editionId, dueAt, subscriberId: first + Math.floor(probeFrom * (last - first + 1)) };
  const found = await selectDue(tx, editionId, { ...options, from });
  return found.length > 0 ? found : selectDue(tx, editionId, options);
}

const UNTRIED = sql`and deliveries.attempts = 0 and deliveries.reply is null`;

type Condition = Pick<ClaimOptions, 'now' | 'uncertain' | 'exceptDomains' | 'from'>;

function isChosen(editionId: number, options: Condition): RawBuilder<boolean> {
  const { from } = options;
  const isFrom =
    from?.editionId === editionId
      ? sql`and (deliveries.due_at, deliveries.subscriber_id) >= (${from.dueAt}, ${from.subscriberId})`
      : sql``;
  return sql<boolean>`deliveries.edition_id = ${editionId} and ${isDue(options)} ${isFrom} ${exceptDomains(options)}`;
}

function isDue({ now, uncertain }: Condition): RawBuilder<boolean> {
  const open = uncertain === 'retry' ? sql`` : sql`and deliveries.state = 'pending'`;
  return sql<boolean>`${isInOpenState('deliveries')} and ${isClaimable('deliveries', now)} ${open}`;
}

function exceptDomains({ exceptDomains = [] }: Condition): RawBuilder<unknown> {
  if (exceptDomains.length === 0) return sql``;
  // A domain in A-labels contains no wildcard.
  const isExcepted = exceptDomains.map((domain) => sql`subscribers.email_key like ${`%@${domainToASCII(domain)}`}`);
  return sql`and (subscribers.id is null or not (${sql.join(isExcepted, sql` or `)}))`;
}

const EXPIRED_BATCH = 5_000;

/**
 * Fails the expired deliveries among those that have been due longest. The deliveries of an edition that are due
 * together expire together, so no index is needed to find them.
 */
async function failExpired(tx: Tx, editionId: number, options: ClaimOptions): Promise<number> {
  const { now } = options;
  const { numAffectedRows } = await sql`
    with due as (
      select deliveries.edition_id, deliveries.subscriber_id from deliveries
      where deliveries.edition_id = ${editionId} and ${isDue(options)}
      order by deliveries.due_at, deliveries.subscriber_id
      limit ${EXPIRED_BATCH}
      ${skipLocked(tx, 'deliveries')}
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

function postpone(instant: number, expiresAt: number | null, interrupted: boolean): DeliveryOutcome {
  // Not beyond its expiry: it must fail then, and not wait.
  const dueAt = expiresAt === null ? instant : Math.min(instant, expiresAt);
  const reason = `${OVER_LIMITS}: checked again at ${rfc3339(dueAt)}`;
  return { kind: 'deferred', dueAt, reply: null, reason: interrupted ? `${INTERRUPTED}; ${reason}` : reason };
}

// The list of paused domains may be older than the resumption of one: its deliveries then wait this long, at most.
const MAX_WAIT_FOR_DOMAIN = HOUR;

function waitForDomain(domain: string, expiresAt: number | null, now: number): DeliveryOutcome {
  const dueAt = Math.min(now + MAX_WAIT_FOR_DOMAIN, expiresAt ?? Number.POSITIVE_INFINITY);
  return { kind: 'deferred', dueAt, reply: null, reason: waitingReason(domain) };
}

/** Sets only these two columns: they are in no index, so a claim writes nothing but the row. */
async function lease(tx: Tx, rows: ClaimedDelivery[], leaseUntil: number): Promise<ClaimedDelivery[]> {
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
