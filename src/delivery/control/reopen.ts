/**
 * Makes deliveries that have ended without being submitted pending again, and gives others more time, for an operator
 * who disagrees with their end.
 */
import { sql } from 'kysely';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, type InTransaction, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import type { EditionDeliveryState } from '../../core/store/tables/edition-tables.ts';
import type { BounceKind } from '../../core/store/tables.ts';
import { isAboutSender } from '../bounces/classify.ts';
import { isAtProvider } from '../holds/provider-holds.ts';
import { CANCELLED, EXPIRED } from '../queue/delivery-outcome.ts';
import { type FailureGroup, FailureGroups } from '../queue/failure-groups.ts';
import { DeliveryControlError, findStateOf, requireNewestRevision, retryCancelled } from './edition-control.ts';

/**
 * `failed`: any failure except an expiry. `cancelled`: suppressed because the edition was cancelled. `bounced`:
 * submitted, but the copy bounced because of the sender, or for good without an effect on the subscriber.
 */
export type ReopenableKind = 'failed' | 'expired' | 'cancelled' | 'bounced';

export interface ReopenRequest {
  kinds: readonly ReopenableKind[];
  /** Only at this mailbox provider. Default: everywhere. */
  provider?: string | undefined;
  /** Deliveries that expire earlier expire at this instant instead; those that do not expire still do not. */
  expiresAt: number;
  /** Counts only. */
  isDryRun: boolean;
}

export interface ReopenResult {
  /** Number of deliveries that are pending again, or would be. */
  reopened: number;
  /** Why they had ended. */
  groups: FailureGroup[];
  /** Those whose subscriber is unsubscribed, paused, suppressed or erased: they are left as they are. */
  ineligible: number;
}

// A few milliseconds per transaction, so that other writers do not wait.
const BATCH = 2_500;

/**
 * Reopens deliveries of an edition: they are due at once, with all their attempts and the same Message-ID. An edition
 * that is done is delivered again; a cancelled one only if the request names `cancelled`; a paused one stays paused.
 * Repeating it changes nothing, because the deliveries are pending then.
 * @param onCommit called last in the first transaction that reopens any
 * @throws DeliveryControlError if the edition does not exist, is cancelled or has been reissued
 */
export async function reopenDeliveries(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  editionId: number,
  request: ReopenRequest,
  now: number,
  onCommit?: InTransaction,
): Promise<ReopenResult> {
  const { newsletter } = await findReopenable(db, editionId, request);
  const groups = new FailureGroups();
  const result = { reopened: 0, ineligible: 0 };
  for (let after = 0; ; ) {
    const rows = await findEnded(reports, editionId, { ...request, newsletter, after, now });
    const last = rows.at(-1);
    if (last === undefined) return { ...result, groups: groups.list() };
    after = last.subscriberId;
    const ended = rows.filter(
      ({ bounce, status, detail }) => bounce !== 'soft' || isAboutSender({ status, text: detail }),
    );
    const eligible = ended.filter((row) => row.isEligible === 1);
    result.ineligible += ended.length - eligible.length;
    const ids = eligible.map((row) => row.subscriberId);
    const onFirst = result.reopened === 0 ? onCommit : undefined;
    const reopened = new Set(request.isDryRun ? ids : await reopen(db, editionId, ids, request, now, onFirst));
    result.reopened += reopened.size;
    for (const { subscriberId, reason } of eligible) if (reopened.has(subscriberId)) groups.add(reason);
  }
}

async function findReopenable(db: Db, editionId: number, { kinds }: ReopenRequest): Promise<{ newsletter: string }> {
  const edition = await findStateOf(db, editionId);
  await requireNewestRevision(db, editionId);
  if (edition.delivery_state === 'cancelled' && !kinds.includes('cancelled')) {
    const name = `${edition.newsletter}/${edition.slot}`;
    throw new DeliveryControlError(`${name} is cancelled`, [retryCancelled('deliver it after all', name)]);
  }
  return edition;
}

interface EndedRow {
  subscriberId: number;
  reason: string | null;
  isEligible: 0 | 1;
  /** Of a submitted one; null for others. */
  bounce: BounceKind | null;
  status: string | null;
  detail: string;
}

/** By the primary key, outside of a transaction: it may read past a million deliveries that were submitted. */
async function findEnded(
  db: Db,
  editionId: number,
  { kinds, provider, newsletter, after, now }: ReopenRequest & { newsletter: string; after: number; now: number },
): Promise<EndedRow[]> {
  const isExpired = sql`coalesce(deliveries.reason, '') like ${`${EXPIRED}%`}`;
  const conditions = {
    failed: sql`(deliveries.state = 'failed' and not ${isExpired})`,
    expired: sql`(deliveries.state = 'failed' and ${isExpired})`,
    cancelled: sql`(deliveries.state = 'suppressed' and deliveries.reason like ${`${CANCELLED}%`})`,
    bounced: sql`(deliveries.state = 'submitted' and bounces.id is not null)`,
  };
  const { rows } = await sql<EndedRow>`
    select deliveries.subscriber_id as "subscriberId", deliveries.reason,
      bounces.kind as bounce, bounces.status, coalesce(bounces.detail, '') as detail,
      case when subscribers.suppressed_reason is null and subscribers.held_by is null
        and subscriptions.state = 'confirmed' and coalesce(subscribers.paused_until, 0) <= ${now}
        then 1 else 0 end as "isEligible"
    from deliveries
    left join subscribers on subscribers.id = deliveries.subscriber_id
    left join subscriptions on subscriptions.subscriber_id = deliveries.subscriber_id
      and subscriptions.newsletter = ${newsletter}
    left join bounces on deliveries.state = 'submitted' and bounces.edition_id = deliveries.edition_id
      and bounces.subscriber_id = deliveries.subscriber_id and bounces.kind <> 'complaint'
    where deliveries.edition_id = ${editionId} and deliveries.subscriber_id > ${after}
      and (${sql.join(
        kinds.map((kind) => conditions[kind]),
        sql` or `,
      )})
      and ${provider === undefined ? sql`1 = 1` : isAtProvider(provider)}
    order by deliveries.subscriber_id
    limit ${BATCH}`.execute(db);
  return rows;
}

/**
 * Without conditions on the subscribers. With `bounced`, a pending delivery is due at once, and the bounces of the
 * submitted ones are deleted: another one of the next copy counts.
 * @returns the subscribers whose delivery is pending again
 */
export function reopen(
  db: Db,
  editionId: number,
  subscriberIds: number[],
  request: Pick<ReopenRequest, 'kinds' | 'expiresAt'>,
  now: number,
  onCommit: InTransaction | undefined,
): Promise<number[]> {
  if (subscriberIds.length === 0) return Promise.resolve([]);
  return inTransaction(db, async (tx) => {
    // First, so that no other process finds the edition finished before the deliveries are committed.
    if (!(await openEdition(tx, editionId, request))) return [];
    const values = subscriberIds.map((id) => [id]);
    const r = jsonRows(dialectOf(tx), values, { subscriber_id: 'int' });
    const isOfBounce = sql`bounces.edition_id = ${editionId} and bounces.kind <> 'complaint'`;
    // Submitted ones only with their bounce, so that two operators do not submit one twice.
    const orBounced = request.kinds.includes('bounced')
      ? sql`or deliveries.state = 'pending' or deliveries.state = 'submitted' and exists (
          select 1 from bounces where ${isOfBounce} and bounces.subscriber_id = deliveries.subscriber_id)`
      : sql``;
    // The fence stops a worker that still holds an earlier claim from recording its outcome.
    const { rows } = await sql<{ subscriber_id: number }>`update deliveries
      set state = 'pending', attempts = 0, due_at = cast(${now} as bigint), lease_until = null,
        fence = fence + 1, changed_at = cast(${now} as bigint), reason = ${RETRIED},
        expires_at = case when expires_at < cast(${request.expiresAt} as bigint)
          then cast(${request.expiresAt} as bigint) else expires_at end
      from ${r} r
      where deliveries.edition_id = ${editionId} and deliveries.subscriber_id = r.subscriber_id
        and (deliveries.state in ('failed', 'suppressed') ${orBounced})
      returning deliveries.subscriber_id`.execute(tx);
    // The new attempts are judged without the refusals of the earlier ones.
    await sql`delete from edition_refusals where edition_id = ${editionId}
      and subscriber_id in (select subscriber_id from ${r} r)`.execute(tx);
    if (request.kinds.includes('bounced')) {
      const ids = sql`select subscriber_id from ${r} r`;
      await sql`delete from bounces where ${isOfBounce} and subscriber_id in (${ids})`.execute(tx);
    }
    if (rows.length > 0) await onCommit?.(tx);
    return rows.map((row) => row.subscriber_id);
  });
}

/** The reason of a delivery that the operator has reopened. */
const RETRIED = 'retried by the operator';

/** @returns false if the edition was cancelled or reissued in the meantime */
async function openEdition(tx: Tx, editionId: number, { kinds }: Pick<ReopenRequest, 'kinds'>): Promise<boolean> {
  const states: EditionDeliveryState[] = ['delivering', 'done', ...(kinds.includes('cancelled') ? CANCELLED_TOO : [])];
  const opened = await tx
    .updateTable('editions')
    .set({ delivery_state: 'delivering', delivery_reason: null })
    .where('id', '=', editionId)
    .where('delivery_state', 'in', states)
    .where('superseded_by', 'is', null)
    .executeTakeFirstOrThrow();
  if (opened.numUpdatedRows > 0n) return true;
  // Locked, too, until the deliveries are committed.
  const paused = await tx
    .updateTable('editions')
    .set({ delivery_state: 'paused' })
    .where('id', '=', editionId)
    .where('delivery_state', '=', 'paused')
    .executeTakeFirstOrThrow();
  return paused.numUpdatedRows > 0n;
}

const CANCELLED_TOO: EditionDeliveryState[] = ['cancelled'];

/** Counts the pending deliveries of an edition that have expired: they would fail at once if it is resumed. */
export async function countExpiredPending(db: Db, editionId: number, now: number): Promise<number> {
  const { count } = await db
    .selectFrom('deliveries')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('edition_id', '=', editionId)
    .where(isInOpenState('deliveries'))
    .where('state', '=', 'pending')
    .where('expires_at', '<=', now)
    .executeTakeFirstOrThrow();
  return count;
}

/**
 * Extends the open deliveries of an edition that expire before an instant to that instant.
 * @returns their number
 */
export async function extendDeliveries(
  { db, reports }: Pick<Store, 'db' | 'reports'>,
  editionId: number,
  expiresAt: number,
): Promise<number> {
  let extended = 0;
  for (let after = 0; ; ) {
    const rows = await findExpiringBefore(reports, editionId, { expiresAt, after });
    const last = rows.at(-1);
    if (last === undefined) return extended;
    after = last.subscriber_id;
    const values = rows.map((row) => [row.subscriber_id]);
    const r = jsonRows(dialectOf(db), values, { subscriber_id: 'int' });
    const { numAffectedRows } = await sql`update deliveries set expires_at = cast(${expiresAt} as bigint)
      from ${r} r
      where deliveries.edition_id = ${editionId} and deliveries.subscriber_id = r.subscriber_id
        and deliveries.expires_at < ${expiresAt} and deliveries.state in (${PENDING}, ${SUBMITTING})`.execute(db);
    extended += Number(numAffectedRows ?? 0n);
  }
}

// Parameters, so that the primary key is used: from the index of open deliveries, each batch would sort all of them.
const PENDING = 'pending';
const SUBMITTING = 'submitting';

function findExpiringBefore(
  db: Db,
  editionId: number,
  { expiresAt, after }: { expiresAt: number; after: number },
): Promise<{ subscriber_id: number }[]> {
  return db
    .selectFrom('deliveries')
    .select('subscriber_id')
    .where('edition_id', '=', editionId)
    .where('subscriber_id', '>', after)
    .where('state', 'in', [PENDING, SUBMITTING])
    .where('expires_at', '<', expiresAt)
    .orderBy('subscriber_id')
    .limit(BATCH)
    .execute();
}
