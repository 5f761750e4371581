/** Retention of subscribers who never confirmed anything, of those who left, and of client addresses. */
import { type RawBuilder, sql } from 'kysely';
import type { AppContext } from '../core/app-context.ts';
import type { SigningSecrets } from '../core/config/signing-secrets.ts';
import type { Db, Store } from '../core/store/store.ts';
import { DAY } from '../lib/time.ts';
import { lockSubscriber } from './consent/changes.ts';
import { resolveSignupAlert } from './consent/signup-limits.ts';
import { deleteOldUploads } from './csv/uploaded-imports.ts';
import { replaceByHash } from './erasure.ts';
import { deleteOldUnsubscribeKeys } from './unsubscribe-keys.ts';

/** `unconfirmed`, `left`: subscribers. `consentIps`: records of consent that lost the client's address. */
export async function runAudienceRetention(
  { store, config, keys }: AppContext,
  now: number,
): Promise<Record<string, number>> {
  const { consentIpsDays, consentDays } = config.retention;
  const secrets = await keys.signingSecrets();
  const oldRequests = now - config.signup.deleteUnconfirmedAfterDays * DAY;
  await resolveSignupAlert(store.db, now);
  await deleteOldUnsubscribeKeys(store.db, now);
  await deleteOldUploads({ config, store }, now);
  // Anyone can request a subscription for a suppressed address, also for one that was erased.
  const suppressed = (db: Db, which: Which) => findUnconfirmed(db, oldRequests, 'suppressed', which, HASHED_BATCH);
  const leavers = (db: Db, which: Which) => findLeavers(db, now - consentDays * DAY, which);
  return {
    unconfirmed:
      (await deleteUnconfirmed(store, oldRequests)) + (await replaceByHashes(store, secrets, suppressed, now)),
    left: await replaceByHashes(store, secrets, leavers, now),
    consentIps: await deleteClientAddresses(store, now - consentIpsDays * DAY),
  };
}

/** Rows per transaction: a few tens of milliseconds of writing. */
const BATCH = 5_000;

/** Subscribers after an id, or those of some ids. */
type Which = { after: number } | { among: number[] };

/**
 * Deletes subscribers without a confirmation, ever, and without a change since an instant, but no suppressed ones.
 * @returns number of deleted subscribers
 */
async function deleteUnconfirmed({ db, reports, dialect }: Store, since: number): Promise<number> {
  let deleted = 0;
  for (let last = 0; ; ) {
    const ids = await findUnconfirmed(reports, since, 'mailable', { after: last }, BATCH);
    if (ids.length === 0) return deleted;
    last = ids.at(-1) as number;
    deleted += await db.transaction().execute(async (tx) => {
      // A concurrent confirmation holds the lock first; the second query then no longer finds that subscriber.
      const lock = tx.selectFrom('subscribers').select('id').where('id', 'in', ids).orderBy('id');
      if (dialect === 'postgres') await lock.forUpdate().execute();
      const unconfirmed = await findUnconfirmed(tx, since, 'mailable', { among: ids }, BATCH);
      if (unconfirmed.length === 0) return 0;
      await tx.deleteFrom('bounces').where('subscriber_id', 'in', unconfirmed).execute();
      await tx.deleteFrom('service_messages').where('subscriber_id', 'in', unconfirmed).execute();
      // Cascades to subscriptions and consent_events.
      await tx.deleteFrom('subscribers').where('id', 'in', unconfirmed).execute();
      return unconfirmed.length;
    });
  }
}

/** @param whose `suppressed`: only those with a request; a list of suppressed addresses can be imported without one */
async function findUnconfirmed(
  db: Db,
  since: number,
  whose: 'mailable' | 'suppressed',
  which: Which,
  limit: number,
): Promise<number[]> {
  const isKept = sql`state <> 'unconfirmed' or changed_at >= ${since} or feed_since is not null`;
  const rows = await db
    .selectFrom('subscribers')
    .select('id')
    .where('created_at', '<', since)
    .where('suppressed_reason', whose === 'mailable' ? 'is' : 'is not', null)
    .where((e) => e.not(hasSubscription(isKept)))
    .$if(whose === 'suppressed', (q) => q.where(hasSubscription(sql`true`)))
    .where((e) => e.not(hasConfirmed))
    .where((e) => ('after' in which ? e('id', '>', which.after) : e('id', 'in', which.among)))
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Subscribers per transaction: each takes a few milliseconds, because its deliveries are looked up by edition. */
const HASHED_BATCH = 20;

/**
 * Deletes subscribers with the proof of their consent. The hash of the address remains on the suppression list, so that
 * no import adds it again.
 * @param find the ids that are due, in ascending order
 * @returns number of deleted subscribers
 */
async function replaceByHashes(
  { db, reports }: Store,
  secrets: SigningSecrets,
  find: (db: Db, which: Which) => Promise<number[]>,
  now: number,
): Promise<number> {
  let deleted = 0;
  for (let last = 0; ; ) {
    const ids = await find(reports, { after: last });
    if (ids.length === 0) return deleted;
    last = ids.at(-1) as number;
    deleted += await db.transaction().execute(async (tx) => {
      let count = 0;
      for (const id of ids) {
        const subscriber = await lockSubscriber(tx, id);
        // Not if the subscriber has come back since the first query.
        if (subscriber === null || (await find(tx, { among: [id] })).length === 0) continue;
        // The reason of an erasure replaces none.
        await replaceByHash(tx, secrets, subscriber, () => true, now);
        count += 1;
      }
      return count;
    });
  }
}

/**
 * Subscribers all of whose subscriptions and private feeds ended before an instant, also if somebody has requested a
 * subscription since that was never confirmed.
 */
async function findLeavers(db: Db, since: number, which: Which): Promise<number[]> {
  const rows = await db
    .selectFrom('subscribers')
    .select('id')
    .where(hasSubscription(sql`true`))
    .where((e) => e.or([hasSubscription(sql`state = 'unsubscribed'`), hasConfirmed]))
    .where((e) => e.not(hasSubscription(sql`state = 'confirmed' or changed_at >= ${since} or feed_since is not null`)))
    .where(sql<boolean>`not exists (select 1 from consent_events
      where consent_events.subscriber_id = subscribers.id and change = 'feed-ended' and at >= ${since})`)
    .where((e) => ('after' in which ? e('id', '>', which.after) : e('id', 'in', which.among)))
    .orderBy('id')
    .limit(HASHED_BATCH)
    .execute();
  return rows.map((row) => row.id);
}

/** Whether a subscriber has a subscription of some kind. */
function hasSubscription(condition: RawBuilder<unknown>) {
  return sql<boolean>`exists (
    select 1 from subscriptions where subscriptions.subscriber_id = subscribers.id and (${condition}))`;
}

/** Whether a subscriber has ever confirmed a subscription. */
const hasConfirmed = sql<boolean>`exists (
  select 1 from consent_events where consent_events.subscriber_id = subscribers.id and change = 'confirmed')`;

/** The events whose source is a client's address. In these words, so that their partial index is used. */
const hasClientAddress = sql<boolean>`source is not null
  and channel in ('form', 'confirmation', 'preferences', 'unsubscribe-page', 'one-click')`;

/** Deletes the addresses of clients from events before an instant; the events remain. @returns number of events */
async function deleteClientAddresses({ db }: Store, since: number): Promise<number> {
  let changed = 0;
  for (;;) {
    const { numUpdatedRows } = await db
      .updateTable('consent_events')
      .set({ source: null })
      .where('id', 'in', (e) =>
        e.selectFrom('consent_events').select('id').where('at', '<', since).where(hasClientAddress).limit(BATCH),
      )
      .executeTakeFirstOrThrow();
    if (numUpdatedRows === 0n) return changed;
    changed += Number(numUpdatedRows);
  }
}
