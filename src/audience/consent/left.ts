/**
 * Subscribers who left every newsletter. No import adds them to another one: they can subscribe again themselves, or
 * the operator lifts the block.
 */
import type { Db } from '../../core/store/store.ts';

/**
 * Returns those of some subscribers who have unsubscribed and have no confirmed subscription. Not those who left
 * according to an imported file only: a file for each newsletter says nothing about the others.
 */
export async function findLeft(db: Db, subscriberIds: readonly number[]): Promise<Set<number>> {
  if (subscriberIds.length === 0) return new Set();
  const rows = await db
    .selectFrom('subscribers')
    .select('subscribers.id')
    .where('subscribers.id', 'in', subscriberIds)
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('subscriptions')
            .select('subscriptions.subscriber_id')
            .whereRef('subscriptions.subscriber_id', '=', 'subscribers.id')
            .where('subscriptions.state', '=', 'confirmed'),
        ),
      ),
    )
    .where((e) =>
      e.exists(
        e
          .selectFrom('consent_events')
          .select('consent_events.id')
          .whereRef('consent_events.subscriber_id', '=', 'subscribers.id')
          .where('consent_events.change', '=', 'unsubscribed')
          .where('consent_events.channel', '<>', 'import')
          .where((f) =>
            f.not(
              f.exists(
                f
                  .selectFrom('consent_events as later')
                  .select('later.id')
                  .whereRef('later.subscriber_id', '=', 'subscribers.id')
                  .whereRef('later.id', '>', 'consent_events.id')
                  .where('later.change', '=', 'unsuppressed')
                  .where('later.channel', '=', 'operator'),
              ),
            ),
          ),
      ),
    )
    .execute();
  return new Set(rows.map(({ id }) => id));
}
