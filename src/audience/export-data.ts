/** The export of all data about a subscriber (GDPR articles 15 and 20). */
import { type Db, type InTransaction, inTransaction } from '../core/store/store.ts';
import { rfc3339 } from '../lib/time.ts';
import { type ConsentChannel, lockSubscriber, recordConsent } from './consent/changes.ts';
import { subscriberHistory } from './history.ts';
import { withSubscriptions } from './subscriptions.ts';

const parsed = (json: string | null): unknown => (json === null ? null : JSON.parse(json));
const instantOf = (instant: number | null): string | null => (instant === null ? null : rfc3339(instant));

/**
 * Returns all data about a subscriber as plain JSON, with instants in RFC 3339: the tables that docs/law.md lists. Not
 * included are the version of links, and keyed hashes of the address: in the rate limits of messages, and on the
 * suppression list, which is shown as `suppressed`.
 * @returns null if there is no such subscriber
 */
export async function exportSubscriberData(db: Db, subscriberId: number): Promise<Record<string, unknown> | null> {
  const subscriber = await db.selectFrom('subscribers').selectAll().where('id', '=', subscriberId).executeTakeFirst();
  if (subscriber === undefined) return null;
  const [{ subscriptions } = { subscriptions: [] }] = await withSubscriptions(db, [subscriber]);
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
    subscriptions: subscriptions.map(({ changedAt, feedSince, choice, ...one }) => ({
      ...{ ...one, since: instantOf(changedAt) },
      ...{ choice: parsed(choice), privateFeedSince: instantOf(feedSince) },
    })),
    consent: consent.map(({ consentVersion, consentText, ...one }) => ({
      ...one,
      at: instantOf(one.at),
      wording: consentVersion === null ? null : { version: consentVersion, text: consentText },
    })),
    deliveries: deliveries.map(({ changedAt, deliveredAt, copy, ...one }) => ({
      ...one,
      copy: copy && { ...copy, choice: parsed(copy.choice) },
      at: instantOf(changedAt),
      deliveredAt: instantOf(deliveredAt),
    })),
    serviceMessages: serviceMessages.map(({ createdAt, expiresAt, usedAt, changedAt, ...one }) => ({
      ...one,
      choices: parsed(one.choices),
      requestedAt: instantOf(createdAt),
      expiresAt: instantOf(expiresAt),
      usedAt: instantOf(usedAt),
      at: instantOf(changedAt),
    })),
    bounces: bounces.map((one) => ({ ...one, at: instantOf(one.at) })),
  };
}

/**
 * Records that a subscriber's data has been exported.
 * @param onCommit awaited in the transaction, last, unless there is no such subscriber
 */
export async function recordExport(
  db: Db,
  subscriberId: number,
  via: ConsentChannel,
  now: number,
  onCommit?: InTransaction,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    if ((await lockSubscriber(tx, subscriberId)) === null) return;
    await recordConsent(tx, subscriberId, [{ change: 'exported' }], via, now);
    await onCommit?.(tx);
  });
}
