/**
 * The refusals of an edition's recipients since the last success, shared by all processes. A row is written in the
 * transaction of its outcome. A success writes nothing, unless its process knows of refusals that it ends.
 */
import { type CompiledQuery, sql } from 'kysely';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, type Tx } from '../../core/store/store.ts';
import type { RefusalKind } from '../../core/store/tables.ts';
import { FIRST_LIMIT, type RefusalGroup } from '../control/refusal-limits.ts';
import type { ClaimKeyRow, DeliveryClaim } from './outbox.ts';

/** What an outcome changes in the refusals of its edition. */
export type RefusalChange =
  | { kind: 'refused'; domain: string; refusal: RefusalKind; isRepeated: boolean }
  /** Ends the refusals in a row, and those of the domain. */
  | { kind: 'accepted'; domain: string };

/** The statements that write changes; to be executed after the outcomes are recorded, in the same transaction. */
export function refusalQueries(
  db: Db,
  changes: readonly { claim: DeliveryClaim; change: RefusalChange }[],
  now: number,
): CompiledQuery[] {
  const refused = changes.flatMap(({ claim, change }) => (change.kind === 'refused' ? [{ claim, change }] : []));
  const accepted = changes.flatMap(({ claim, change }) => (change.kind === 'accepted' ? [{ claim, change }] : []));
  return [
    ...(refused.length === 0 ? [] : [insertQuery(db, refused, now)]),
    ...(accepted.length === 0 ? [] : endQueries(db, accepted)),
  ];
}

type RefusedChange = Extract<RefusalChange, { kind: 'refused' }>;

function insertQuery(
  db: Db,
  refused: readonly { claim: DeliveryClaim; change: RefusedChange }[],
  now: number,
): CompiledQuery {
  const r = jsonRows(
    dialectOf(db),
    refused.map(({ claim: { editionId, subscriberId, fence }, change: { domain, refusal, isRepeated } }) => {
      return [editionId, subscriberId, fence, domain, refusal, isRepeated ? 1 : 0];
    }),
    { edition_id: 'int', subscriber_id: 'int', fence: 'int', domain: 'text', kind: 'text', repeated: 'int' },
  );
  // Unless the claim was lost, and the outcome is another worker's.
  return sql`insert into edition_refusals (edition_id, subscriber_id, domain, kind, repeated, in_a_row, fence, at)
    select r.edition_id, r.subscriber_id, r.domain, r.kind, r.repeated, 1, r.fence, cast(${now} as bigint)
    from ${r} r
    where exists (
      select 1 from deliveries
      where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
        and deliveries.fence = r.fence and deliveries.state in (${FAILED}, ${PENDING}, ${SUBMITTING})
    )
    on conflict (edition_id, subscriber_id) do update set
      repeated = case edition_refusals.in_a_row when 1 then edition_refusals.repeated else excluded.repeated end,
      kind = excluded.kind, in_a_row = 1, fence = excluded.fence, at = excluded.at`.compile(db);
}

// Parameters: literals would make SQLite use the index of open deliveries.
const FAILED = 'failed';
const PENDING = 'pending';
/** An uncertain delivery. */
const SUBMITTING = 'submitting';

function endQueries(
  db: Db,
  accepted: readonly { claim: DeliveryClaim; change: { domain: string } }[],
): CompiledQuery[] {
  const r = jsonRows(
    dialectOf(db),
    accepted.map(({ claim, change }) => [claim.editionId, change.domain]),
    { edition_id: 'int', domain: 'text' },
  );
  return [
    sql`update edition_refusals set in_a_row = 0
      where in_a_row = 1 and edition_id in (select edition_id from ${r} r)`.compile(db),
    sql`delete from edition_refusals where (edition_id, domain) in (select edition_id, domain from ${r} r)`.compile(db),
  ];
}

/** Refusals, and when the first of them was recorded; null if there are none. */
export interface Refusals {
  groups: RefusalGroup[];
  since: number | null;
}

/** The refusals in a row of an edition. */
export function readRefusalsInARow(db: Db, editionId: number): Promise<Refusals> {
  return readRefusals(refusalsOf(db, editionId).where('in_a_row', '=', sql<number>`1`));
}

/** The refusals of a domain since it accepted a message of the edition. */
export function readRefusalsOfDomain(db: Db, editionId: number, domain: string): Promise<Refusals> {
  return readRefusals(refusalsOf(db, editionId).where('domain', '=', domain));
}

function refusalsOf(db: Db, editionId: number) {
  return db.selectFrom('edition_refusals').where('edition_id', '=', editionId);
}

async function readRefusals(rows: ReturnType<typeof refusalsOf>): Promise<Refusals> {
  const groups = await rows
    .select((e) => ['domain', 'kind', 'repeated', e.fn.countAll<number>().as('count'), e.fn.min('at').as('since')])
    .groupBy(['domain', 'kind', 'repeated'])
    .execute();
  return {
    groups: groups.map(({ domain, kind, repeated, count }) => ({ domain, kind, repeated: repeated === 1, count })),
    since: groups.length === 0 ? null : Math.min(...groups.map(({ since }) => since)),
  };
}

/** Counts the deliveries of an edition that are not suppressed, up to `FIRST_LIMIT`. */
export async function countUnsuppressedDeliveries(db: Db, editionId: number): Promise<number> {
  const rows = await db
    .selectFrom('deliveries')
    .select('subscriber_id')
    .where('edition_id', '=', editionId)
    .where('state', '!=', 'suppressed')
    // By the primary key.
    .orderBy('edition_id')
    .orderBy('subscriber_id')
    .limit(FIRST_LIMIT)
    .execute();
  return rows.length;
}

/**
 * When the last delivery of an edition was submitted; null if none was. Reads all its deliveries.
 * @param domain counts recipients of this domain only
 */
export async function findLastSubmission(db: Db, editionId: number, domain?: string): Promise<number | null> {
  const { last } = await submitted(db, editionId, domain)
    .select((e) => e.fn.max('deliveries.changed_at').as('last'))
    .executeTakeFirstOrThrow();
  return last;
}

/** Whether any delivery of an edition, or of one domain in it, was submitted. Reads all its deliveries if none was. */
export async function isAnySubmitted(db: Db, editionId: number, domain?: string): Promise<boolean> {
  const first = await submitted(db, editionId, domain)
    .select('deliveries.subscriber_id')
    // By the primary key: otherwise PostgreSQL might read all earlier editions.
    .orderBy('deliveries.edition_id')
    .orderBy('deliveries.subscriber_id')
    .limit(1)
    .executeTakeFirst();
  return first !== undefined;
}

function submitted(db: Db, editionId: number, domain: string | undefined) {
  const deliveries = db
    .selectFrom('deliveries')
    .where('deliveries.edition_id', '=', editionId)
    .where('deliveries.state', '=', 'submitted');
  if (domain === undefined) return deliveries;
  // Exact, where `like` would need an escape: an address has one @ before its domain.
  const suffix = `@${domain}`;
  return deliveries.where((e) =>
    e.exists(
      e
        .selectFrom('subscribers')
        .select('subscribers.id')
        .whereRef('subscribers.id', '=', 'deliveries.subscriber_id')
        .where(sql<boolean>`lower(substr(email, length(email) - ${suffix.length - 1})) = ${suffix}`),
    ),
  );
}

/**
 * Ends the refusals that were recorded before a success that their process did not see.
 * @param domain whose refusals end; default: the refusals in a row of the edition
 */
export async function endRefusalsBefore(tx: Tx, editionId: number, success: number, domain?: string): Promise<void> {
  if (domain === undefined) {
    await tx
      .updateTable('edition_refusals')
      .set({ in_a_row: 0 })
      .where('edition_id', '=', editionId)
      .where('in_a_row', '=', sql<number>`1`)
      .where('at', '<', success)
      .execute();
  } else {
    await tx
      .deleteFrom('edition_refusals')
      .where('edition_id', '=', editionId)
      .where('domain', '=', domain)
      .where('at', '<', success)
      .execute();
  }
}

/**
 * Takes refusals back: their deliveries are due again, and the attempt is not counted. Not those that may have arrived,
 * not deliveries that were claimed again, and none of a cancelled edition. An edition that is done is delivered again.
 * @param which.kinds default: all
 * @param which.domain default: the refusals in a row of the edition
 * @param reason shown for all of them, so it must not contain an address
 * @returns the keys of their deliveries
 */
export async function takeBackRefusals(
  tx: Tx,
  { editionId, domain, kinds }: { editionId: number; domain?: string; kinds?: readonly RefusalKind[] },
  reason: string,
  now: number,
): Promise<ClaimKeyRow[]> {
  const refusals = await tx
    .deleteFrom('edition_refusals')
    .where('edition_id', '=', editionId)
    .$if(domain === undefined, (q) => q.where('in_a_row', '=', sql<number>`1`))
    .$if(domain !== undefined, (q) => q.where('domain', '=', domain as string))
    .$if(kinds !== undefined, (q) => q.where('kind', 'in', kinds as readonly RefusalKind[]))
    .returning(['subscriber_id', 'fence', 'kind'])
    .execute();
  const r = jsonRows(
    dialectOf(tx),
    refusals.filter(({ kind }) => kind !== 'uncertain').map((row) => [editionId, row.subscriber_id, row.fence]),
    { edition_id: 'int', subscriber_id: 'int', fence: 'int' },
  );
  const { rows } = await sql<ClaimKeyRow>`update deliveries
    set state = 'pending', attempts = deliveries.attempts - 1, due_at = cast(${now} as bigint),
      reason = ${reason}, changed_at = cast(${now} as bigint)
    from ${r} r
    where deliveries.edition_id = r.edition_id and deliveries.subscriber_id = r.subscriber_id
      and deliveries.fence = r.fence and deliveries.state in (${FAILED}, ${PENDING})
      and deliveries.edition_id in (select id from editions where delivery_state <> 'cancelled')
    returning deliveries.edition_id, deliveries.subscriber_id, deliveries.fence`.execute(tx);
  // Another process may have seen its last delivery fail a moment ago.
  if (rows.length > 0) {
    await tx
      .updateTable('editions')
      .set({ delivery_state: 'delivering' })
      .where('id', '=', editionId)
      .where('delivery_state', '=', 'done')
      .execute();
  }
  return rows;
}

/** Deletes the refusals and paused domains of editions that are done or cancelled. @returns the domains, by edition */
export async function deleteRefusalsOfFinished(db: Db): Promise<{ editionId: number; domain: string }[]> {
  const finished = db.selectFrom('editions').select('id').where('delivery_state', 'in', ['done', 'cancelled']);
  await db.deleteFrom('edition_refusals').where('edition_id', 'in', finished).execute();
  return db
    .deleteFrom('paused_domains')
    .where('edition_id', 'in', finished)
    .returning(['edition_id as editionId', 'domain'])
    .execute();
}
