/**
 * The preferences of a subscriber: newsletters and what to get of them, time zone, a pause. The token in the page's URL
 * was mailed to the address, so that new subscriptions need no further confirmation.
 */
import { type Db, type InTransaction, inTransaction, type Tx } from '../core/store/store.ts';
import type { SuppressionReason } from '../core/store/tables/subscriber-tables.ts';
import { rfc3339 } from '../lib/time.ts';
import {
  type ConsentChannel,
  changeSubscriptions,
  lockSubscriber,
  recordConsent,
  setChoice,
} from './consent/changes.ts';
import { moveSubscription } from './consent/moves.ts';
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
  subscriptions: OwnSubscription[];
}

interface OwnSubscription {
  newsletter: string;
  state: SubscriptionState;
  /** As stored: see articles/choice.ts. */
  choice: string | null;
}

/** Reads a subscriber's preferences, or null if there is no such subscriber. */
export async function readPreferences(db: Db, subscriberId: number): Promise<Preferences | null> {
  const row = await db.selectFrom('subscribers').selectAll().where('id', '=', subscriberId).executeTakeFirst();
  if (row === undefined) return null;
  return {
    subscriberId,
    email: row.email,
    zone: row.zone,
    pausedUntil: row.paused_until,
    tokenVersion: row.token_version,
    suppressedReason: row.suppressed_reason,
    subscriptions: await readSubscriptions(db, subscriberId),
  };
}

function readSubscriptions(db: Db, subscriberId: number): Promise<OwnSubscription[]> {
  return db
    .selectFrom('subscriptions')
    .select(['newsletter', 'state', 'choice'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('newsletter')
    .execute();
}

export interface PreferenceChanges {
  /**
   * Ids of the offered newsletters, and of the wanted ones among them. Confirmed subscriptions that were offered and
   * are not wanted end. Newsletters that were not offered do not change, such as one that is temporarily not in the
   * configuration. Unconfirmed subscriptions do not change: the link in their message decides.
   */
  newsletters?: WantedNewsletters | undefined;
  /** Canonical choices by newsletter. They apply where there is a subscription, also one that ended. */
  choices?: Readonly<Record<string, string | null>> | undefined;
  /** IANA zone; null for the publication's. */
  zone?: string | null | undefined;
  /** Epoch milliseconds; null or an instant in the past ends a pause. */
  pausedUntil?: number | null | undefined;
}

interface WantedNewsletters {
  offered: readonly string[];
  wanted: readonly string[];
  /** Newsletters and their weeklies. Leaving one and joining the other is a move, under the same consent. */
  weeklies?: readonly (readonly [daily: string, weekly: string])[];
}

export type PreferencesResult =
  /** A move is in both lists. */
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
    const { joined, left, chosen } = await changeNewsletters(tx, subscriberId, changes, via, now);
    const zoneChanged = changes.zone !== undefined && (await changeZone(tx, subscriber, changes.zone, via, now));
    const pauseChanged =
      changes.pausedUntil !== undefined && (await changePause(tx, subscriber, changes.pausedUntil, via, now));
    const changed = joined.length > 0 || left.length > 0 || chosen || zoneChanged || pauseChanged;
    if (!changed) return { kind: 'unchanged' };
    await onCommit?.(tx);
    return { kind: 'changed', joined, left };
  });
}

async function changeNewsletters(
  tx: Tx,
  subscriberId: number,
  { newsletters = { offered: [], wanted: [] }, choices = {} }: PreferenceChanges,
  via: ConsentChannel,
  now: number,
): Promise<{ joined: string[]; left: string[]; chosen: boolean }> {
  const { offered, wanted } = newsletters;
  const before = new Map((await readSubscriptions(tx, subscriberId)).map((one) => [one.newsletter, one]));
  const isConfirmed = (id: string): boolean => before.get(id)?.state === 'confirmed';
  const unwanted = offered.filter((id) => isConfirmed(id) && !wanted.includes(id));
  const moves = movesOf(newsletters, unwanted, isConfirmed);
  let chosen = false;
  const choose = async (isChosen: (newsletter: string) => boolean): Promise<void> => {
    for (const [newsletter, choice] of Object.entries(choices).filter(([id]) => isChosen(id))) {
      chosen = (await setChoice(tx, subscriberId, newsletter, choice, via, now)) || chosen;
    }
  };
  // First, so that it moves along.
  await choose((id) => moves.some(({ from }) => from === id));
  for (const move of moves) await moveSubscription(tx, subscriberId, move, via, now);
  // In this order, so that a subscriber who changes from one to another has not left in between.
  const joined = await changeSubscriptions(tx, subscriberId, wanted, 'confirmed', via, now);
  const ended = unwanted.filter((id) => !moves.some(({ from }) => from === id));
  const left = await changeSubscriptions(tx, subscriberId, ended, 'unsubscribed', via, now);
  // The form shows the earlier choice of what is moved to: only a changed one replaces that which moved along.
  const isUntouched = (id: string): boolean => choices[id] === (before.get(id)?.choice ?? null);
  await choose((id) => !moves.some(({ from, to }) => from === id || (to === id && isUntouched(id))));
  return {
    joined: [...moves.map(({ to }) => to), ...joined.map((one) => one.newsletter)],
    left: [...moves.map(({ from }) => from), ...left.map((one) => one.newsletter)],
    chosen,
  };
}

function movesOf(
  { wanted, weeklies = [] }: WantedNewsletters,
  unwanted: readonly string[],
  isConfirmed: (newsletter: string) => boolean,
): { from: string; to: string }[] {
  return weeklies
    .flatMap(([daily, weekly]) => [
      { from: daily, to: weekly },
      { from: weekly, to: daily },
    ])
    .filter(({ from, to }) => unwanted.includes(from) && wanted.includes(to) && !isConfirmed(to));
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
