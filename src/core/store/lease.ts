/**
 * Leases and fences, for work that several processes share.
 *
 * A claim sets `lease_until` and increments the fence. While the lease lasts, no other process claims the row; after
 * that, any may. A result is recorded only under the fence of its claim, so that a late one changes nothing.
 */
import {
  type DeleteQueryBuilder,
  type DeleteResult,
  type RawBuilder,
  type Selectable,
  sql,
  type UpdateQueryBuilder,
  type UpdateResult,
} from 'kysely';
import { CLOCK_DIFFERENCE } from '../../lib/time.ts';
import { type Db, dialectOf } from './store.ts';
import type { Tables } from './tables.ts';

/** The columns that identify a claim: the key of the row and its fence. */
const CLAIM_COLUMNS = {
  deliveries: ['edition_id', 'subscriber_id', 'fence'],
  service_messages: ['id', 'fence'],
  hub_subscriptions: ['key', 'fence'],
  hub_requests: ['key', 'fence'],
  sources: ['id', 'fence'],
  remote_images: ['key', 'fence'],
  // The number of the attempt is the fence of a run.
  runs: ['schedule', 'slot_at', 'attempts'],
} as const;

type LeasedTable = keyof typeof CLAIM_COLUMNS;
type OutboxTable = Exclude<LeasedTable, 'runs'>;

/** The values that identify a claim. */
export type ClaimId<T extends LeasedTable> = Record<(typeof CLAIM_COLUMNS)[T][number], string | number>;

/**
 * Condition: the row is due, and no lease of it lasts. States are for the caller to add, as literals (partial indexes).
 */
export function isClaimable(table: OutboxTable, now: number): RawBuilder<boolean> {
  const leaseUntil = sql.ref(`${table}.lease_until`);
  return sql<boolean>`${sql.ref(`${table}.due_at`)} <= ${now} and (${leaseUntil} is null or ${leaseUntil} <= ${now})`;
}

/**
 * Ends a query that selects rows to claim: on PostgreSQL, skip those that another process claims. SQLite has one
 * writer.
 */
export function skipLocked(db: Db, table: LeasedTable): RawBuilder<unknown> {
  return dialectOf(db) === 'postgres' ? sql`for update of ${sql.table(table)} skip locked` : sql``;
}

/** The columns that a claim sets. */
export function leaseColumns(table: OutboxTable, until: number | null) {
  return { lease_until: until, fence: sql<number>`${sql.ref(`${table}.fence`)} + 1` };
}

/** The columns that end any claim of a row: its holder can record nothing more. */
export function revokedLease(table: OutboxTable) {
  return leaseColumns(table, null);
}

/**
 * Claims the rows that fulfil a condition and are claimable.
 * @returns the claimed rows, in any order
 */
export async function claimRows<T extends OutboxTable>(
  db: Db,
  table: T,
  condition: RawBuilder<unknown>,
  { now, until }: { now: number; until: number },
): Promise<Selectable<Tables[T]>[]> {
  const keyColumns = CLAIM_COLUMNS[table].filter((column) => column !== 'fence');
  const key = sql.join(keyColumns.map((column) => sql.ref(column)));
  const claimable = sql`${condition} and ${isClaimable(table, now)}`;
  const { rows } = await sql<Selectable<Tables[T]>>`
    update ${sql.table(table)} set lease_until = ${until}, fence = fence + 1
    where (${key}) in (select ${key} from ${sql.table(table)} where ${claimable} ${skipLocked(db, table)})
      and ${claimable}
    returning *`.execute(db);
  return rows;
}

/** An update of a claimed row. It updates nothing where the claim was lost. */
export function updateClaimed<T extends LeasedTable>(
  db: Db,
  table: T,
  claim: ClaimId<T>,
): UpdateQueryBuilder<Tables, T, T, UpdateResult> {
  const query = db.updateTable(table as 'deliveries').where(isClaim(table, claim));
  return query as unknown as UpdateQueryBuilder<Tables, T, T, UpdateResult>;
}

/** The deletion of a claimed row. It deletes nothing where the claim was lost. */
export function deleteClaimed<T extends LeasedTable>(
  db: Db,
  table: T,
  claim: ClaimId<T>,
): DeleteQueryBuilder<Tables, T, DeleteResult> {
  const query = db.deleteFrom(table as 'deliveries').where(isClaim(table, claim));
  return query as unknown as DeleteQueryBuilder<Tables, T, DeleteResult>;
}

function isClaim<T extends LeasedTable>(table: T, claim: ClaimId<T>): RawBuilder<boolean> {
  const columns: readonly string[] = CLAIM_COLUMNS[table];
  const values = claim as Record<string, unknown>;
  return sql<boolean>`${sql.join(
    columns.map((column) => sql`${sql.ref(column)} = ${values[column]}`),
    sql` and `,
  )}`;
}

/**
 * Claims a lease by name, for work that has no row of its own. One that would last longer than the new one was claimed
 * before the clock was set back, and counts as none.
 * @returns the token that `releaseLease` takes, or null while another process holds the lease
 */
export async function claimLease(db: Db, name: string, now: number, until: number): Promise<string | null> {
  const key = `lease:${name}`;
  // The random part distinguishes two processes that claim in the same millisecond.
  const token = `${until}:${crypto.randomUUID()}`;
  const row = await db.selectFrom('meta').select('value').where('key', '=', key).executeTakeFirst();
  const heldUntil = Number.parseInt(row?.value ?? '', 10);
  if (heldUntil > now && heldUntil <= until + CLOCK_DIFFERENCE) return null;
  // Another value is that of a process which has claimed it since.
  const claimed = await db
    .insertInto('meta')
    .values({ key, value: token })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet({ value: token })
        .where('meta.value', '=', row?.value ?? ''),
    )
    .returning('key')
    .executeTakeFirst();
  return claimed === undefined ? null : token;
}

/**
 * Releases a lease by name, unless it has expired and another process has claimed it.
 * @param at when it is free, epoch milliseconds; default: now
 */
export async function releaseLease(db: Db, name: string, token: string, at = 0): Promise<void> {
  const query = db.updateTable('meta').set({ value: `${at}:${crypto.randomUUID()}` });
  await query.where('key', '=', `lease:${name}`).where('value', '=', token).execute();
}
