/** Subscribers who left: every newsletter, or one. */
import { sql } from 'kysely';
import type { Db } from '../../core/store/store.ts';

/**
 * Returns those of some subscribers who have unsubscribed and have no confirmed subscription: no import adds them to
 * another newsletter. They can subscribe again themselves, or the operator lifts the block. Not those who left
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

/** Channels by which people leave by themselves; the others are imports, the operator, bounces and complaints. */
const OWN_CHANNELS = ['unsubscribe-page', 'one-click', 'mailto', 'preferences'] as const;

/**
 * Counts the people who unsubscribed from a newsletter by themselves in `[from, until)`; those whose data was erased
 * since are no longer known.
 * @param until null: until now
 */
export async function countLeft(db: Db, newsletter: string, from: number, until: number | null): Promise<number> {
  const { count } = await db
    .selectFrom('consent_events')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('newsletter', '=', newsletter)
    // A literal, so that the partial index consent_events_left is used.
    .where(sql<boolean>`change = 'unsubscribed'`)
    .where('channel', 'in', OWN_CHANNELS)
    .where('at', '>=', from)
    .$if(until !== null, (q) => q.where('at', '<', until as number))
    .executeTakeFirstOrThrow();
  return Number(count);
}
