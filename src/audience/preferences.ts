/**
 * The choices of a subscriber: newsletters, time zone, a pause. The token in the page's URL was mailed to the address,
 * so that new subscriptions need no further confirmation.
 */
import { type Db, type InTransaction, inTransaction, type Tx } from '../core/store/store.ts';
import type { SuppressionReason } from '../core/store/tables/subscriber-tables.ts';
import { rfc3339 } from '../lib/time.ts';
import {
  type ConsentChannel,
  changeSubscriptions,
  lockSubscriber,
  recordConsent,
  subscriptionStates,
} from './consent/changes.ts';
import type { SubscriptionState } from './consent/states.ts';
import { changeZone, zoneProblem } from './zone.ts';

export interface Preferences {
  subscriberId: number;
  email: string;
  /** Null for the publication's zone. */
  zone: string | null;
  /** No edition is delivered before this instant; it can be in the past. */
  pausedUntil: number | null;
  /** Version of the links that open the preferences. */
  tokenVersion: number;
  /** While set, nothing is mailed, even if the preferences ask for it. `isLiftedByOptIn` has what lifts it. */
  suppressedReason: SuppressionReason | null;
  /** In all states, by newsletter. */
  subscriptions: { newsletter: string; state: SubscriptionState }[];
}

/** Reads a subscriber's preferences, or null if there is no such subscriber. */
export async function readPreferences(db: Db, subscriberId: number): Promise<Preferences | null> {
  const row = await db.selectFrom('subscribers').selectAll().where('id', '=', subscriberId).executeTakeFirst();
  if (row === undefined) return null;
  const states = await subscriptionStates(db, subscriberId);
  return {
    subscriberId,
    email: row.email,
    zone: row.zone,
    pausedUntil: row.paused_until,
    tokenVersion: row.token_version,
    suppressedReason: row.suppressed_reason,
    subscriptions: [...states].map(([newsletter, state]) => ({ newsletter, state })),
  };
}

export interface PreferenceChanges {
  /**
   * Ids of the offered newsletters, and of the wanted ones among them. Confirmed subscriptions that were offered and
   * are not wanted end. Newsletters that were not offered do not change, such as one that is temporarily not in the
   * configuration. Unconfirmed subscriptions do not change: the link in their message decides.
   */
  newsletters?: { offered: readonly string[]; wanted: readonly string[] } | undefined;
  /** IANA zone; null for the publication's. */
  zone?: string | null | undefined;
  /** Epoch milliseconds; null or an instant in the past ends a pause. */
  pausedUntil?: number | null | undefined;
}

export type PreferencesResult =
  | { kind: 'changed'; joined: string[]; left: string[] }
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
    const { joined, left } = await changeNewsletters(tx, subscriberId, changes.newsletters, via, now);
    const zoneChanged = changes.zone !== undefined && (await changeZone(tx, subscriber, changes.zone, via, now));
    const pauseChanged =
      changes.pausedUntil !== undefined && (await changePause(tx, subscriber, changes.pausedUntil, via, now));
    const changed = joined.length > 0 || left.length > 0 || zoneChanged || pauseChanged;
    if (!changed) return { kind: 'unchanged' };
    await onCommit?.(tx);
    return { kind: 'changed', joined, left };
  });
}

async function changeNewsletters(
  tx: Tx,
  subscriberId: number,
  choice: PreferenceChanges['newsletters'],
  via: ConsentChannel,
  now: number,
): Promise<{ joined: string[]; left: string[] }> {
  if (choice === undefined) return { joined: [], left: [] };
  const { offered, wanted } = choice;
  const states = await subscriptionStates(tx, subscriberId);
  const unwanted = offered.filter((id) => states.get(id) === 'confirmed' && !wanted.includes(id));
  // In this order, so that a subscriber who changes from one to another has not left in between.
  const joined = await changeSubscriptions(tx, subscriberId, wanted, 'confirmed', via, now);
  const left = await changeSubscriptions(tx, subscriberId, unwanted, 'unsubscribed', via, now);
  return { joined: joined.map((one) => one.newsletter), left: left.map((one) => one.newsletter) };
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
