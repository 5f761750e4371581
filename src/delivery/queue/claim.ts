/** Claims deliveries in small batches, the oldest open edition first, within the daily limits. */
import { type RawBuilder, sql } from 'kysely';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { isClaimable, skipLocked } from '../../core/store/lease.ts';
import { DELIVERY_HELD, readMeta } from '../../core/store/meta.ts';
import { type Db, dialectOf, type Store, type Tx } from '../../core/store/store.ts';
import { HOUR } from '../../lib/time.ts';
import { isPutOff, listHolds, type ProviderHold, PUT_OFF } from '../holds/provider-holds.ts';
import type { DailyLimit } from '../limits/daily-limit.ts';
import type { ChosenCopy } from '../message/copy-bodies.ts';
import {
  type DeliveryOutcome,
  EXPIRED,
  INTERRUPTED,
  isMarkedUncertain,
  OVER_LIMITS,
  REPORTED,
} from './delivery-outcome.ts';
import { type ClaimedDelivery, recordOutcomes } from './outbox.ts';

export interface ClaimOptions {
  /** Epoch milliseconds. */
  now: number;
  limit: number;
  /** Duration of the lease, unless marking extends it. */
  leaseMs: number;
  /** Whether interrupted submissions are claimed again, or left to the operator. */
  uncertain: 'retry' | 'hold';
  /** Null if nothing is limited. */
  dailyLimit: DailyLimit | null;
  /** Claims deliveries of this edition only. */
  editionId?: number | undefined;
  /** Claims deliveries of these newsletters only: the messages of others cannot be built. Default: of all. */
  newsletters?: readonly string[] | undefined;
}

export interface ClaimResult {
  deliveries: ClaimedDelivery[];
  /** Number of expired deliveries that failed. If it is not 0, there may be more of both. */
  expired: number;
  /** Number of those that wait for their mailbox provider; likewise. */
  putOff: number;
  /** Why the queue is held, or null. */
  held: string | null;
}

/** Claims due deliveries, longest due first within an edition, including those whose lease has expired. */
export async function claimDeliveries(
  store: Pick<Store, 'db' | 'dialect'>,
  options: ClaimOptions,
): Promise<ClaimResult> {
  const result: ClaimResult = { deliveries: [], expired: 0, putOff: 0, held: null };
  // Queries first: most of the time nothing is open, and a transaction would wait for other writers.
  const held = await readMeta(store.db, DELIVERY_HELD);
  if (held !== undefined) return { ...result, held };
  const open = await findOpenEditions(store.db, options);
  if (open.length === 0) return result;
  const isOverLimit = (await options.dailyLimit?.left(store.db, options.now)) === 0;
  const editions = isOverLimit ? open.filter(({ firstExpiry }) => firstExpiry <= options.now) : open;
  if (editions.length === 0) return result;
  return store.db.transaction().execute(async (tx) => {
    const holds = await listHolds(tx, { isOpen: true });
    for (const edition of editions) {
      const limit = options.limit - result.deliveries.length;
      if (limit > 0) await claimOfEdition(tx, edition, { ...options, limit, isOverLimit, holds }, result);
    }
    return result;
  });
}

interface OpenEdition {
  id: number;
  newsletter: string;
  /** When the delivery that has been due longest expires. */
  firstExpiry: number;
}

/** Those with deliveries that are due: while none is, a run writes nothing. */
async function findOpenEditions(db: Db, options: Omit<ClaimOptions, 'limit' | 'leaseMs'>): Promise<OpenEdition[]> {
  const { editionId, newsletters } = options;
  const isChosen = sql.join(
    [
      // A literal, so that the partial index editions_in_delivery is used.
      sql`delivery_state = 'delivering'`,
      ...(editionId === undefined ? [] : [sql`id = ${editionId}`]),
      ...(newsletters === undefined ? [] : [sql`newsletter in (${sql.join([...newsletters, ''])})`]),
    ],
    sql` and `,
  );
  const { rows } = await sql<OpenEdition | { firstExpiry: null }>`
    select id, newsletter, (
      select coalesce(deliveries.expires_at, ${Number.MAX_SAFE_INTEGER}) from deliveries
      where deliveries.edition_id = editions.id and ${isDue(options)}
      order by deliveries.due_at, deliveries.subscriber_id limit 1
    ) as "firstExpiry"
    from editions where ${isChosen} order by id`.execute(db);
  return rows.filter((row): row is OpenEdition => row.firstExpiry !== null);
}

/** Adds to `result`. */
async function claimOfEdition(
  tx: Tx,
  { id: editionId, newsletter }: OpenEdition,
  options: ClaimOptions & { isOverLimit: boolean; holds: readonly ProviderHold[] },
  result: ClaimResult,
): Promise<void> {
  const { now, dailyLimit, holds } = options;
  const found = await selectDue(tx, editionId, options);
  const due = found.filter((row) => row.deliveredAt === null);
  const inTime = due.filter((row) => row.expiresAt === null || row.expiresAt > now);
  const [putOff, unexpired] = [true, false].map((waits) =>
    inTime.filter((row) => (row.heldBy !== null || isPutOff(holds, { editionId, ...row })) === waits),
  ) as [DueRow[], DueRow[]];
  result.putOff += putOff.length;
  if (inTime.length < due.length) result.expired += await failExpired(tx, editionId, options);
  const allowed = (await dailyLimit?.take(tx, unexpired.length, now)) ?? unexpired.length;
  const rows = unexpired.slice(0, allowed);
  const keyOf = ({ subscriberId, fence }: DueRow) => ({ editionId, subscriberId, fence });
  // The mail provider reported them while the process that submitted them was ending.
  const arrived = found.filter((row) => row.deliveredAt !== null);
  const interrupted = rows.filter(({ state }) => state === 'submitting');
  const submitted: DeliveryOutcome = { kind: 'submitted', reply: REPORTED };
  const released: DeliveryOutcome = { kind: 'released', reason: INTERRUPTED };
  const changes = [
    ...arrived.map((row) => ({ claim: keyOf(row), outcome: submitted })),
    ...interrupted.map((row) => ({ claim: keyOf(row), outcome: released })),
    ...putOff.map((row) => ({ claim: keyOf(row), outcome: putOffUntilLater(row, now) })),
  ];
  await recordOutcomes(tx, changes, now);
  const claims = rows.map(
    ({ state, deliveredAt: _, heldBy: __, isUncertain, wasRefused, stories, subject, ...row }) => ({
      ...row,
      copy: stories === null || subject === null ? null : { stories, subject },
      editionId,
      newsletter,
      mayHaveArrived: isUncertain === 1 || state === 'submitting',
      wasRefused: wasRefused === 1,
    }),
  );
  result.deliveries.push(...(await lease(tx, claims, now + options.leaseMs)));
}

/** Until it expires, or a release makes it due. */
function putOffUntilLater({ expiresAt, state }: DueRow, now: number): DeliveryOutcome {
  const reason = state === 'submitting' ? `${PUT_OFF}; ${INTERRUPTED}` : PUT_OFF;
  return { kind: 'deferred', dueAt: Math.min(expiresAt ?? now + HOUR, now + HOUR), reply: null, reason };
}

interface DueRow
  extends Omit<ClaimedDelivery, 'editionId' | 'newsletter' | 'mayHaveArrived' | 'wasRefused' | 'copy'>,
    Record<keyof ChosenCopy, string | null> {
  isUncertain: 0 | 1;
  wasRefused: 0 | 1;
  state: 'pending' | 'submitting';
  deliveredAt: number | null;
  heldBy: string | null;
}

async function selectDue(tx: Tx, editionId: number, options: ClaimOptions): Promise<DueRow[]> {
  const { rows } = await sql<DueRow>`
    select deliveries.subscriber_id as "subscriberId", deliveries.state, deliveries.attempts, deliveries.fence,
      deliveries.expires_at as "expiresAt", deliveries.delivered_at as "deliveredAt",
      subscribers.email, subscribers.token_version as "tokenVersion", subscribers.held_by as "heldBy", ${COPY},
      case when ${isMarkedUncertain(sql`deliveries.reason`)} then 1 else 0 end as "isUncertain",
      case when deliveries.reply like '5%' then 1 else 0 end as "wasRefused"
    from deliveries left join subscribers on subscribers.id = deliveries.subscriber_id
    where deliveries.edition_id = ${editionId} and ${isDue(options)}
    order by deliveries.due_at, deliveries.subscriber_id
    limit ${options.limit}
    ${skipLocked(tx, 'deliveries')}`.execute(tx);
  return rows;
}

// Subqueries and not a join: they use the key, also before PostgreSQL has analysed the copies of a new edition.
const COPY = sql`(select stories from edition_copies where id = deliveries.copy_id) as stories,
  (select subject from edition_copies where id = deliveries.copy_id) as subject`;

/** An uncertain delivery is claimed again once; after that, its reason says so already. */
function isDue({ now, uncertain }: Pick<ClaimOptions, 'now' | 'uncertain'>): RawBuilder<boolean> {
  const again = uncertain === 'retry' ? sql`or not ${isMarkedUncertain(sql`deliveries.reason`)}` : sql``;
  return sql<boolean>`${isInOpenState('deliveries')} and ${isClaimable('deliveries', now)}
    and (deliveries.state = 'pending' or deliveries.delivered_at is not null ${again})`;
}

const EXPIRED_BATCH = 5_000;

/**
 * Fails the expired deliveries among those that have been due longest. The deliveries of an edition that are due
 * together expire together, so no index is needed to find them.
 */
async function failExpired(
  tx: Tx,
  editionId: number,
  options: ClaimOptions & { isOverLimit: boolean },
): Promise<number> {
  const { now, isOverLimit } = options;
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
        when reason like ${`${PUT_OFF}%`} then '; it ' || reason
        when reason is null then ${isOverLimit ? `; ${OVER_LIMITS}` : ''}
        else '; the last attempt: ' || reason end
    from due
    where deliveries.edition_id = due.edition_id and deliveries.subscriber_id = due.subscriber_id
      and deliveries.expires_at <= ${now}`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/** Sets only these two columns: they are in no index, so a claim writes nothing but the row. */
async function lease(tx: Tx, rows: ClaimedDelivery[], leaseUntil: number): Promise<ClaimedDelivery[]> {
  if (rows.length === 0) return [];
  const values = rows.map((row) => [row.editionId, row.subscriberId]);
  const r = jsonRows(dialectOf(tx), values, { edition_id: 'int', subscriber_id: 'int' });
  await sql`update deliveries set fence = fence + 1, lease_until = cast(${leaseUntil} as bigint)
    from ${r} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id`.execute(tx);
  return rows.map((row) => ({ ...row, fence: row.fence + 1 }));
}
