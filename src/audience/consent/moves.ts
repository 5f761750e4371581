/**
 * Moves between a newsletter and its weekly, under the same consent. The old subscription names the new one, so that
 * unsubscribe links in its emails end that. `changeSubscriptions` deletes this when either changes later.
 */
import type { Tx } from '../../core/store/store.ts';
import { type ConsentChannel, changeSubscriptions, recordConsent } from './changes.ts';
import type { SubscriptionState } from './states.ts';

/**
 * Moves a confirmed subscription of a locked subscriber to a newsletter without a confirmed one. The choice and the
 * wish for a private feed move along.
 * @param move ids of newsletters
 */
export async function moveSubscription(
  tx: Tx,
  subscriberId: number,
  { from, to }: { from: string; to: string },
  via: ConsentChannel,
  now: number,
): Promise<void> {
  const { choice, feed_since } = await tx
    .selectFrom('subscriptions')
    .select(['choice', 'feed_since'])
    .where('subscriber_id', '=', subscriberId)
    .where('newsletter', '=', from)
    .executeTakeFirstOrThrow();
  const moved = { state: 'confirmed' as const, changed_at: now, choice, moved_to: null };
  await tx
    .insertInto('subscriptions')
    .values({ subscriber_id: subscriberId, newsletter: to, feed_since, ...moved })
    .onConflict((conflict) =>
      conflict.columns(['subscriber_id', 'newsletter']).doUpdateSet((e) => ({
        ...moved,
        feed_since: e.fn.coalesce('subscriptions.feed_since', 'excluded.feed_since'),
      })),
    )
    .execute();
  await tx
    .updateTable('subscriptions')
    .set({ state: 'unsubscribed', changed_at: now, feed_since: null, moved_to: to })
    .where('subscriber_id', '=', subscriberId)
    .where('newsletter', '=', from)
    .execute();
  // Emails from before an earlier move, if the configuration has changed since.
  await tx
    .updateTable('subscriptions')
    .set({ moved_to: to })
    .where('subscriber_id', '=', subscriberId)
    .where('moved_to', '=', from)
    .execute();
  await recordConsent(tx, subscriberId, [{ change: 'moved', newsletter: to, detail: from }], via, now);
}

/**
 * Ends subscriptions of a locked subscriber, and those that they were moved to.
 * @param newsletters ids, or `all`
 * @returns the ended subscriptions with their previous states, by newsletter
 */
export async function endSubscriptions(
  tx: Tx,
  subscriberId: number,
  newsletters: readonly string[] | 'all',
  via: ConsentChannel,
  now: number,
): Promise<{ newsletter: string; before: SubscriptionState | null }[]> {
  if (newsletters === 'all' || newsletters.length === 0) {
    return changeSubscriptions(tx, subscriberId, newsletters, 'unsubscribed', via, now);
  }
  const moved = await tx
    .selectFrom('subscriptions')
    .select('moved_to')
    .where('subscriber_id', '=', subscriberId)
    .where('newsletter', 'in', newsletters)
    .execute();
  const all = [...newsletters, ...moved.flatMap(({ moved_to }) => moved_to ?? [])];
  return changeSubscriptions(tx, subscriberId, all, 'unsubscribed', via, now);
}
