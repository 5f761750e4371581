/**
 * A reader to whom editions were submitted, one a day.
 */
import { handleIncomingMail } from '../../../src/delivery/bounces/mail.ts';
import { DAY } from '../../../src/lib/time.ts';
import type { Store } from '../../../src/store/store.ts';
import { NOW, queueEdition, SECRETS, testConfig } from '../fixture.ts';
import type { About } from './bounce-messages.ts';

/**
 * Submits so many editions to `reader1@example.com`, the newest at `NOW`.
 * @returns the deliveries, oldest first
 */
export async function submitEditions(store: Store, count: number): Promise<About[]> {
  const sent: About[] = [];
  for (let n = 1; n <= count; n++) {
    const slot = `edition-${n}`;
    const { editionId, subscriberIds } = await queueEdition(store, 1, { slot, number: n, articleId: slot });
    await store.db
      .updateTable('deliveries')
      .set({ state: 'submitted', changed_at: NOW - (count - n) * DAY })
      .where('edition_id', '=', editionId)
      .execute();
    sent.push({ editionId, subscriberId: subscriberIds[0] as number });
  }
  return sent;
}

/** Takes in what came to the return path. */
export function take(store: Store, raw: Buffer, envelopeTo?: string) {
  return handleIncomingMail(store, testConfig(), SECRETS, raw, { envelopeTo }, NOW);
}

/** Everything that a bounce may change of a reader. */
export async function standingOf(store: Store, { subscriberId }: About) {
  const subscriber = await store.db
    .selectFrom('subscribers')
    .select('suppressed_reason')
    .where('id', '=', subscriberId)
    .executeTakeFirstOrThrow();
  const bounces = await store.db
    .selectFrom('bounces')
    .select(['edition_id', 'service_message_id', 'kind', 'status'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('id')
    .execute();
  const subscription = await store.db
    .selectFrom('subscriptions')
    .select('state')
    .where('subscriber_id', '=', subscriberId)
    .executeTakeFirstOrThrow();
  const events = await store.db
    .selectFrom('consent_events')
    .select(['change', 'channel'])
    .where('subscriber_id', '=', subscriberId)
    .orderBy('id')
    .execute();
  const listed = await store.db.selectFrom('suppressions').select('reason').execute();
  return {
    suppressed: subscriber.suppressed_reason,
    listed: listed.map((row) => row.reason),
    bounces: bounces.map((row) => `${row.kind} ${row.status ?? '-'}`),
    subscription: subscription.state,
    // Its own sign-up is not of interest here.
    events: events.map((row) => `${row.change} ${row.channel}`).filter((event) => !event.endsWith(' operator')),
  };
}
