/**
 * Pauses an edition when refusals of single recipients mean that everyone is refused: further attempts would fail the
 * whole list. Recipients that were refused before that was known are due again.
 *
 * The refusals are in the store, so they are counted over all processes, and over restarts. Each is stored with the
 * number of messages of the edition that were accepted until then: those with the current number came in a row, without
 * a success between them. So a success writes nothing. docs/decisions/2026-11-30-refusals.md has the reasons.
 */
import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import { readDeliveryCounts } from '../../core/store/counts.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import type { RefusalKind } from '../../core/store/tables.ts';
import { domainOf } from '../../lib/address.ts';
import type { ClaimedDelivery } from '../queue/outbox.ts';
import { setDeliveryState } from './edition-control.ts';

export interface DeliveryPause {
  editionId: number;
  /** Shown to the operator and with other deliveries: without addresses. */
  reason: string;
}

/** Called in the transaction that pauses an edition. */
export type OnPause = (tx: Tx, pause: DeliveryPause) => Promise<void>;

/** Refused recipients without a success since. Each recipient is counted once. */
export interface RefusalGroup {
  domain: string;
  kind: RefusalKind;
  /** 1 if the server had refused the same recipients before: an operator made them pending again. */
  repeated: number;
  count: number;
}

interface EditionFacts {
  isAnyAccepted: boolean;
  /** Its deliveries that are not suppressed. */
  recipients: number;
}

/** Refused recipients before the first success. */
const FIRST_LIMIT = 20;
/** Refused recipients in a row after a success. */
const LATER_LIMIT = 50;
/** The fewest refused recipients that count where an edition has a single domain and all are refused. */
const MIN_OF_ONE_DOMAIN = 3;

/**
 * Whether everyone is refused. `if alone`: only if the edition has a single domain.
 *
 * One domain alone counts for half of a limit, so that the dead addresses of one company stop nobody else. Once anyone
 * has got the edition, recipients that were refused before do not count again: retries may reach nobody else. Nor do
 * all recipients of a small edition, so that `resume` ends it when they are dead.
 */
export function isEveryoneRefused(
  refusals: readonly RefusalGroup[],
  { isAnyAccepted, recipients }: EditionFacts,
): boolean | 'if alone' {
  const counted = refusals.filter(({ repeated }) => !isAnyAccepted || repeated === 0);
  const limit = isAnyAccepted ? LATER_LIMIT : FIRST_LIMIT;
  const total = sum(counted);
  // It is the server that breaks connections, not a domain.
  if (sum(counted.filter(({ kind }) => kind === 'uncertain')) >= FIRST_LIMIT) return true;
  const domains = [...Map.groupBy(counted, ({ domain }) => domain).values()].map(sum);
  if (!isAnyAccepted && total >= recipients) {
    if (total < FIRST_LIMIT && counted.every(({ repeated }) => repeated === 1)) return false;
    return domains.length > 1 || total >= MIN_OF_ONE_DOMAIN;
  }
  if (domains.reduce((all, one) => all + Math.min(one, limit / 2), 0) >= limit) return true;
  return domains.length === 1 && total >= limit ? 'if alone' : false;
}

function sum(refusals: readonly RefusalGroup[]): number {
  return refusals.reduce((total, { count }) => total + count, 0);
}

/** The statement that notes refusals; to be executed after their outcomes are recorded, in the same transaction. */
export function refusalQuery(
  db: Db,
  refusals: readonly { claim: ClaimedDelivery; kind: RefusalKind }[],
): CompiledQuery {
  const r = jsonRows(
    dialectOf(db),
    refusals.map(({ claim: { editionId, subscriberId, fence, email, wasRefused }, kind }) => {
      return [editionId, subscriberId, fence, domainOf(email ?? ''), kind, wasRefused ? 1 : 0];
    }),
    { edition_id: 'int', subscriber_id: 'int', fence: 'int', domain: 'text', kind: 'text', repeated: 'int' },
  );
  // Unless the claim was lost, and the outcome is another worker's. Parameters: literals would make SQLite use the
  // index of open deliveries.
  return sql`insert into edition_refusals (edition_id, subscriber_id, domain, kind, repeated, accepted, fence)
    select r.edition_id, r.subscriber_id, r.domain, r.kind, r.repeated, ${acceptedOf(sql`r.edition_id`)}, r.fence
    from ${r} r
    where exists (
      select 1 from deliveries
      where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
        and deliveries.fence = r.fence and deliveries.state in (${'failed'}, ${'pending'}, ${'submitting'})
    )
    on conflict (edition_id, subscriber_id) do update set kind = excluded.kind, repeated = excluded.repeated,
      accepted = excluded.accepted, fence = excluded.fence`.compile(db);
}

/** How many messages of an edition were accepted, ever. */
function acceptedOf(editionId: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`coalesce((
    select cast(sum(entered) as bigint) from delivery_counts
    where delivery_counts.edition_id = ${editionId} and delivery_counts.state = 'submitted'), 0)`;
}

/**
 * Decides what a recorded refusal means, with those before it.
 * @param words the server's, without addresses
 * @returns what it paused, if anything, and how many failed deliveries are due again
 * @throws if the store fails
 */
export async function judgeRefusal(
  { db }: Pick<Store, 'db'>,
  editionId: number,
  words: string,
  now: number,
  onPause: OnPause | undefined,
): Promise<{ paused: DeliveryPause | null; takenBack: number }> {
  const state = await readState(db, editionId);
  if (state?.delivery_state !== 'paused' && !(await isRefused(db, editionId))) return { paused: null, takenBack: 0 };
  return inTransaction(db, async (tx) => {
    const uncertain = sum((await readRefusals(tx, editionId)).filter(({ kind }) => kind === 'uncertain'));
    const many = uncertain === 1 ? '1 message' : `${uncertain} messages`;
    const reason =
      uncertain === 0
        ? `the server refuses every recipient: ${words}`
        : `the server does not reply to complete messages, and ${many} may have arrived: ${words}`;
    // One that is done, too: another process may have seen its last delivery fail a moment ago.
    const isSet = await setDeliveryState(tx, editionId, { from: ['delivering', 'done'], to: 'paused', reason });
    const edition = await readState(tx, editionId);
    if (edition?.delivery_state !== 'paused') return { paused: null, takenBack: 0 };
    const paused = isSet ? { editionId, reason } : null;
    // Also after a pause of another process: this refusal is of a submission that had begun before.
    const takenBack = await takeBack(tx, editionId, edition.delivery_reason ?? reason, now);
    if (paused !== null) await onPause?.(tx, paused);
    return { paused, takenBack };
  });
}

function readState(db: Db, editionId: number) {
  return db
    .selectFrom('editions')
    .select(['delivery_state', 'delivery_reason'])
    .where('id', '=', editionId)
    .executeTakeFirst();
}

async function isRefused(db: Db, editionId: number): Promise<boolean> {
  const refusals = await readRefusals(db, editionId);
  const counts = await readDeliveryCounts(db, [editionId]);
  const recipients = counts.reduce((all, { state, count }) => all + (state === 'suppressed' ? 0 : count), 0);
  const isAnyAccepted = counts.some(({ state, count }) => state === 'submitted' && count > 0);
  const decision = isEveryoneRefused(refusals, { isAnyAccepted, recipients });
  return decision === 'if alone' ? hasOneDomain(db, editionId, refusals[0]?.domain ?? '') : decision;
}

/** The refusals in a row. */
function readRefusals(db: Db, editionId: number): Promise<RefusalGroup[]> {
  return db
    .selectFrom('edition_refusals')
    .select((e) => ['domain', 'kind', 'repeated', e.fn.countAll<number>().as('count')])
    .where('edition_id', '=', editionId)
    .where('accepted', '=', acceptedOf(sql`${editionId}`))
    .groupBy(['domain', 'kind', 'repeated'])
    .execute();
}

/** Reads the whole edition if it has. */
async function hasOneDomain(db: Db, editionId: number, domain: string): Promise<boolean> {
  const suffix = `@${domain}`;
  const other = await db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select('deliveries.subscriber_id')
    .where('deliveries.edition_id', '=', editionId)
    .where(sql<boolean>`lower(substr(email, length(email) - ${suffix.length - 1})) <> ${suffix}`)
    .limit(1)
    .executeTakeFirst();
  return other === undefined;
}

/**
 * Takes the refusals in a row back: their deliveries are due again, and the attempt is not counted. Those that may have
 * arrived wait for the operator instead. Not deliveries that were claimed again.
 * @param reason shown for all of them, so it must not contain an address
 * @returns the number of those that had failed
 */
async function takeBack(tx: Tx, editionId: number, reason: string, now: number): Promise<number> {
  const refusals = await tx
    .deleteFrom('edition_refusals')
    .where('edition_id', '=', editionId)
    .where('accepted', '=', acceptedOf(sql`${editionId}`))
    .returning(['subscriber_id', 'fence', 'kind'])
    .execute();
  const rowsOf = (wanted: RefusalKind) =>
    jsonRows(
      dialectOf(tx),
      refusals.filter(({ kind }) => kind === wanted).map((row) => [editionId, row.subscriber_id, row.fence]),
      { edition_id: 'int', subscriber_id: 'int', fence: 'int' },
    );
  const isSame = sql`deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
    and deliveries.fence = r.fence`;
  await sql`update deliveries set state = 'submitting', lease_until = cast(${now} as bigint),
      changed_at = cast(${now} as bigint)
    from ${rowsOf('uncertain')} r where ${isSame} and deliveries.state = ${'pending'}`.execute(tx);
  const { numAffectedRows } = await sql`update deliveries
    set state = 'pending', attempts = deliveries.attempts - 1, due_at = cast(${now} as bigint),
      reason = ${reason}, changed_at = cast(${now} as bigint)
    from ${rowsOf('permanent')} r where ${isSame} and deliveries.state = ${'failed'}`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

/** Deletes the refusals of editions that are done or cancelled. */
export async function deleteRefusalsOfFinished(db: Db): Promise<void> {
  const finished = db.selectFrom('editions').select('id').where('delivery_state', 'in', ['done', 'cancelled']);
  await db.deleteFrom('edition_refusals').where('edition_id', 'in', finished).execute();
}
