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
  const { rows } = await sql<{ id: number }>`
    select id from subscribers where id in (${sql.join(subscriberIds)})
      and not exists (
        select 1 from subscriptions where subscriptions.subscriber_id = subscribers.id and state = 'confirmed'
      )
      and exists (
        select 1 from consent_events as ended
        where ended.subscriber_id = subscribers.id
          and ended.change = 'unsubscribed' and ended.channel <> 'import'
          and not exists (
            select 1 from consent_events as later where later.subscriber_id = subscribers.id
              and later.id > ended.id and later.change = 'unsuppressed' and later.channel = 'operator'
          )
      )`.execute(db);
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
