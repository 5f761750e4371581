/**
 * Subscribers and their subscriptions. The row of a subscription that ends is kept, with state and instant;
 * consent_events has the history.
 */
import { sql } from 'kysely';
import type { SigningSecrets } from '../core/config/signing-secrets.ts';
import { readStateCounts } from '../core/store/counts.ts';
import { type Db, type InTransaction, inTransaction, type Tx } from '../core/store/store.ts';
import { parseAddress } from '../lib/address.ts';
import { rfc3339 } from '../lib/time.ts';
import {
  type ConsentChannel,
  changeSubscriptions,
  lockOrInsertSubscriber,
  lockSubscriber,
  type SubscriberRow,
} from './consent/changes.ts';
import type { SubscriptionState } from './consent/states.ts';
import { findSuppression } from './suppression.ts';
import type { SubscriptionKey } from './tokens.ts';
import { changeZone, zoneProblem } from './zone.ts';

export type Subscriber = Awaited<ReturnType<typeof withSubscriptions>>[number];

/** `confirmed`: it was unconfirmed; being added by the operator confirms it. */
type AddOutcome = 'added' | 'already' | 'resubscribed' | 'confirmed';

export type AddResult =
  | { kind: 'stored'; subscriberId: number; subscriptions: { newsletter: string; outcome: AddOutcome }[] }
  | { kind: 'refused'; reason: string };

interface NewSubscriber {
  email: string;
  /** Ids of newsletters; the caller has checked that they exist. */
  newsletters: readonly string[];
  /** Replaces the subscriber's zone; omitted, the zone does not change. */
  zone?: string | undefined;
}

/**
 * Subscribes an address to newsletters on behalf of the operator. The subscriptions are confirmed immediately,
 * including those that had been unsubscribed. Refuses suppressed addresses.
 * @param secrets null for a store whose suppression list is empty
 */
export async function addSubscriber(
  db: Db,
  secrets: SigningSecrets | null,
  subscriber: NewSubscriber,
  via: ConsentChannel,
  now: number,
): Promise<AddResult> {
  const address = parseAddress(subscriber.email);
  if (address.kind === 'invalid') return { kind: 'refused', reason: `${subscriber.email}: ${address.reason}` };
  const problem = zoneProblem(subscriber.zone ?? null);
  if (problem !== null) return { kind: 'refused', reason: problem };
  return inTransaction(db, async (tx) => {
    const { subscriber: row, isNew } = await lockOrInsertSubscriber(tx, address, subscriber.zone ?? null, now);
    const suppression = secrets && (await findSuppression(tx, secrets, address.key));
    if (suppression === null) return addSubscriptions(tx, row, subscriber, via, now);
    if (isNew) await tx.deleteFrom('subscribers').where('id', '=', row.id).execute();
    const since = `${suppression.reason}, since ${rfc3339(suppression.at)}`;
    return { kind: 'refused', reason: `${subscriber.email}: it is on the suppression list (${since})` };
  });
}

async function addSubscriptions(
  tx: Tx,
  subscriber: SubscriberRow,
  { newsletters, zone }: NewSubscriber,
  via: ConsentChannel,
  now: number,
): Promise<AddResult> {
  if (zone !== undefined) await changeZone(tx, subscriber, zone, via, now);
  const changed = await changeSubscriptions(tx, subscriber.id, newsletters, 'confirmed', via, now);
  const before = new Map(changed.map((one) => [one.newsletter, one.before]));
  const subscriptions = [...new Set(newsletters)].map((newsletter) => ({
    newsletter,
    outcome: outcomeOf(before.get(newsletter)),
  }));
  return { kind: 'stored', subscriberId: subscriber.id, subscriptions };
}

/** @param before the previous state; null if there was no subscription, undefined if nothing changed */
function outcomeOf(before: SubscriptionState | null | undefined): AddOutcome {
  if (before === undefined) return 'already';
  if (before === null) return 'added';
  return before === 'unsubscribed' ? 'resubscribed' : 'confirmed';
}

type RemoveResult =
  | { kind: 'removed'; newsletters: string[] }
  /** Known, but not subscribed to any of them. */
  | { kind: 'already' }
  | { kind: 'unknown' };

/**
 * Lists subscribers by id, with all their subscriptions.
 * @param query.newsletter only subscribers with a subscription to it, in any state
 * @param query.afterId continues after that subscriber: the whole list can be read in constant memory
 */
export async function listSubscribers(
  db: Db,
  query: { newsletter?: string | undefined; afterId?: number; limit: number },
): Promise<Subscriber[]> {
  const { newsletter, afterId = 0, limit } = query;
  const rows = await db
    .selectFrom('subscribers')
    .selectAll()
    .where('id', '>', afterId)
    // One lookup per subscriber: a subquery for the whole newsletter would run again for every page.
    .$if(newsletter !== undefined, (q) => q.where(hasSubscriptionTo(newsletter as string)))
    .orderBy('id')
    .limit(limit)
    .execute();
  return withSubscriptions(db, rows);
}

function hasSubscriptionTo(newsletter: string) {
  return sql<boolean>`exists (
    select 1 from subscriptions where subscriber_id = subscribers.id and newsletter = ${newsletter})`;
}

/** Subscribers that one statement of `subscriberPages` reads. */
const PAGE_SIZE = 1_000;

/** All subscribers, or those of a newsletter, in pages by id. Memory is that of a page. */
export async function* subscriberPages(db: Db, newsletter?: string): AsyncGenerator<Subscriber[]> {
  for (let afterId = 0; ; ) {
    const page = await listSubscribers(db, { newsletter, afterId, limit: PAGE_SIZE });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    afterId = last.id;
  }
}

/** Finds a subscriber by address, in any spelling. */
export async function findSubscriberByAddress(db: Db, email: string): Promise<Subscriber | null> {
  const address = parseAddress(email);
  if (address.kind === 'invalid') return null;
  const rows = await db.selectFrom('subscribers').selectAll().where('email_key', '=', address.key).execute();
  return (await withSubscriptions(db, rows))[0] ?? null;
}

export async function findSubscriber(db: Db, id: number): Promise<Subscriber | null> {
  const rows = await db.selectFrom('subscribers').selectAll().where('id', '=', id).execute();
  return (await withSubscriptions(db, rows))[0] ?? null;
}

/** Subscribers of rows, in their order. */
export async function withSubscriptions(db: Db, rows: SubscriberRow[]) {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const subscriptions = await db
    .selectFrom('subscriptions')
    .select(['subscriber_id', 'newsletter', 'state', 'changed_at as changedAt'])
    .select(['choice', 'feed_since as feedSince', 'moved_to as movedTo'])
    .where('subscriber_id', 'in', ids)
    .orderBy('subscriber_id')
    .orderBy('newsletter')
    .execute();
  const bySubscriber = Map.groupBy(subscriptions, (row) => row.subscriber_id);
  return rows.map((row) => ({
    id: row.id,
    email: row.email,
    /** IANA; null for the publication's. */
    zone: row.zone,
    createdAt: row.created_at,
    /** No edition is delivered before this instant; it can be in the past. */
    pausedUntil: row.paused_until,
    /** Set while the address is on the suppression list. */
    suppressedReason: row.suppressed_reason,
    /** By newsletter. */
    subscriptions: (bySubscriber.get(row.id) ?? []).map(({ subscriber_id: _, ...one }) => one),
  }));
}

/**
 * Ends subscriptions of a subscriber, and what they were moved to.
 * @param newsletters ids, or `all`
 * @param onCommit awaited in the transaction, last, if something has changed
 */
export async function endSubscriptions(
  db: Db,
  subscriberId: number,
  newsletters: readonly string[] | 'all',
  via: ConsentChannel,
  now: number,
  onCommit?: InTransaction,
): Promise<RemoveResult> {
  return inTransaction(db, async (tx) => {
    if ((await lockSubscriber(tx, subscriberId)) === null) return { kind: 'unknown' };
    const ended = await changeSubscriptions(tx, subscriberId, newsletters, 'unsubscribed', via, now);
    if (ended.length === 0) return { kind: 'already' };
    await onCommit?.(tx);
    return { kind: 'removed', newsletters: ended.map((one) => one.newsletter) };
  });
}

/** The state of a subscription to a newsletter, or of what it was moved to; null if there never was one. */
export async function findSubscriptionState(
  db: Db,
  { subscriberId, newsletter }: SubscriptionKey,
): Promise<SubscriptionState | null> {
  const row = await db
    .selectFrom('subscriptions as own')
    .leftJoin('subscriptions as moved', (join) =>
      join.onRef('moved.subscriber_id', '=', 'own.subscriber_id').onRef('moved.newsletter', '=', 'own.moved_to'),
    )
    .select((e) => e.fn.coalesce('moved.state', 'own.state').as('state'))
    .where('own.subscriber_id', '=', subscriberId)
    .where('own.newsletter', '=', newsletter)
    .executeTakeFirst();
  return row?.state ?? null;
}

/** Number of subscriptions by newsletter and state. */
export async function countSubscriptions(
  db: Db,
): Promise<{ newsletter: string; state: SubscriptionState; count: number }[]> {
  const counts = (await readStateCounts(db, 'subscriptions')).filter(({ count }) => count !== 0);
  return counts.map(({ scope, state, count }) => ({ newsletter: scope, state: state as SubscriptionState, count }));
}

export interface ChoiceCounts {
  /** The most frequent ones first. `choice`: as `choiceText` writes it. */
  choices: { choice: string; count: number }[];
  /** Confirmed subscriptions with any choice, also those that are not among `choices`. */
  total: number;
}

/** Counts the confirmed subscriptions of a newsletter by choice. Reads all that have one: pass `store.reports`. */
export async function countChoices(db: Db, newsletter: string, limit: number): Promise<ChoiceCounts> {
  // A literal state, so that the partial index subscriptions_by_choice is used.
  const { rows } = await sql<{ choice: string; count: number; total: number }>`
    select choice, count(*) as count, cast(sum(count(*)) over () as bigint) as total from subscriptions
    where newsletter = ${newsletter} and choice is not null and state = 'confirmed'
    group by choice order by count(*) desc, choice limit ${limit}`.execute(db);
  return { choices: rows.map(({ choice, count }) => ({ choice, count })), total: rows[0]?.total ?? 0 };
}
