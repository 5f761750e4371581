/**
 * The preferences of a subscriber: newsletters and what to get of them, time zone, a pause. The token in the page's URL
 * was mailed to the address, so that new subscriptions need no further confirmation.
 */
import { type Db, type InTransaction, inTransaction, type Tx } from '../core/store/store.ts';
import { rfc3339 } from '../lib/time.ts';
import {
  type ConsentChannel,
  changeSubscriptions,
  lockSubscriber,
  moveSubscription,
  readSubscriptions,
  recordConsent,
  setChoice,
  subscriptionStates,
} from './consent/changes.ts';
import { type Subscriber, withSubscriptions } from './subscriptions.ts';
import type { SubscriptionKey } from './tokens.ts';
import { changeZone, zoneProblem } from './zone.ts';

/** `tokenVersion`: of the links that open the preferences. */
export type Preferences = Subscriber & { tokenVersion: number };

/** Reads a subscriber's preferences, or null if there is no such subscriber. */
export async function readPreferences(db: Db, subscriberId: number): Promise<Preferences | null> {
  const rows = await db.selectFrom('subscribers').selectAll().where('id', '=', subscriberId).execute();
  const [subscriber] = await withSubscriptions(db, rows);
  return subscriber === undefined ? null : { ...subscriber, tokenVersion: rows[0]?.token_version ?? 0 };
}

export interface PreferenceChanges {
  /**
   * Ids of the offered newsletters, and of the wanted ones among them. Confirmed subscriptions that were offered and
   * are not wanted end. Newsletters that were not offered do not change, such as one that is temporarily not in the
   * configuration. Unconfirmed subscriptions do not change: the link in their message decides.
   */
  newsletters?: { offered: readonly string[]; wanted: readonly string[] } | undefined;
  /** Leaving one of two and joining the other is a move, under the same consent. */
  weeklies?: readonly (readonly [daily: string, weekly: string])[];
  /** Canonical choices by newsletter. They apply where there is a subscription, also one that ended. */
  choices?: Readonly<Record<string, string | null>> | undefined;
  /** IANA zone; null for the publication's. */
  zone?: string | null | undefined;
  /** Epoch milliseconds; null or an instant in the past ends a pause. */
  pausedUntil?: number | null | undefined;
}

export type PreferencesResult =
  | { kind: 'changed' }
  | { kind: 'unchanged' }
  | { kind: 'refused'; reason: string }
  | { kind: 'unknown' };

/**
 * Applies the given changes. Never lifts a suppression.
 * @param onCommit awaited in the transaction, last, if something has changed
 */
export async function changePreferences(
  db: Db,
  subscriberId: number,
  changes: PreferenceChanges,
  via: ConsentChannel,
  now: number,
  onCommit?: InTransaction,
): Promise<PreferencesResult> {
  const problem = zoneProblem(changes.zone ?? null);
  if (problem !== null) return { kind: 'refused', reason: problem };
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return { kind: 'unknown' };
    const newslettersChanged = await changeNewsletters(tx, subscriberId, changes, via, now);
    const zoneChanged = changes.zone !== undefined && (await changeZone(tx, subscriber, changes.zone, via, now));
    const pauseChanged =
      changes.pausedUntil !== undefined && (await changePause(tx, subscriber, changes.pausedUntil, via, now));
    if (!newslettersChanged && !zoneChanged && !pauseChanged) return { kind: 'unchanged' };
    await onCommit?.(tx);
    return { kind: 'changed' };
  });
}

async function changeNewsletters(
  tx: Tx,
  subscriberId: number,
  { newsletters: { offered, wanted } = { offered: [], wanted: [] }, weeklies = [], choices }: PreferenceChanges,
  via: ConsentChannel,
  now: number,
): Promise<boolean> {
  const before = new Map((await readSubscriptions(tx, subscriberId)).map((one) => [one.newsletter, one]));
  const isConfirmed = (id: string): boolean => before.get(id)?.state === 'confirmed';
  const isUnwanted = (id: string): boolean => isConfirmed(id) && offered.includes(id) && !wanted.includes(id);
  const moves = weeklies
    .flatMap(([daily, weekly]) => [[daily, weekly] as const, [weekly, daily] as const])
    .filter(([from, to]) => isUnwanted(from) && wanted.includes(to) && !isConfirmed(to));
  const wished = new Map(Object.entries(choices ?? {}));
  for (const [from, to] of moves) {
    await moveSubscription(tx, subscriberId, { from, to }, via, now);
    // The form has the earlier choice of what is moved to: only another one replaces that which moves along.
    const moved = wished.get(from);
    if (moved !== undefined && (wished.get(to) ?? null) === (before.get(to)?.choice ?? null)) wished.set(to, moved);
  }
  // In this order, so that a subscriber who changes from one to another has not left in between.
  const joined = await changeSubscriptions(tx, subscriberId, wanted, 'confirmed', via, now);
  const ended = offered.filter((id) => isUnwanted(id) && !moves.some(([from]) => from === id));
  const left = await changeSubscriptions(tx, subscriberId, ended, 'unsubscribed', via, now);
  let isChanged = joined.length + left.length + moves.length > 0;
  for (const [newsletter, choice] of wished) {
    isChanged = (await setChoice(tx, subscriberId, newsletter, choice, via, now)) || isChanged;
  }
  return isChanged;
}

/**
 * Replaces a subscription by its weekly. Changes nothing unless it is confirmed: an unsubscribe link, which does this,
 * works for ever, and must subscribe nobody.
 */
export async function changeToWeekly(db: Db, key: SubscriptionKey, weekly: string, via: ConsentChannel, now: number) {
  const { subscriberId, newsletter } = key;
  await inTransaction(db, async (tx) => {
    await lockSubscriber(tx, subscriberId);
    if ((await subscriptionStates(tx, subscriberId)).get(newsletter) !== 'confirmed') return;
    const newsletters = { offered: [newsletter], wanted: [weekly] };
    await changePreferences(tx, subscriberId, { newsletters, weeklies: [[newsletter, weekly]] }, via, now);
  });
}

async function changePause(
  tx: Tx,
  subscriber: { id: number; paused_until: number | null },
  until: number | null,
  via: ConsentChannel,
  now: number,
): Promise<boolean> {
  const ifFuture = (instant: number | null): number | null => (instant !== null && instant > now ? instant : null);
  const [before, after] = [ifFuture(subscriber.paused_until), ifFuture(until)];
  if (before === after) return false;
  await tx.updateTable('subscribers').set({ paused_until: after }).where('id', '=', subscriber.id).execute();
  const event =
    after === null ? { change: 'resumed' as const } : { change: 'paused' as const, detail: `until ${rfc3339(after)}` };
  await recordConsent(tx, subscriber.id, [event], via, now);
  return true;
}
