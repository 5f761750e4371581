/**
 * Stores imported subscribers, a thousand at a time, in a few statements. What the file says never undoes what a reader has said:
 * whoever left stays away, a suppressed address stays suppressed, and the reader's own word on a pause stands.
 */
import { type RawBuilder, sql } from 'kysely';
import { rfc3339 } from '../../lib/time.ts';
import { jsonRows } from '../../store/json-rows.ts';
import type { Db, Dialect, Store } from '../../store/store.ts';
import { inTransaction } from '../consent/consent-ledger.ts';
import { findSuppressed, suppressAddress } from '../suppression.ts';
import type { SigningSecrets } from '../tokens/secret.ts';
import type { ImportRow } from './csv-row.ts';

export interface BatchReport {
  /** Addresses that were not known. */
  added: number;
  /** Rows that changed something of a known address. */
  changed: number;
  unchanged: number;
  /** Not subscribed, because the reader has left before. */
  keptUnsubscribed: number;
  /** Rows left out, because the address is on the suppression list. */
  suppressed: number;
}

/** What one batch is written with. */
interface Writing {
  tx: Db;
  dialect: Dialect;
  /** The file's name: with the line of a row, it is the source of the consent. */
  source: string;
  now: number;
}

/** All rows of one address: a file may have one for each of its newsletters. */
interface Entry {
  rows: [ImportRow, ...ImportRow[]];
  key: string;
  subscriberId: number;
  isNew: boolean;
  /** On the suppression list. */
  isBarred: boolean;
}

/** A pause that a row asks for. */
interface Pause {
  row: ImportRow;
  subscriberId: number;
  until: number;
}

/** A subscription that a row asks for, or ends. */
interface Wanted {
  row: ImportRow;
  subscriberId: number;
  newsletter: string;
  state: 'confirmed' | 'unsubscribed';
}

/**
 * Imports rows in one transaction. Of several rows with one address the first says how it is written, and its zone; of those that name
 * a pause, the first one counts.
 * @param source names the file, for the record of consent
 */
export async function importBatch(
  { db, dialect }: Pick<Store, 'db' | 'dialect'>,
  secrets: SigningSecrets,
  rows: readonly ImportRow[],
  { source, now }: { source: string; now: number },
): Promise<BatchReport> {
  return inTransaction(db, async (tx) => {
    const writing = { tx: tx, dialect, source, now };
    const entries = await enter(writing, secrets, rows);
    const strangers = entries.filter((entry) => entry.isNew && entry.isBarred);
    if (strangers.length > 0) await forget(writing, strangers);
    const wanted = entries.flatMap(wantedOf);
    const done = await subscribe(writing, wanted);
    const welcome = entries.filter((entry) => !entry.isBarred);
    const pauses = await pause(
      writing,
      welcome.flatMap((entry) => pauseOf(entry, now)),
    );
    const touched = new Set([...done, ...pauses].map(({ row }) => row));
    for (const { rows, subscriberId } of welcome) {
      for (const row of rows) {
        if (row.suppressed === null) continue;
        const origin = { channel: 'import', source: `${source}:${row.line}` } as const;
        await suppressAddress(tx, secrets, subscriberId, row.suppressed, origin, now);
        touched.add(row);
      }
    }
    const suppressed = count(entries, ({ isBarred, rows }) => (isBarred ? rows.length : 0));
    const added = count(welcome, ({ isNew }) => (isNew ? 1 : 0));
    const changed = count(
      welcome,
      ({ isNew, rows }) => rows.filter((row, at) => touched.has(row) && !(isNew && at === 0)).length,
    );
    return {
      added,
      changed,
      unchanged: rows.length - suppressed - added - changed,
      keptUnsubscribed: await countLeft(writing, wanted, done),
      suppressed,
    };
  });
}

/** Makes a subscriber of every address, and locks those that are: one that is erased in this very moment must not come back. */
async function enter(writing: Writing, secrets: SigningSecrets, rows: readonly ImportRow[]): Promise<Entry[]> {
  const byAddress = [...Map.groupBy(rows, (row) => row.key).values()] as [ImportRow, ...ImportRow[]][];
  // In the order of a unique key, so that two imports at once wait for each other instead of meeting head on.
  byAddress.sort(([a], [b]) => (a.key < b.key ? -1 : 1));
  const firsts = byAddress.map(([first]) => first);
  const before = await idsOf(writing, firsts);
  const ids = await insertSubscribers(writing, firsts);
  const barred = await findSuppressed(
    writing.tx,
    secrets,
    firsts.map((row) => row.key),
  );
  return byAddress.map((rows) => {
    const { key } = rows[0];
    const subscriberId = ids.get(key) as number;
    return { rows, key, subscriberId, isNew: before.get(key) !== subscriberId, isBarred: barred.has(key) };
  });
}

async function idsOf({ tx, dialect }: Writing, rows: ImportRow[]): Promise<Map<string, number>> {
  const keys = jsonRows(
    dialect,
    rows.map((row) => [row.key]),
    { email_key: 'text' },
  );
  const found = await sql<{ id: number; email_key: string }>`
    select id, email_key from subscribers where email_key in (select email_key from ${keys} r)`.execute(tx);
  return new Map(found.rows.map((row) => [row.email_key, row.id]));
}

/** @returns all their ids, by key */
async function insertSubscribers({ tx, dialect, now }: Writing, rows: ImportRow[]): Promise<Map<string, number>> {
  const given = jsonRows(
    dialect,
    rows.map(({ email, key, zone }) => [email, key, zone]),
    { email: 'text', email_key: 'text', zone: 'text' },
  );
  // "where true" parts the select from the conflict clause for SQLite's parser. A zone that the reader has chosen stands.
  const { rows: stored } = await sql<{ id: number; email_key: string }>`
    insert into subscribers (email, email_key, zone, created_at)
    select email, email_key, zone, ${int(now)} from ${given} r where true
    on conflict (email_key) do update set zone = coalesce(subscribers.zone, excluded.zone)
    returning id, email_key`.execute(tx);
  return new Map(stored.map((row) => [row.email_key, row.id]));
}

async function forget({ tx, dialect }: Writing, entries: Entry[]): Promise<void> {
  const ids = jsonRows(
    dialect,
    entries.map((entry) => [entry.subscriberId]),
    { id: 'int' },
  );
  await sql`delete from subscribers where id in (select id from ${ids} r)`.execute(tx);
}

/** What an address's rows ask for together: leaving outweighs joining, and is all that counts for an address that is not mailed. */
function wantedOf({ rows, subscriberId, isNew, isBarred }: Entry): Wanted[] {
  if (isNew && isBarred) return [];
  const wanted = new Map<string, Wanted>();
  for (const row of rows) {
    for (const newsletter of isBarred ? [] : row.newsletters) {
      if (!wanted.has(newsletter)) wanted.set(newsletter, { row, subscriberId, newsletter, state: 'confirmed' });
    }
    for (const newsletter of row.unsubscribed) {
      if (wanted.get(newsletter)?.state === 'unsubscribed') continue;
      wanted.set(newsletter, { row, subscriberId, newsletter, state: 'unsubscribed' });
    }
  }
  return [...wanted.values()];
}

/** @returns those that took effect */
async function subscribe({ tx, dialect, source, now }: Writing, wanted: Wanted[]): Promise<Wanted[]> {
  if (wanted.length === 0) return [];
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
    returning subscriber_id, newsletter`.execute(tx);
  const took = new Set(effective.rows.map((one) => `${one.subscriber_id} ${one.newsletter}`));
  const done = wanted.filter((one) => took.has(`${one.subscriberId} ${one.newsletter}`));
  if (done.length === 0) return [];
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
  await sql`insert into consent_events (subscriber_id, newsletter, change, channel, source, detail, at)
    select subscriber_id, newsletter, change, 'import', source, detail, ${int(now)} from ${events} r`.execute(tx);
  return done;
}

/** The pause of an address's rows, where one of them names an end that is still to come. */
function pauseOf({ rows, subscriberId }: Entry, now: number): Pause[] {
  for (const row of rows) {
    if (row.pausedUntil !== null && row.pausedUntil > now) return [{ row, subscriberId, until: row.pausedUntil }];
  }
  return [];
}

/** @returns those that took effect */
async function pause({ tx, dialect, source, now }: Writing, wanted: Pause[]): Promise<Pause[]> {
  if (wanted.length === 0) return [];
  const given = jsonRows(
    dialect,
    wanted.map(({ subscriberId, until }) => [subscriberId, until]),
    { subscriber_id: 'int', until: 'int' },
  );
  // A file is older than what was said here: whoever paused or resumed here before keeps what stands. The pause alone does not tell,
  // since resuming leaves none: only the history does.
  const effective = await sql<{ id: number }>`
    update subscribers set paused_until = r.until from ${given} r
    where subscribers.id = r.subscriber_id and subscribers.paused_until is null and not exists (
      select 1 from consent_events e where e.subscriber_id = subscribers.id and e.change in ('paused', 'resumed'))
    returning subscribers.id`.execute(tx);
  const took = new Set(effective.rows.map((one) => one.id));
  const done = wanted.filter((one) => took.has(one.subscriberId));
  if (done.length === 0) return [];
  const events = jsonRows(
    dialect,
    done.map(({ row, subscriberId, until }) => [subscriberId, `${source}:${row.line}`, `until ${rfc3339(until)}`]),
    { subscriber_id: 'int', source: 'text', detail: 'text' },
  );
  await sql`insert into consent_events (subscriber_id, newsletter, change, channel, source, detail, at)
    select subscriber_id, null, 'paused', 'import', source, detail, ${int(now)} from ${events} r`.execute(tx);
  return done;
}

/** How many subscriptions were not renewed because the reader has left. */
async function countLeft({ tx, dialect }: Writing, wanted: Wanted[], done: Wanted[]): Promise<number> {
  const took = new Set(done);
  const refused = wanted.filter((one) => one.state === 'confirmed' && !took.has(one));
  if (refused.length === 0) return 0;
  const given = jsonRows(
    dialect,
    refused.map(({ subscriberId, newsletter }) => [subscriberId, newsletter]),
    { subscriber_id: 'int', newsletter: 'text' },
  );
  const { rows } = await sql<{ count: number }>`select count(*) as count from subscriptions
    where (subscriber_id, newsletter) in (select subscriber_id, newsletter from ${given} r) and state = 'unsubscribed'`.execute(
    tx,
  );
  return rows[0]?.count ?? 0;
}

function count(entries: Entry[], of: (entry: Entry) => number): number {
  return entries.reduce((sum, entry) => sum + of(entry), 0);
}

/** PostgreSQL takes a bare parameter of a select for text. */
function int(value: number): RawBuilder<number> {
  return sql<number>`cast(${value} as bigint)`;
}
