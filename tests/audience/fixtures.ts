/** Fixtures for tests of consent. */
import type { ConsentChannel } from '../../src/audience/consent/changes.ts';
import { requestSubscription } from '../../src/audience/consent/opt-in.ts';
import { addSubscriber, endSubscriptions, findSubscriberByAddress } from '../../src/audience/subscriptions.ts';
import type { SubscriptionKey } from '../../src/audience/tokens.ts';
import type { Db, InTransaction, Store } from '../../src/core/store/store.ts';
import { HOUR } from '../../src/lib/time.ts';
import { SECRETS } from '../support/sample.ts';

export const NOW = Date.UTC(2026, 10, 24, 7, 30);
export const OPTIONS = { confirmMs: 72 * HOUR, perAddressPerDay: 3, perDomainPerHour: 30, perHour: 500 };
export const FORM: ConsentChannel = { channel: 'form', source: '192.0.2.7' };
export const MAIL: ConsentChannel = { channel: 'confirmation', source: '192.0.2.8' };
export const OPERATOR: ConsentChannel = { channel: 'operator' };
export const ADA = 'ada@example.com';

/** Adds an address on behalf of the operator. @returns the subscriber's id */
export async function addConfirmed(
  { db }: Pick<Store, 'db'>,
  email = ADA,
  newsletters: string[] = ['daily'],
  now = NOW,
): Promise<number> {
  const added = await addSubscriber(db, SECRETS, { email, newsletters }, OPERATOR, now);
  if (added.kind === 'refused') throw new Error(added.reason);
  return added.subscriberId;
}

/** Requests newsletters through the form. @returns the key of the confirmation link */
export async function requestNewsletters(
  { db }: Pick<Store, 'db'>,
  newsletters: string[] = ['daily'],
  {
    email = ADA,
    zone,
    origin,
    now = NOW,
    choices = {},
  }: { email?: string; zone?: string; origin?: string; now?: number; choices?: Record<string, string> } = {},
): Promise<{ messageId: number; subscriberId: number }> {
  const result = await requestSubscription(
    db,
    SECRETS,
    { email, newsletters, zone, choices },
    { ...FORM, origin },
    OPTIONS,
    now,
  );
  if (result.kind === 'refused') throw new Error(result.reason);
  const message = await db
    .selectFrom('service_messages')
    .select(['id', 'subscriber_id'])
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow();
  return { messageId: message.id, subscriberId: message.subscriber_id };
}

/** The states of a subscriber's subscriptions by newsletter. */
export async function subscriptionStates(
  { db }: Pick<Store, 'db'>,
  subscriberId: number,
): Promise<Record<string, string>> {
  const rows = await db
    .selectFrom('subscriptions')
    .select(['newsletter', 'state'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('newsletter')
    .execute();
  return Object.fromEntries(rows.map((row) => [row.newsletter, row.state]));
}

/** All events, oldest first, as `confirmed daily by form from 192.0.2.7 (detail) at 5`, in milliseconds after NOW. */
export async function consentEvents({ db }: Pick<Store, 'db'>): Promise<string[]> {
  const rows = await db.selectFrom('consent_events').selectAll().orderBy('id').execute();
  return rows.map(({ change, newsletter, channel, source, detail, at }) =>
    [
      change,
      newsletter,
      `by ${channel}`,
      source === null ? null : `from ${source}`,
      detail === null ? null : `(${detail})`,
      at === NOW ? null : `at ${at - NOW}`,
    ]
      .filter((part) => part !== null)
      .join(' '),
  );
}

/** All service messages, oldest first. */
export async function serviceMessages({ db }: Pick<Store, 'db'>) {
  const rows = await db.selectFrom('service_messages').selectAll().orderBy('id').execute();
  return rows.map((row) => ({ kind: row.kind, newsletters: JSON.parse(row.newsletters), state: row.state }));
}

export const CHOICE = '{"sections":["health"]}';

/** Makes the edition one of three stories, and gives subscribers a copy of two. @returns the copy's id */
export async function addCopy({ db }: Pick<Store, 'db'>, subscriberIds: number[]): Promise<number> {
  const stories = ['first', 'second', 'third'].map((articleId) => ({ articleId, sections: [], tags: [] }));
  const edition = await db
    .updateTable('editions')
    .set({ segments: JSON.stringify({ stories, html: ['%%'] }) })
    .returning('id')
    .executeTakeFirstOrThrow();
  const copy = await db
    .insertInto('edition_copies')
    .values({ edition_id: edition.id, choice: CHOICE, stories: '[0,2]', subject: 'Two', suppressed: null })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db.updateTable('deliveries').set({ copy_id: copy.id }).where('subscriber_id', 'in', subscriberIds).execute();
  return copy.id;
}

/** Ends subscriptions of an address, as `daywire subscribers remove` does. @param newsletter default: all */
export async function removeSubscriber(db: Db, email: string, via: ConsentChannel, now: number, newsletter?: string) {
  const id = (await findSubscriberByAddress(db, email))?.id ?? 0;
  return endSubscriptions(db, id, newsletter === undefined ? 'all' : [newsletter], via, now);
}

/** Ends the subscription of an unsubscribe link, as its page does. */
export async function unsubscribe(
  db: Db,
  { subscriberId, newsletter }: SubscriptionKey,
  via: ConsentChannel,
  now: number,
  onCommit?: InTransaction,
) {
  const { kind } = await endSubscriptions(db, subscriberId, [newsletter], via, now, onCommit);
  return kind === 'removed' ? 'unsubscribed' : kind;
}
