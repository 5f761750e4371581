/**
 * Writes changes of consent: the state that counts and the event that proves it, always in one transaction, one subscriber at a time.
 */
import { type Selectable, sql } from 'kysely';
import { type Db, isSerializationFailure, type Tx } from '../../store/store.ts';
import type { Tables } from '../../store/tables.ts';
import { nextState, type SubscriptionChange, type SubscriptionState } from './consent-states.ts';

/** By what door a change came, and from where. */
export interface Origin {
  channel: Tables['consent_events']['channel'];
  /** The client's address, or the file and line of an import: `list.csv:7`. */
  source?: string | null;
}

export type SubscriberRow = Selectable<Tables['subscribers']>;

/** What is noted of one change. */
export interface ConsentNote {
  change: Tables['consent_events']['change'];
  /** Left out where the change is of the subscriber. */
  newsletter?: string;
  detail?: string | null;
}

// A deadlock needs two writers who meet head on; meeting again each time is next to impossible.
const TRIES = 3;

/** Runs `body` in a transaction, in the one that is open where `db` is one; does it again where another one was in its way. */
export async function inTransaction<T>(db: Db, body: (tx: Tx) => Promise<T>): Promise<T> {
  if (db.isTransaction) return body(db as Tx);
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(body);
    } catch (error) {
      if (attempt === TRIES || !isSerializationFailure(error)) throw error;
    }
  }
}

/**
 * Reads a subscriber, whom nobody else changes until the transaction ends: every change of consent begins with it, so that the
 * events of one subscriber have the order in which they happened.
 */
export async function lockSubscriber(tx: Db, subscriberId: number): Promise<SubscriberRow | null> {
  const row = await lockSubscribers(tx).where('id', '=', subscriberId).executeTakeFirst();
  return row ?? null;
}

/** Reads and locks the subscriber of an address, by the key that `parseAddress` gives. */
export async function lockAddress(tx: Db, emailKey: string): Promise<SubscriberRow | null> {
  const row = await lockSubscribers(tx).where('email_key', '=', emailKey).executeTakeFirst();
  return row ?? null;
}

/**
 * Locks an address, a subscriber's or not: a stranger gets a row, which keeps out whoever adds, erases or suppresses the address
 * meanwhile. The caller keeps it, or deletes it before the transaction ends.
 */
export async function holdAddress(
  tx: Db,
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
    // None any more where it was erased between the two statements.
    const subscriber = await lockAddress(tx, address.key);
    if (subscriber !== null) return { subscriber, isNew: false };
  }
}

/** Writing a value over itself locks a row on both databases. */
function lockSubscribers(tx: Db) {
  return tx.updateTable('subscribers').set({ created_at: sql<number>`created_at` }).returningAll();
}

/** Notes changes of one subscriber in the order given. */
export async function noteConsent(
  tx: Db,
  subscriberId: number,
  notes: readonly ConsentNote[],
  { channel, source = null }: Origin,
  now: number,
): Promise<void> {
  if (notes.length === 0) return;
  await tx
    .insertInto('consent_events')
    .values(
      notes.map(({ change, newsletter = null, detail = null }) => ({
        subscriber_id: subscriberId,
        newsletter,
        change,
        channel,
        source,
        detail,
        at: now,
      })),
    )
    .execute();
}

/**
 * Applies one change to some of a locked subscriber's subscriptions, and notes it for those it changes.
 * @param newsletters their ids; `all` stands for all that the subscriber has
 * @returns those it changed, with the state before, by newsletter
 */
export async function changeSubscriptions(
  tx: Db,
  subscriberId: number,
  newsletters: readonly string[] | 'all',
  change: SubscriptionChange,
  origin: Origin,
  now: number,
): Promise<{ newsletter: string; before: SubscriptionState | null }[]> {
  const states = await subscriptionStates(tx, subscriberId);
  const changed = [...new Set(newsletters === 'all' ? states.keys() : newsletters)].sort().flatMap((newsletter) => {
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
  const notes = changed.map(({ newsletter }) => ({ change, newsletter }));
  await noteConsent(tx, subscriberId, notes, origin, now);
  return changed.map(({ newsletter, before }) => ({ newsletter, before }));
}

/** The states of a subscriber's subscriptions by newsletter. */
export async function subscriptionStates(db: Db, subscriberId: number): Promise<Map<string, SubscriptionState>> {
  const rows = await db
    .selectFrom('subscriptions')
    .select(['newsletter', 'state'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('newsletter')
    .execute();
  return new Map(rows.map((row) => [row.newsletter, row.state]));
}
