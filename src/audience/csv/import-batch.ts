/**
 * Stores a batch of imported subscribers in a few statements. A file never overrides a subscriber's own decisions: an
 * unsubscription or a pause remains, and so does a suppression.
 */
import { type RawBuilder, sql } from 'kysely';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Dialect, inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import { rfc3339 } from '../../lib/time.ts';
import { findLeft } from '../consent/left.ts';
import { findSuppressed, suppressAddress } from '../suppression.ts';
import type { ImportRow } from './row.ts';

export interface BatchResult {
  /** New addresses. */
  added: number;
  /** Rows that changed a known address. */
  changed: number;
  unchanged: number;
  /** Subscriptions not renewed because the subscriber has unsubscribed. */
  keptUnsubscribed: number;
  /** Rows skipped because the address is on the suppression list. */
  suppressed: number;
  /** Rows skipped because the subscriber has left every newsletter. */
  left: number;
}

/** A row that was not imported although it is valid, and why. */
export interface SkippedRow {
  line: number;
  reason: string;
}

interface BatchContext {
  tx: Tx;
  dialect: Dialect;
  /** File name: with the line of a row, the source of the consent. */
  source: string;
  now: number;
}

/** All rows of one address: a file can have one per newsletter. */
interface AddressRows {
  rows: [ImportRow, ...ImportRow[]];
  key: string;
  subscriberId: number;
  isNew: boolean;
  /** Why the address is on the suppression list, or null. */
  suppressed: SuppressionReason | null;
  /** Whether the subscriber has left every newsletter. */
  hasLeft: boolean;
}

interface RequestedChange {
  row: ImportRow;
  subscriberId: number;
  newsletter: string;
  state: 'confirmed' | 'unsubscribed';
}

/**
 * Imports rows in one transaction. Of several rows with the same address, the first determines spelling and zone, and
 * the first with a pause determines the pause.
 * @param source file name, for the record of consent
 * @returns also the rows that changed something
 */
export async function importBatch(
  { db, dialect }: Pick<Store, 'db' | 'dialect'>,
  secrets: SigningSecrets,
  rows: readonly ImportRow[],
  { source, now }: { source: string; now: number },
): Promise<BatchResult & { skipped: SkippedRow[]; effective: ReadonlySet<ImportRow> }> {
  return inTransaction(db, async (tx) => {
    const context = { tx, dialect, source, now };
    const addresses = await insertAddresses(context, secrets, rows);
    const unwanted = addresses.filter((address) => address.isNew && address.suppressed !== null);
    await deleteSubscribers(context, unwanted);
    const requested = addresses.flatMap(requestedChanges);
    const changes = await changeSubscriptions(context, requested);
    const mailable = addresses.filter((address) => address.suppressed === null);
    const pausable = mailable.filter(({ hasLeft }) => !hasLeft);
    const pauses = await applyPauses(context, pausable);
    const choices = await applyChoices(context, requested);
    const effective = new Set([...changes, ...pauses, ...choices].map(({ row }) => row));
    for (const { rows, subscriberId } of mailable) {
      for (const row of rows) {
        if (row.suppressed === null) continue;
        const via = { channel: 'import', source: `${source}:${row.line}` } as const;
        await suppressAddress(tx, secrets, subscriberId, row.suppressed, via, now);
        effective.add(row);
      }
    }
    const skipped = skippedRows(addresses, effective);
    const suppressed = sum(addresses, ({ suppressed, rows }) => (suppressed === null ? 0 : rows.length));
    const left = skipped.length - suppressed;
    const added = sum(mailable, ({ isNew }) => (isNew ? 1 : 0));
    const changed = sum(
      mailable,
      ({ isNew, rows }) => rows.filter((row, index) => effective.has(row) && !(isNew && index === 0)).length,
    );
    const unchanged = rows.length - skipped.length - added - changed;
    const keptUnsubscribed = await countUnsubscribed(context, requested, changes);
    return { added, changed, unchanged, keptUnsubscribed, suppressed, left, skipped, effective };
  });
}

/** The rows of suppressed addresses, and those with subscriptions for subscribers who have left, by line. */
function skippedRows(addresses: readonly AddressRows[], effective: ReadonlySet<ImportRow>): SkippedRow[] {
  const skipped = addresses.flatMap(({ rows, suppressed, hasLeft }) => {
    if (suppressed !== null) {
      return rows.map(({ line }) => ({ line, reason: `the address is on the suppression list (${suppressed})` }));
    }
    const ineffective = rows.filter((row) => hasLeft && row.newsletters.length > 0 && !effective.has(row));
    return ineffective.map(({ line }) => ({ line, reason: 'the subscriber has left every newsletter' }));
  });
  return skipped.sort((a, b) => a.line - b.line);
}

/** Inserts new addresses, and locks known ones: an address that is being erased must not be added again. */
async function insertAddresses(
  context: BatchContext,
  secrets: SigningSecrets,
  rows: readonly ImportRow[],
): Promise<AddressRows[]> {
  const byAddress = [...Map.groupBy(rows, (row) => row.key).values()] as [ImportRow, ...ImportRow[]][];
  // In the order of a unique key, so that simultaneous imports wait for each other instead of deadlocking.
  byAddress.sort(([a], [b]) => (a.key < b.key ? -1 : 1));
  const firsts = byAddress.map(([first]) => first);
  const keys = firsts.map((row) => row.key);
  const before = await findIds(context, keys);
  const ids = await insertSubscribers(context, firsts);
  const suppressed = await findSuppressed(context.tx, secrets, keys);
  const left = await findLeft(context.tx, [...before.values()]);
  return byAddress.map((rows) => {
    const { key } = rows[0];
    const subscriberId = ids.get(key) as number;
    const isNew = before.get(key) !== subscriberId;
    return { rows, key, subscriberId, isNew, suppressed: suppressed.get(key) ?? null, hasLeft: left.has(subscriberId) };
  });
}

async function findIds({ tx, dialect }: BatchContext, keys: string[]): Promise<Map<string, number>> {
  const values = keys.map((key) => [key]);
  const given = jsonRows(dialect, values, { email_key: 'text' });
  const found = await sql<{ id: number; email_key: string }>`
    select id, email_key from subscribers where email_key in (select email_key from ${given} r)`.execute(tx);
  return new Map(found.rows.map((row) => [row.email_key, row.id]));
}

/** @returns all ids, by key */
async function insertSubscribers({ tx, dialect, now }: BatchContext, rows: ImportRow[]): Promise<Map<string, number>> {
  const values = rows.map(({ email, key, zone }) => [email, key, zone]);
  const given = jsonRows(dialect, values, { email: 'text', email_key: 'text', zone: 'text' });
  // "where true" separates the select from the conflict clause for SQLite's parser. A zone that is set does not change.
  const { rows: stored } = await sql<{ id: number; email_key: string }>`
    insert into subscribers (email, email_key, zone, created_at)
    select email, email_key, zone, ${int(now)} from ${given} r where true
    on conflict (email_key) do update set zone = coalesce(subscribers.zone, excluded.zone)
    returning id, email_key`.execute(tx);
  return new Map(stored.map((row) => [row.email_key, row.id]));
}

async function deleteSubscribers({ tx, dialect }: BatchContext, addresses: AddressRows[]): Promise<void> {
  if (addresses.length === 0) return;
  const values = addresses.map((address) => [address.subscriberId]);
  const ids = jsonRows(dialect, values, { id: 'int' });
  await sql`delete from subscribers where id in (select id from ${ids} r)`.execute(tx);
}

/**
 * Merges the rows of an address. Unsubscribing overrides subscribing, and is the only change for an address that is
 * suppressed or whose subscriber has left.
 */
function requestedChanges({ rows, subscriberId, isNew, suppressed, hasLeft }: AddressRows): RequestedChange[] {
  if (isNew && suppressed !== null) return [];
  const requested = new Map<string, RequestedChange>();
  for (const row of rows) {
    for (const newsletter of suppressed !== null || hasLeft ? [] : row.newsletters) {
      if (!requested.has(newsletter)) requested.set(newsletter, { row, subscriberId, newsletter, state: 'confirmed' });
    }
    for (const newsletter of row.unsubscribed) {
      if (requested.get(newsletter)?.state === 'unsubscribed') continue;
      requested.set(newsletter, { row, subscriberId, newsletter, state: 'unsubscribed' });
    }
  }
  return [...requested.values()];
}

/** @returns the effective changes */
async function changeSubscriptions(context: BatchContext, requested: RequestedChange[]): Promise<RequestedChange[]> {
  const { tx, dialect, now } = context;
  if (requested.length === 0) return [];
  const values = requested.map(({ subscriberId, newsletter, state }) => [subscriberId, newsletter, state]);
  const given = jsonRows(dialect, values, { subscriber_id: 'int', newsletter: 'text', state: 'text' });
  // Unsubscribing is always effective, subscribing only if the subscriber has not unsubscribed. A request does not undo
  // that before its confirmation: anyone can request.
  const changed = await sql<{ subscriber_id: number; newsletter: string }>`
    insert into subscriptions (subscriber_id, newsletter, state, changed_at)
    select subscriber_id, newsletter, state, ${int(now)} from ${given} r where true
    on conflict (subscriber_id, newsletter) do update set state = excluded.state, changed_at = excluded.changed_at
    where (subscriptions.state <> 'unsubscribed' and excluded.state = 'unsubscribed')
      or (subscriptions.state = 'unconfirmed' and not ${hasUnsubscribed})
    returning subscriber_id, newsletter`.execute(tx);
  return recordImported(context, changedOf(requested, changed.rows), ({ row: { since }, newsletter, state }) => {
    return [newsletter, state, since === null ? null : `since ${new Date(since).toISOString()}`];
  });
}

/** The changes of subscriptions that a statement returned. */
function changedOf(requested: RequestedChange[], changed: { subscriber_id: number; newsletter: string }[]) {
  const keys = new Set(changed.map((one) => `${one.subscriber_id} ${one.newsletter}`));
  return requested.filter((one) => keys.has(`${one.subscriberId} ${one.newsletter}`));
}

/** Records an event of each change, with file and line as its source. @returns the changes */
async function recordImported<One extends { row: ImportRow; subscriberId: number }>(
  { tx, dialect, source, now }: BatchContext,
  changes: One[],
  eventOf: (one: One) => [newsletter: string | null, change: string, detail: string | null],
): Promise<One[]> {
  if (changes.length === 0) return [];
  const events = changes.map((one) => [one.subscriberId, `${source}:${one.row.line}`, ...eventOf(one)]);
  const columns = { subscriber_id: 'int', source: 'text', newsletter: 'text', change: 'text', detail: 'text' } as const;
  await sql`insert into consent_events (subscriber_id, newsletter, change, channel, source, detail, at)
    select subscriber_id, newsletter, change, 'import', source, detail, ${int(now)}
    from ${jsonRows(dialect, events, columns)} r`.execute(tx);
  return changes;
}

/** Sets the choices of subscriptions of which nobody has chosen before. @returns the effective requests */
async function applyChoices(context: BatchContext, requested: RequestedChange[]): Promise<RequestedChange[]> {
  const { tx, dialect, now } = context;
  const choiceOf = ({ row, newsletter }: RequestedChange): string | null => row.choices?.get(newsletter) ?? null;
  const chosen = requested.filter((one) => one.state === 'confirmed' && choiceOf(one) !== null);
  if (chosen.length === 0) return [];
  const values = chosen.map((one) => [one.subscriberId, one.newsletter, choiceOf(one)]);
  const given = jsonRows(dialect, values, { id: 'int', newsletter: 'text', choice: 'text' });
  // The column alone does not show that a subscriber went back to everything: only the history does. All exist already.
  // PostgreSQL would read the whole tables for "update from" and "not exists": 27 s for a batch instead of 30 ms.
  const changed = await sql<{ subscriber_id: number; newsletter: string }>`
    insert into subscriptions (subscriber_id, newsletter, state, changed_at, choice)
    select id, newsletter, 'confirmed', ${int(now)}, choice from ${given} r where true
    on conflict (subscriber_id, newsletter) do update set choice = excluded.choice
    where subscriptions.state = 'confirmed' and subscriptions.choice is null and 0 = (
      select count(*) from consent_events e where e.subscriber_id = subscriptions.subscriber_id
        and e.newsletter = subscriptions.newsletter and e.change in ('choice', 'moved'))
    returning subscriber_id, newsletter`.execute(tx);
  return recordImported(context, changedOf(chosen, changed.rows), (one) => [one.newsletter, 'choice', choiceOf(one)]);
}

/** Applies the first pause of each address that ends in the future. @returns the effective pauses */
async function applyPauses(context: BatchContext, addresses: AddressRows[]) {
  const { tx, dialect, now } = context;
  const requested = addresses.flatMap(({ rows, subscriberId }) => {
    const row = rows.find(({ pausedUntil }) => pausedUntil !== null && pausedUntil > now);
    return row === undefined ? [] : [{ row, subscriberId, until: row.pausedUntil as number }];
  });
  if (requested.length === 0) return [];
  const values = requested.map(({ subscriberId, until }) => [subscriberId, until]);
  const given = jsonRows(dialect, values, { subscriber_id: 'int', until: 'int' });
  // The file is older than any pause or resumption here. The column alone does not show a resumption: only the history
  // does.
  const changed = await sql<{ id: number }>`
    update subscribers set paused_until = r.until from ${given} r
    where subscribers.id = r.subscriber_id and subscribers.paused_until is null and not exists (
      select 1 from consent_events e where e.subscriber_id = subscribers.id and e.change in ('paused', 'resumed'))
    returning subscribers.id`.execute(tx);
  const ids = new Set(changed.rows.map((one) => one.id));
  const effective = requested.filter((one) => ids.has(one.subscriberId));
  return recordImported(context, effective, ({ until }) => [null, 'paused', `until ${rfc3339(until)}`]);
}

/** Whether a subscription that is not confirmed ended before, or was moved to another newsletter. */
const hasUnsubscribed = sql<boolean>`exists (
  select 1 from consent_events e where e.subscriber_id = subscriptions.subscriber_id
    and ((e.newsletter = subscriptions.newsletter and e.change = 'unsubscribed')
      or (e.detail = subscriptions.newsletter and e.change = 'moved')))`;

/** Counts the requested subscriptions that the subscribers have unsubscribed. */
async function countUnsubscribed(
  { tx, dialect }: BatchContext,
  requested: RequestedChange[],
  effective: RequestedChange[],
): Promise<number> {
  const changed = new Set(effective);
  const ineffective = requested.filter((one) => one.state === 'confirmed' && !changed.has(one));
  if (ineffective.length === 0) return 0;
  const values = ineffective.map(({ subscriberId, newsletter }) => [subscriberId, newsletter]);
  const given = jsonRows(dialect, values, { subscriber_id: 'int', newsletter: 'text' });
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from subscriptions
    where (subscriber_id, newsletter) in (select subscriber_id, newsletter from ${given} r)
      and (state = 'unsubscribed' or (state = 'unconfirmed' and ${hasUnsubscribed}))`.execute(tx);
  return rows[0]?.count ?? 0;
}

function sum(addresses: AddressRows[], of: (address: AddressRows) => number): number {
  return addresses.reduce((total, address) => total + of(address), 0);
}

/** PostgreSQL infers the type text for a bare parameter in a select list. */
function int(value: number): RawBuilder<number> {
  return sql<number>`cast(${value} as bigint)`;
}
