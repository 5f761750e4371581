/**
 * Subscribers and their consent. A subscription is never deleted when it ends: its row says so, and since when.
 */

import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import { isZone } from '../time.ts';
import { parseAddress } from './address.ts';
import type { SubscriptionKey } from './tokens.ts';

type SubscriptionState = Tables['subscriptions']['state'];

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
  /** By newsletter. */
  subscriptions: { newsletter: string; state: SubscriptionState; changedAt: number }[];
}

/** `confirmed`: it had waited for the subscriber to confirm it, and the operator's word has done so. */
type AddOutcome = 'added' | 'already' | 'resubscribed' | 'confirmed';

export type AddResult =
  | { is: 'stored'; subscriberId: number; subscriptions: { newsletter: string; outcome: AddOutcome }[] }
  | { is: 'refused'; reason: string };

/**
 * Subscribes an address to newsletters on the operator's word: confirmed at once, one that had unsubscribed too.
 * @param newsletters ids of the config's newsletters; the caller has checked that they exist
 * @param who.zone where given, replaces the one the subscriber had
 */
export async function addSubscriber(
  db: Db,
  who: { email: string; newsletters: string[]; zone?: string | undefined },
  now: number,
): Promise<AddResult> {
  const address = parseAddress(who.email);
  if (address.is === 'refused') return { is: 'refused', reason: `${who.email}: ${address.reason}` };
  if (who.zone !== undefined && !isZone(who.zone)) {
    return { is: 'refused', reason: `${who.zone}: it must be an IANA time zone such as Asia/Shanghai` };
  }
  return inTransaction(db, async (trx) => {
    await trx
      .insertInto('subscribers')
      .values({ email: address.email, email_key: address.key, zone: who.zone ?? null, created_at: now })
      .onConflict((conflict) =>
        who.zone === undefined
          ? conflict.column('email_key').doNothing()
          : conflict.column('email_key').doUpdateSet({ zone: who.zone }),
      )
      .execute();
    const { id } = await trx
      .selectFrom('subscribers')
      .select('id')
      .where('email_key', '=', address.key)
      .executeTakeFirstOrThrow();
    const subscriptions: { newsletter: string; outcome: AddOutcome }[] = [];
    for (const newsletter of new Set(who.newsletters)) {
      subscriptions.push({ newsletter, outcome: await confirm(trx, { subscriberId: id, newsletter }, now) });
    }
    return { is: 'stored', subscriberId: id, subscriptions };
  });
}

export type RemoveResult =
  | { is: 'removed'; newsletters: string[] }
  /** Known, and subscribed to none of them. */
  | { is: 'already' }
  | { is: 'unknown' };

/**
 * Unsubscribes an address, from one newsletter or from all of them.
 * @param newsletter the id of the only one to leave
 */
export async function removeSubscriber(db: Db, email: string, now: number, newsletter?: string): Promise<RemoveResult> {
  const address = parseAddress(email);
  if (address.is === 'refused') return { is: 'unknown' };
  const subscriber = await db
    .selectFrom('subscribers')
    .select('id')
    .where('email_key', '=', address.key)
    .executeTakeFirst();
  if (subscriber === undefined) return { is: 'unknown' };
  const ended = await db
    .updateTable('subscriptions')
    .set({ state: 'unsubscribed', changed_at: now })
    .where('subscriber_id', '=', subscriber.id)
    .where('state', '<>', 'unsubscribed')
    .$if(newsletter !== undefined, (q) => q.where('newsletter', '=', newsletter as string))
    .returning('newsletter')
    .execute();
  if (ended.length === 0) return { is: 'already' };
  return { is: 'removed', newsletters: ended.map((row) => row.newsletter).sort() };
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
    .$if(newsletter !== undefined, (q) =>
      q.where('id', 'in', (sub) =>
        sub
          .selectFrom('subscriptions')
          .select('subscriber_id')
          .where('newsletter', '=', newsletter as string),
      ),
    )
    .orderBy('id')
    .limit(limit)
    .execute();
  if (rows.length === 0) return [];
  const subscriptions = await db
    .selectFrom('subscriptions')
    .selectAll()
    .where(
      'subscriber_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('subscriber_id')
    .orderBy('newsletter')
    .execute();
  const bySubscriber = Map.groupBy(subscriptions, (row) => row.subscriber_id);
  return rows.map((row) => ({
    id: row.id,
    email: row.email,
    zone: row.zone,
    createdAt: row.created_at,
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
  now: number,
): Promise<'unsubscribed' | 'already' | 'unknown'> {
  const { numUpdatedRows } = await db
    .updateTable('subscriptions')
    .set({ state: 'unsubscribed', changed_at: now })
    .where('subscriber_id', '=', subscriberId)
    .where('newsletter', '=', newsletter)
    .where('state', '<>', 'unsubscribed')
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return 'unsubscribed';
  return (await findSubscription(db, { subscriberId, newsletter })) === null ? 'unknown' : 'already';
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

async function confirm(trx: Db, { subscriberId, newsletter }: SubscriptionKey, now: number): Promise<AddOutcome> {
  const before = await findSubscription(trx, { subscriberId, newsletter });
  if (before?.state === 'confirmed') return 'already';
  const confirmed = { state: 'confirmed' as const, changed_at: now };
  await trx
    .insertInto('subscriptions')
    .values({ subscriber_id: subscriberId, newsletter, ...confirmed })
    .onConflict((conflict) => conflict.columns(['subscriber_id', 'newsletter']).doUpdateSet(confirmed))
    .execute();
  if (before === null) return 'added';
  return before.state === 'unsubscribed' ? 'resubscribed' : 'confirmed';
}

async function inTransaction<T>(db: Db, body: (trx: Db) => Promise<T>): Promise<T> {
  return db.isTransaction ? body(db) : db.transaction().execute(body);
}
