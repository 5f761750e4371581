/**
 * Writes changes of consent. The state of a subscription and the event that proves the change are always written in one
 * transaction, one subscriber at a time.
 */
import { type Selectable, sql } from 'kysely';
import type { Db, Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import { type ConsentText, storeConsentText } from './consent-text.ts';
import { nextState, type SubscriptionChange, type SubscriptionState } from './states.ts';

/** Channel and source of a change. */
export interface ConsentChannel {
  channel: Tables['consent_events']['channel'];
  /** The client's IP address, or the file and line of an import: `list.csv:7`. */
  source?: string | null;
  /** The wording that was agreed to, recorded with each request, confirmation and wanted feed; null without one. */
  consent?: ConsentText | null;
  /** Origin of the page with the form, if it is on another site. */
  origin?: string | undefined;
}

export type SubscriberRow = Selectable<Tables['subscribers']>;

export interface ConsentEvent {
  change: Tables['consent_events']['change'];
  /** Omitted for changes that concern all newsletters. */
  newsletter?: string;
  detail?: string | null;
}

/**
 * Reads a subscriber and locks it until the transaction ends. Every change of consent begins with this lock, so that
 * the events of a subscriber are in chronological order.
 */
export async function lockSubscriber(tx: Tx, subscriberId: number): Promise<SubscriberRow | null> {
  const row = await lockSubscribers(tx).where('id', '=', subscriberId).executeTakeFirst();
  return row ?? null;
}

/**
 * Locks an address. An unknown address gets a subscriber row, so that no other transaction can add, erase or suppress
 * the address at the same time. The caller keeps a new row or deletes it before the transaction ends.
 */
export async function lockOrInsertSubscriber(
  tx: Tx,
  address: { email: string; key: string },
  zone: string | null,
  now: number,
): Promise<{ subscriber: SubscriberRow; isNew: boolean }> {
  for (;;) {
    const added = await tx
      .insertInto('subscribers')
      .values({ email: address.email, email_key: address.key, zone, created_at: now })
      .onConflict((conflict) => conflict.column('email_key').doNothing())
      .returningAll()
      .executeTakeFirst();
    if (added !== undefined) return { subscriber: added, isNew: true };
    // Undefined if the subscriber was erased between the two statements.
    const subscriber = await lockSubscribers(tx).where('email_key', '=', address.key).executeTakeFirst();
    if (subscriber !== undefined) return { subscriber, isNew: false };
  }
}

/** Setting a column to its own value locks the row on both databases. */
function lockSubscribers(tx: Tx) {
  return tx.updateTable('subscribers').set({ created_at: sql<number>`created_at` }).returningAll();
}

/** Records events of one subscriber, in order. */
export async function recordConsent(
  tx: Tx,
  subscriberId: number,
  events: readonly ConsentEvent[],
  { channel, source = null, consent = null }: ConsentChannel,
  now: number,
): Promise<void> {
  if (events.length === 0) return;
  if (consent !== null && events.some(isOptIn)) await storeConsentText(tx, consent, now);
  await tx
    .insertInto('consent_events')
    .values(
      events.map((event) => ({
        subscriber_id: subscriberId,
        newsletter: event.newsletter ?? null,
        change: event.change,
        channel,
        source,
        detail: event.detail ?? null,
        at: now,
        consent_text: isOptIn(event) ? (consent?.id ?? null) : null,
      })),
    )
    .execute();
}

function isOptIn({ change }: ConsentEvent): boolean {
  return change === 'requested' || change === 'confirmed' || change === 'feed-wanted';
}

/**
 * Applies a change to subscriptions of a locked subscriber, and records it for those that it changes. To unsubscribe
 * also ends what they were moved to. When the last one ends, earlier links to the preferences no longer open them:
 * others may have one, and it subscribes.
 * @param newsletters ids, or `all` for all subscriptions of the subscriber
 * @returns the changed subscriptions with their previous states, by newsletter
 */
export async function changeSubscriptions(
  tx: Tx,
  subscriberId: number,
  newsletters: readonly string[] | 'all',
  change: SubscriptionChange,
  via: ConsentChannel,
  now: number,
): Promise<{ newsletter: string; before: SubscriptionState | null }[]> {
  const rows = await readSubscriptions(tx, subscriberId);
  const states = new Map(rows.map((row) => [row.newsletter, row.state]));
  const named = newsletters === 'all' ? [...states.keys()] : newsletters;
  const moved = rows.flatMap((row) => (named.includes(row.newsletter) ? (row.moved_to ?? []) : []));
  const ids = new Set([...named, ...(change === 'unsubscribed' ? moved : [])]);
  const changed = [...ids].sort().flatMap((newsletter) => {
    const before = states.get(newsletter) ?? null;
    const after = nextState(before, change);
    return after === null || after === before ? [] : [{ newsletter, before, after }];
  });
  if (changed.length === 0) return [];
  await tx
    .insertInto('subscriptions')
    .values(
      changed.map(({ newsletter, after }) => ({
        subscriber_id: subscriberId,
        newsletter,
        state: after,
        changed_at: now,
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['subscriber_id', 'newsletter'])
        .doUpdateSet((e) => ({ state: e.ref('excluded.state'), changed_at: now })),
    )
    .execute();
  // From now on, links of earlier emails have nothing to do with these.
  const decided = changed.map(({ newsletter }) => newsletter);
  await tx
    .updateTable('subscriptions')
    .set({ moved_to: null })
    .where('subscriber_id', '=', subscriberId)
    .where((e) => e.or([e('newsletter', 'in', decided), e('moved_to', 'in', decided)]))
    .execute();
  const events = changed.map(({ newsletter }) => ({ change, newsletter }));
  await recordConsent(tx, subscriberId, events, via, now);
  for (const { newsletter, after } of changed) states.set(newsletter, after);
  const hasLeft = changed.some(({ before }) => before === 'confirmed') && ![...states.values()].includes('confirmed');
  if (hasLeft) await revokeLinks(tx, subscriberId, now);
  return changed.map(({ newsletter, before }) => ({ newsletter, before }));
}

/**
 * Sets what a locked subscriber chose of a newsletter, and records it. Changes nothing without a subscription.
 * @param choice canonical (`choiceText`); null for everything
 * @returns whether it changed
 */
export async function setChoice(
  tx: Tx,
  subscriberId: number,
  newsletter: string,
  choice: string | null,
  via: ConsentChannel,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('subscriptions')
    .set({ choice })
    .where('subscriber_id', '=', subscriberId)
    .where('newsletter', '=', newsletter)
    .where(sql<boolean>`choice is distinct from cast(${choice} as text)`)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return false;
  await recordConsent(tx, subscriberId, [{ change: 'choice', newsletter, detail: choice }], via, now);
  return true;
}

/**
 * Moves a confirmed subscription of a locked subscriber between a newsletter and its weekly, under the same consent.
 * The choice moves along; a private feed stays at its address. The old one names the new one, which unsubscribe links
 * in its emails then end, until `changeSubscriptions` changes either.
 * @param to without a confirmed subscription
 */
export async function moveSubscription(
  tx: Tx,
  subscriberId: number,
  { from, to }: { from: string; to: string },
  via: ConsentChannel,
  now: number,
): Promise<void> {
  const choice = (await readSubscriptions(tx, subscriberId)).find((one) => one.newsletter === from)?.choice ?? null;
  const moved = { state: 'confirmed' as const, changed_at: now, choice, moved_to: null };
  await tx
    .insertInto('subscriptions')
    .values({ subscriber_id: subscriberId, newsletter: to, ...moved })
    .onConflict((conflict) => conflict.columns(['subscriber_id', 'newsletter']).doUpdateSet(moved))
    .execute();
  await tx
    .updateTable('subscriptions')
    .set({ state: 'unsubscribed', changed_at: now, moved_to: to })
    .where('subscriber_id', '=', subscriberId)
    // Also what was moved here before, if another weekly is configured since.
    .where((e) => e.or([e('newsletter', '=', from), e('moved_to', '=', from)]))
    .execute();
  await recordConsent(tx, subscriberId, [{ change: 'moved', newsletter: to, detail: from }], via, now);
}

/** A subscriber's subscriptions, by newsletter. */
export function readSubscriptions(db: Db, subscriberId: number) {
  return db
    .selectFrom('subscriptions')
    .select(['newsletter', 'state', 'choice', 'moved_to'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('newsletter')
    .execute();
}

/** The states of a subscriber's subscriptions by newsletter. */
export async function subscriptionStates(db: Db, subscriberId: number): Promise<Map<string, SubscriptionState>> {
  return new Map((await readSubscriptions(db, subscriberId)).map((row) => [row.newsletter, row.state]));
}

/**
 * Revokes all links to the preferences of a locked subscriber, and those for an export or an erasure. Unsubscribe links
 * work for ever.
 */
export async function revokeLinks(tx: Tx, subscriberId: number, now: number): Promise<void> {
  await tx
    .updateTable('subscribers')
    .set({ token_version: sql<number>`token_version + 1` })
    .where('id', '=', subscriberId)
    .execute();
  await tx
    .updateTable('service_messages')
    .set({ expires_at: now })
    .where('subscriber_id', '=', subscriberId)
    .where('kind', 'in', ['export', 'erase'])
    .where('expires_at', '>', now)
    .execute();
}
