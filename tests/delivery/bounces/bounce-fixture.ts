/**
 * Editions that were submitted to one subscriber, one a day, and incoming mail about them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { mailboxToken, unsubscribeAddressToken, unsubscribeToken } from '../../../src/audience/tokens.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { handleIncomingMail } from '../../../src/delivery/bounces/mail.ts';
import { DAY } from '../../../src/lib/time.ts';
import { SECRETS } from '../../support/sample.ts';
import { setDeliveries, testConfig } from '../fixture.ts';

/** The delivery that a message is about. */
export interface About {
  editionId: number;
  subscriberId: number;
}

export const NEWSLETTER = 'daily-roundup';

/** The token of a delivery's return path. */
export function returnToken(about: About): string {
  return mailboxToken(SECRETS, { purpose: 'bounce', ...about });
}

/** The token of a delivery's mailto: unsubscribe address. */
export function leaveToken({ subscriberId }: About): string {
  return unsubscribeAddressToken(SECRETS, { subscriberId, newsletter: NEWSLETTER });
}

/**
 * A message of tests/delivery/bounces/messages/ with the tokens of a delivery. Each has the form that the server in its
 * name uses.
 */
export function bounceMessage(name: string, about: About): Buffer {
  const text = readFileSync(join(import.meta.dirname, `messages/${name}.eml`), 'utf8');
  return Buffer.from(
    text
      .replaceAll('UPPERLEAVE', leaveToken(about).toUpperCase())
      .replaceAll('LEAVE', leaveToken(about))
      .replaceAll('TOKEN', returnToken(about))
      .replaceAll('LINK', unsubscribeToken(SECRETS, { subscriberId: about.subscriberId, newsletter: NEWSLETTER })),
  );
}

/**
 * Submits editions to `subscriber1@example.com`, the newest at `NOW`.
 * @returns the deliveries, oldest first
 */
export async function submitEditions(store: Store, count: number): Promise<About[]> {
  const submitted: About[] = [];
  for (let n = 1; n <= count; n++) {
    const slot = `edition-${n}`;
    const { editionId, subscriberIds } = await queueEdition(store, 1, { slot, number: n, articleId: slot });
    await setDeliveries(store, { state: 'submitted', changed_at: NOW - (count - n) * DAY }, { edition_id: editionId });
    submitted.push({ editionId, subscriberId: subscriberIds[0] as number });
  }
  return submitted;
}

/** Handles mail that was sent to the return path. */
export function handleMail(store: Store, raw: Buffer, envelopeTo?: string) {
  return handleIncomingMail(store, testConfig(), SECRETS, raw, { envelopeTo }, NOW);
}

/** Everything about a subscriber that a bounce can change. */
export async function subscriberState(store: Store, { subscriberId }: About) {
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
    // Without the events of signing up.
    events: events.map((row) => `${row.change} ${row.channel}`).filter((event) => !event.endsWith(' operator')),
  };
}
