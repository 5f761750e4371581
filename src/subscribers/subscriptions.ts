/**
 * Subscribers and their subscriptions. A subscription is never deleted when it ends: its row says so, and since when; consent_events
 * says how it came to that.
 */

import { rfc3339 } from '../lib/time.ts';
import type { Db } from '../store/store.ts';
import type { SuppressionReason } from '../store/tables.ts';
import { type ParsedAddress, parseAddress } from './address.ts';
import {
  changeSubscriptions,
  holdAddress,
  inTransaction,
  lockAddress,
  lockSubscriber,
  type Origin,
  type SubscriberRow,
} from './consent/consent-ledger.ts';
import type { SubscriptionState } from './consent/consent-states.ts';
import { findSuppression } from './suppression.ts';
import type { SigningSecrets } from './tokens/secret.ts';
import type { SubscriptionKey } from './tokens/tokens.ts';
import { changeZone, zoneProblem } from './zone.ts';

export interface Subscription extends SubscriptionKey {
  email: string;
  state: SubscriptionState;
  /** Since when it has been in that state, epoch milliseconds. */
  changedAt: number;
}

export interface Subscriber {
  id: number;
  email: string;
  /** IANA zone, where the subscriber named one. */
  zone: string | null;
  createdAt: number;
  /** Wants nothing before this instant, which may have passed. */
  pausedUntil: number | null;
  /** Why the address is on the suppression list, or null. */
  suppressedReason: SuppressionReason | null;
  /** By newsletter. */
  subscriptions: { newsletter: string; state: SubscriptionState; changedAt: number }[];
}

/** `confirmed`: it had waited for the subscriber to confirm it, and the operator's word has done so. */
type AddOutcome = 'added' | 'already' | 'resubscribed' | 'confirmed';

export type AddResult =
  | { kind: 'stored'; subscriberId: number; subscriptions: { newsletter: string; outcome: AddOutcome }[] }
  | { kind: 'refused'; reason: string };

/** Who is added, and to what. */
interface NewSubscriber {
  email: string;
  /** Ids of the config's newsletters; the caller has checked that they exist. */
  newsletters: readonly string[];
  /** Where given, replaces the one the subscriber had. */
  zone?: string | undefined;
}

/**
 * Subscribes an address to newsletters on the operator's word: confirmed at once, one that had unsubscribed too. One on the
 * suppression list is refused.
 */
export async function addSubscriber(
  db: Db,
  secrets: SigningSecrets,
  who: NewSubscriber,
  origin: Origin,
  now: number,
): Promise<AddResult> {
  const address = checked(who);
  if (address.kind === 'refused') return address;
  return inTransaction(db, async (tx) => {
    const { subscriber, isNew } = await holdAddress(tx, address, who.zone ?? null, now);
    const suppression = await findSuppression(tx, secrets, address.key);
    if (suppression === null) return subscribeOnWord(tx, subscriber, who, origin, now);
    if (isNew) await tx.deleteFrom('subscribers').where('id', '=', subscriber.id).execute();
    const since = `${suppression.reason}, since ${rfc3339(suppression.at)}`;
    return { kind: 'refused', reason: `${who.email}: it is on the suppression list (${since})` };
  });
}

/** As `addSubscriber`, for a store whose suppression list is known to be empty. */
export async function storeSubscriber(db: Db, who: NewSubscriber, origin: Origin, now: number): Promise<AddResult> {
  const address = checked(who);
  if (address.kind === 'refused') return address;
  return inTransaction(db, async (tx) => {
    const { subscriber } = await holdAddress(tx, address, who.zone ?? null, now);
    return subscribeOnWord(tx, subscriber, who, origin, now);
  });
}

function checked(who: NewSubscriber): ParsedAddress {
  const address = parseAddress(who.email);
  if (address.kind === 'refused') return { kind: 'refused', reason: `${who.email}: ${address.reason}` };
  const problem = zoneProblem(who.zone ?? null);
  return problem === null ? address : { kind: 'refused', reason: problem };
}

async function subscribeOnWord(
  tx: Db,
  subscriber: SubscriberRow,
  { newsletters, zone }: NewSubscriber,
  origin: Origin,
  now: number,
): Promise<AddResult> {
  if (zone !== undefined) await changeZone(tx, subscriber, zone, origin, now);
  const changed = await changeSubscriptions(tx, subscriber.id, newsletters, 'confirmed', origin, now);
  const before = new Map(changed.map((one) => [one.newsletter, one.before]));
  const subscriptions = [...new Set(newsletters)].map((newsletter) => ({
    newsletter,
    outcome: outcomeOf(before.get(newsletter)),
  }));
  return { kind: 'stored', subscriberId: subscriber.id, subscriptions };
}

/** @param before the state it had, null where there was none, undefined where nothing changed */
function outcomeOf(before: SubscriptionState | null | undefined): AddOutcome {
  if (before === undefined) return 'already';
  if (before === null) return 'added';
  return before === 'unsubscribed' ? 'resubscribed' : 'confirmed';
}

export type RemoveResult =
  | { kind: 'removed'; newsletters: string[] }
  /** Known, and subscribed to none of them. */
  | { kind: 'already' }
  | { kind: 'unknown' };

/**
 * Unsubscribes an address, from one newsletter or from all of them.
 * @param newsletter the id of the only one to leave
 */
export async function removeSubscriber(
  db: Db,
  email: string,
  origin: Origin,
  now: number,
  newsletter?: string,
): Promise<RemoveResult> {
  const address = parseAddress(email);
  if (address.kind === 'refused') return { kind: 'unknown' };
  return inTransaction(db, async (tx) => {
    const subscriber = await lockAddress(tx, address.key);
    if (subscriber === null) return { kind: 'unknown' };
    const newsletters = newsletter === undefined ? 'all' : [newsletter];
    const ended = await changeSubscriptions(tx, subscriber.id, newsletters, 'unsubscribed', origin, now);
    return ended.length === 0
      ? { kind: 'already' }
      : { kind: 'removed', newsletters: ended.map((one) => one.newsletter) };
  });
}

/**
 * Subscribers by id, with all their subscriptions.
 * @param query.newsletter only those that have a subscription to it, in whatever state
 * @param query.afterId goes on behind that subscriber: a list of any length in flat memory
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
    // Looked up for each: a list of all who have the newsletter would be made anew for every page.
    .$if(newsletter !== undefined, (q) =>
      q.where((e) =>
        e.exists(
          e
            .selectFrom('subscriptions')
            .select('subscriber_id')
            .whereRef('subscriber_id', '=', 'subscribers.id')
            .where('newsletter', '=', newsletter as string),
        ),
      ),
    )
    .orderBy('id')
    .limit(limit)
    .execute();
  return withSubscriptions(db, rows);
}

/** The subscriber of that address, however it is written, or null. */
export async function findSubscriberByAddress(db: Db, email: string): Promise<Subscriber | null> {
  const address = parseAddress(email);
  if (address.kind === 'refused') return null;
  const rows = await db.selectFrom('subscribers').selectAll().where('email_key', '=', address.key).execute();
  return (await withSubscriptions(db, rows))[0] ?? null;
}

async function withSubscriptions(db: Db, rows: SubscriberRow[]): Promise<Subscriber[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const subscriptions = await db
    .selectFrom('subscriptions')
    .selectAll()
    .where('subscriber_id', 'in', ids)
    .orderBy('subscriber_id')
    .orderBy('newsletter')
    .execute();
  const bySubscriber = Map.groupBy(subscriptions, (row) => row.subscriber_id);
  return rows.map((row) => ({
    id: row.id,
    email: row.email,
    zone: row.zone,
    createdAt: row.created_at,
    pausedUntil: row.paused_until,
    suppressedReason: row.suppressed_reason,
    subscriptions: (bySubscriber.get(row.id) ?? []).map((s) => ({
      newsletter: s.newsletter,
      state: s.state,
      changedAt: s.changed_at,
    })),
  }));
}

/** Ends one subscription, as its token asks. Twice is as good as once. */
export async function unsubscribe(
  db: Db,
  { subscriberId, newsletter }: SubscriptionKey,
  origin: Origin,
  now: number,
): Promise<'unsubscribed' | 'already' | 'unknown'> {
  return inTransaction(db, async (tx) => {
    if ((await lockSubscriber(tx, subscriberId)) === null) return 'unknown';
    const ended = await changeSubscriptions(tx, subscriberId, [newsletter], 'unsubscribed', origin, now);
    if (ended.length > 0) return 'unsubscribed';
    return (await findSubscription(tx, { subscriberId, newsletter })) === null ? 'unknown' : 'already';
  });
}

/** That subscriber's subscription to that newsletter, in whatever state, or null. */
export async function findSubscription(
  db: Db,
  { subscriberId, newsletter }: SubscriptionKey,
): Promise<Subscription | null> {
  const row = await db
    .selectFrom('subscriptions')
    .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriber_id')
    .select(['subscribers.email', 'subscriptions.state', 'subscriptions.changed_at'])
    .where('subscriptions.subscriber_id', '=', subscriberId)
    .where('subscriptions.newsletter', '=', newsletter)
    .executeTakeFirst();
  if (row === undefined) return null;
  return { subscriberId, newsletter, email: row.email, state: row.state, changedAt: row.changed_at };
}

/** Number of subscriptions by newsletter and state. Reads all of them: give it `store.reports`. */
export function countSubscriptions(db: Db): Promise<{ newsletter: string; state: SubscriptionState; count: number }[]> {
  return db
    .selectFrom('subscriptions')
    .select((e) => ['newsletter', 'state', e.fn.countAll<number>().as('count')])
    .groupBy(['newsletter', 'state'])
    .orderBy('newsletter')
    .orderBy('state')
    .execute();
}
