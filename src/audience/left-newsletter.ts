/**
 * How many people left a newsletter.
 */
import { sql } from 'kysely';
import type { Db } from '../core/store/store.ts';

/** Channels by which people leave by themselves; the others are imports, the operator, bounces and complaints. */
const OWN_CHANNELS = ['unsubscribe-page', 'one-click', 'mailto', 'preferences'] as const;

/**
 * Counts the people who unsubscribed from a newsletter by themselves in `[from, until)`; those whose data was erased
 * since are not known any more.
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
