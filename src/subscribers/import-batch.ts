/**
 * Stores imported subscribers, a thousand at a time, in a few statements. What the file says never undoes what a reader has said:
 * whoever left stays away, and a suppressed address stays suppressed.
 */
import { type RawBuilder, sql } from 'kysely';
import { jsonRows } from '../store/json-rows.ts';
import type { Db, Dialect, Store } from '../store/store.ts';
import { inTransaction } from './consent-ledger.ts';
import type { ImportRow } from './csv-row.ts';
import type { SigningSecrets } from './secret.ts';
import { findSuppressed, hashAddress } from './suppression.ts';

export interface BatchReport {
  /** Addresses that were not known. */
  added: number;
  /** Known addresses of which something changed. */
  changed: number;
  unchanged: number;
  /** Not subscribed, because the reader has left before. */
  keptUnsubscribed: number;
  /** Not stored, because the address is on the suppression list. */
  suppressed: number;
}

/** What one batch is written with. */
interface Writing {
  trx: Db;
  dialect: Dialect;
  /** The file's name: with the line of a row, it is the source of the consent. */
  source: string;
  now: number;
}

/** A subscription that a row asks for, and what became of it. */
interface Wanted {
  row: ImportRow;
  subscriberId: number;
  newsletter: string;
  state: 'confirmed' | 'unsubscribed';
}

/**
 * Imports rows in one transaction. The first of several rows with one address counts.
 * @param source names the file, for the record of consent
 */
export async function importBatch(
  { db, dialect }: Pick<Store, 'db' | 'dialect'>,
  secrets: SigningSecrets,
  rows: readonly ImportRow[],
  { source, now }: { source: string; now: number },
): Promise<BatchReport> {
  const firsts = [...new Map(rows.toReversed().map((row) => [row.key, row])).values()].sort(byKey);
  return inTransaction(db, async (trx) => {
    const writing = { trx, dialect, source, now };
    const known = new Set((await idsOf(writing, firsts)).keys());
    // Written first, which locks them: an address that is erased in this very moment must not come back.
    await insertSubscribers(writing, firsts);
    const ids = await idsOf(writing, firsts);
    const barred = await findSuppressed(
      trx,
      secrets,
      firsts.map((row) => row.key),
    );
    await forget(
      writing,
      firsts.filter((row) => barred.has(row.key) && !known.has(row.key)),
    );
    const welcome = firsts.filter((row) => !barred.has(row.key));
    const idOf = (row: ImportRow): number => ids.get(row.key) as number;
    const wanted = welcome.flatMap((row) => wantedBy(row, idOf(row)));
    const { done, kept } = await subscribe(writing, wanted);
    const suppressed = welcome.filter((row) => row.suppressed !== null);
    for (const row of suppressed) await suppress(writing, secrets, row, idOf(row));
    const touched = new Set([...done.map((one) => one.row.key), ...suppressed.map((row) => row.key)]);
    const added = welcome.filter((row) => !known.has(row.key)).length;
    const changed = [...touched].filter((key) => known.has(key)).length;
    return {
      added,
      changed,
      unchanged: rows.length - barred.size - added - changed,
      keptUnsubscribed: kept,
      suppressed: barred.size,
    };
  });
}

// In the order of a unique key, so that two imports at once wait for each other instead of meeting head on.
function byKey(a: ImportRow, b: ImportRow): number {
  return a.key < b.key ? -1 : 1;
}

async function idsOf({ trx, dialect }: Writing, rows: ImportRow[]): Promise<Map<string, number>> {
  const keys = jsonRows(
    dialect,
    rows.map((row) => [row.key]),
    { email_key: 'text' },
  );
  const found = await sql<{ id: number; email_key: string }>`
    select id, email_key from subscribers where email_key in (select email_key from ${keys} r)`.execute(trx);
  return new Map(found.rows.map((row) => [row.email_key, row.id]));
}

async function insertSubscribers({ trx, dialect, now }: Writing, rows: ImportRow[]): Promise<void> {
  const given = jsonRows(
    dialect,
    rows.map(({ email, key, zone }) => [email, key, zone]),
    { email: 'text', email_key: 'text', zone: 'text' },
  );
  // "where true" parts the select from the conflict clause for SQLite's parser. A zone that the reader has chosen stands.
  await sql`insert into subscribers (email, email_key, zone, created_at)
    select email, email_key, zone, ${int(now)} from ${given} r where true
    on conflict (email_key) do update set zone = coalesce(subscribers.zone, excluded.zone)`.execute(trx);
}

async function forget({ trx, dialect }: Writing, rows: ImportRow[]): Promise<void> {
  const keys = jsonRows(
    dialect,
    rows.map((row) => [row.key]),
    { email_key: 'text' },
  );
  await sql`delete from subscribers where email_key in (select email_key from ${keys} r)`.execute(trx);
}

function wantedBy(row: ImportRow, subscriberId: number): Wanted[] {
  const of = (state: Wanted['state']) => (newsletter: string) => ({ row, subscriberId, newsletter, state });
  return [...row.newsletters.map(of('confirmed')), ...row.unsubscribed.map(of('unsubscribed'))];
}

/** @returns those that took effect, and how many were not renewed because the reader has left */
async function subscribe(writing: Writing, wanted: Wanted[]): Promise<{ done: Wanted[]; kept: number }> {
  const { trx, dialect, source, now } = writing;
  const given = jsonRows(
    dialect,
    wanted.map(({ subscriberId, newsletter, state }) => [subscriberId, newsletter, state]),
    { subscriber_id: 'int', newsletter: 'text', state: 'text' },
  );
  // Leaving always counts; joining only where the reader has not left.
  const effective = await sql<{ subscriber_id: number; newsletter: string }>`
    insert into subscriptions (subscriber_id, newsletter, state, changed_at)
    select subscriber_id, newsletter, state, ${int(now)} from ${given} r where true
    on conflict (subscriber_id, newsletter) do update set state = excluded.state, changed_at = excluded.changed_at
    where subscriptions.state = 'unconfirmed' or (subscriptions.state = 'confirmed' and excluded.state = 'unsubscribed')
    returning subscriber_id, newsletter`.execute(trx);
  const took = new Set(effective.rows.map((one) => `${one.subscriber_id} ${one.newsletter}`));
  const isDone = (one: Wanted): boolean => took.has(`${one.subscriberId} ${one.newsletter}`);
  const done = wanted.filter(isDone);
  const events = jsonRows(
    dialect,
    done.map(({ row, subscriberId, newsletter, state }) => [
      subscriberId,
      newsletter,
      state,
      `${source}:${row.line}`,
      row.since === null ? null : `since ${new Date(row.since).toISOString()}`,
    ]),
    { subscriber_id: 'int', newsletter: 'text', change: 'text', source: 'text', detail: 'text' },
  );
  await sql`insert into consent_events (subscriber_id, newsletter, change, origin, source, detail, at)
    select subscriber_id, newsletter, change, 'import', source, detail, ${int(now)} from ${events} r`.execute(trx);
  return {
    done,
    kept: await countLeft(
      writing,
      wanted.filter((one) => one.state === 'confirmed' && !isDone(one)),
    ),
  };
}

async function countLeft({ trx, dialect }: Writing, refused: Wanted[]): Promise<number> {
  const given = jsonRows(
    dialect,
    refused.map(({ subscriberId, newsletter }) => [subscriberId, newsletter]),
    { subscriber_id: 'int', newsletter: 'text' },
  );
  const { rows } = await sql<{ count: number }>`select count(*) as count from subscriptions
    where (subscriber_id, newsletter) in (select subscriber_id, newsletter from ${given} r) and state = 'unsubscribed'`.execute(
    trx,
  );
  return rows[0]?.count ?? 0;
}

/** A row that another list had on its suppression list comes in as suppressed. */
async function suppress(
  { trx, source, now }: Writing,
  secrets: SigningSecrets,
  { key, line, suppressed: reason }: ImportRow,
  subscriberId: number,
): Promise<void> {
  if (reason === null) return;
  await trx
    .insertInto('suppressions')
    .values({ address_hash: hashAddress(secrets[0], key), reason, at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await trx
    .updateTable('subscribers')
    .set({ suppressed_reason: reason, suppressed_at: now })
    .where('id', '=', subscriberId)
    .execute();
  await trx
    .insertInto('consent_events')
    .values({
      subscriber_id: subscriberId,
      newsletter: null,
      change: 'suppressed',
      origin: 'import',
      source: `${source}:${line}`,
      detail: reason,
      at: now,
    })
    .execute();
}

/** PostgreSQL takes a bare parameter of a select for text. */
function int(value: number): RawBuilder<number> {
  return sql<number>`cast(${value} as bigint)`;
}
