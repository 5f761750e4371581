/**
 * All that is stored about a person, for that person (GDPR articles 15 and 20).
 */

import { rfc3339 } from '../lib/time.ts';
import type { Db } from '../store/store.ts';
import { inTransaction, lockSubscriber, noteConsent, type Origin } from './consent/consent-ledger.ts';
import { subscriberHistory } from './history.ts';

const instantOf = (instant: number | null): string | null => (instant === null ? null : rfc3339(instant));

/**
 * What is stored about a subscriber, ready to be written as JSON; instants in RFC 3339. Beside it the store holds only keyed hashes of
 * the address: in the limit on mails to it, for a day, and on the suppression list, which is shown as `suppressed`.
 * @returns null where the subscriber is gone
 */
export async function exportSubscriberData(db: Db, subscriberId: number): Promise<Record<string, unknown> | null> {
  const subscriber = await db.selectFrom('subscribers').selectAll().where('id', '=', subscriberId).executeTakeFirst();
  if (subscriber === undefined) return null;
  const subscriptions = await db
    .selectFrom('subscriptions')
    .select(['newsletter', 'state', 'changed_at'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('newsletter')
    .execute();
  const { consent, deliveries, serviceMessages, bounces } = await subscriberHistory(db, subscriberId);
  return {
    address: subscriber.email,
    zone: subscriber.zone,
    knownSince: instantOf(subscriber.created_at),
    pausedUntil: instantOf(subscriber.paused_until),
    suppressed:
      subscriber.suppressed_reason === null
        ? null
        : { reason: subscriber.suppressed_reason, since: instantOf(subscriber.suppressed_at) },
    subscriptions: subscriptions.map(({ changed_at, ...one }) => ({ ...one, since: instantOf(changed_at) })),
    consent: consent.map((one) => ({ ...one, at: instantOf(one.at) })),
    deliveries: deliveries.map(({ changedAt, ...one }) => ({ ...one, at: instantOf(changedAt) })),
    serviceMessages: serviceMessages.map(({ createdAt, expiresAt, changedAt, ...one }) => ({
      ...one,
      requestedAt: instantOf(createdAt),
      expiresAt: instantOf(expiresAt),
      at: instantOf(changedAt),
    })),
    bounces: bounces.map((one) => ({ ...one, at: instantOf(one.at) })),
  };
}

/** Notes that somebody was given what is stored about a subscriber. */
export async function noteExport(db: Db, subscriberId: number, origin: Origin, now: number): Promise<void> {
  await inTransaction(db, async (tx) => {
    if ((await lockSubscriber(tx, subscriberId)) === null) return;
    await noteConsent(tx, subscriberId, [{ change: 'exported' }], origin, now);
  });
}
