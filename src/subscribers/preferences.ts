/**
 * What a subscriber may choose: newsletters, time zone, a pause. Whoever opens the page came by a token that was mailed to the address,
 * so joining there needs no further confirmation.
 */

import { rfc3339 } from '../lib/time.ts';
import type { Db } from '../store/store.ts';
import type { SuppressionReason } from '../store/tables.ts';
import {
  changeSubscriptions,
  inTransaction,
  lockSubscriber,
  noteConsent,
  type Origin,
  subscriptionStates,
} from './consent/consent-ledger.ts';
import type { SubscriptionState } from './consent/consent-states.ts';
import { changeZone, zoneProblem } from './zone.ts';

export interface Preferences {
  subscriberId: number;
  email: string;
  /** Null stands for the publication's zone. */
  zone: string | null;
  /** Nothing is mailed before this instant, which may have passed. */
  pausedUntil: number | null;
  /** While set, nothing is mailed at all, whatever is chosen here. What lifts it, see `isAskedToConfirm`. */
  suppressedReason: SuppressionReason | null;
  /** All that the subscriber ever had to do with, by newsletter. */
  subscriptions: { newsletter: string; state: SubscriptionState }[];
}

/** A subscriber's preferences, or null where the subscriber is gone. */
export async function readPreferences(db: Db, subscriberId: number): Promise<Preferences | null> {
  const row = await db.selectFrom('subscribers').selectAll().where('id', '=', subscriberId).executeTakeFirst();
  if (row === undefined) return null;
  const states = await subscriptionStates(db, subscriberId);
  return {
    subscriberId,
    email: row.email,
    zone: row.zone,
    pausedUntil: row.paused_until,
    suppressedReason: row.suppressed_reason,
    subscriptions: [...states].map(([newsletter, state]) => ({ newsletter, state })),
  };
}

export interface PreferenceChanges {
  /**
   * Ids of what the reader could choose from, and of those wanted from now on. Confirmed ones that were offered and are not wanted end;
   * what was not offered, such as a newsletter that is not in the configuration for a while, stays as it is. One that still waits for its
   * confirmation is left waiting: the link in its mail decides.
   */
  newsletters?: { offered: readonly string[]; wanted: readonly string[] } | undefined;
  /** IANA zone; null stands for the publication's. */
  zone?: string | null | undefined;
  /** Epoch milliseconds; null, or an instant that has passed, resumes. */
  pausedUntil?: number | null | undefined;
}

export type PreferencesResult =
  | { kind: 'changed'; joined: string[]; left: string[] }
  | { kind: 'unchanged' }
  | { kind: 'refused'; reason: string }
  | { kind: 'unknown' };

/** Changes what is given and leaves the rest. Never lifts a suppression. */
export async function changePreferences(
  db: Db,
  subscriberId: number,
  changes: PreferenceChanges,
  origin: Origin,
  now: number,
): Promise<PreferencesResult> {
  const problem = zoneProblem(changes.zone ?? null);
  if (problem !== null) return { kind: 'refused', reason: problem };
  return inTransaction(db, async (tx) => {
    const subscriber = await lockSubscriber(tx, subscriberId);
    if (subscriber === null) return { kind: 'unknown' };
    const { joined, left } = await changeNewsletters(tx, subscriberId, changes.newsletters, origin, now);
    const moved = changes.zone !== undefined && (await changeZone(tx, subscriber, changes.zone, origin, now));
    const paused =
      changes.pausedUntil !== undefined && (await changePause(tx, subscriber, changes.pausedUntil, origin, now));
    const changed = joined.length > 0 || left.length > 0 || moved || paused;
    return changed ? { kind: 'changed', joined, left } : { kind: 'unchanged' };
  });
}

async function changeNewsletters(
  tx: Db,
  subscriberId: number,
  choice: PreferenceChanges['newsletters'],
  origin: Origin,
  now: number,
): Promise<{ joined: string[]; left: string[] }> {
  if (choice === undefined) return { joined: [], left: [] };
  const { offered, wanted } = choice;
  const states = await subscriptionStates(tx, subscriberId);
  const unwanted = offered.filter((id) => states.get(id) === 'confirmed' && !wanted.includes(id));
  const left = await changeSubscriptions(tx, subscriberId, unwanted, 'unsubscribed', origin, now);
  const joined = await changeSubscriptions(tx, subscriberId, wanted, 'confirmed', origin, now);
  return { joined: joined.map((one) => one.newsletter), left: left.map((one) => one.newsletter) };
}

async function changePause(
  tx: Db,
  subscriber: { id: number; paused_until: number | null },
  until: number | null,
  origin: Origin,
  now: number,
): Promise<boolean> {
  const standing = (instant: number | null): number | null => (instant !== null && instant > now ? instant : null);
  const [before, after] = [standing(subscriber.paused_until), standing(until)];
  if (before === after) return false;
  await tx.updateTable('subscribers').set({ paused_until: after }).where('id', '=', subscriber.id).execute();
  const note =
    after === null ? { change: 'resumed' as const } : { change: 'paused' as const, detail: `until ${rfc3339(after)}` };
  await noteConsent(tx, subscriber.id, [note], origin, now);
  return true;
}
