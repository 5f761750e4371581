/** What the subscribers of a newsletter have chosen. */
import { sql } from 'kysely';
import type { Db } from '../core/store/store.ts';

export interface ChoiceCounts {
  /** The most frequent ones first. `choice`: as `choiceText` writes it. */
  choices: { choice: string; count: number }[];
  /** Confirmed subscriptions with any choice, also those that are not among `choices`. */
  total: number;
}

/** Counts the confirmed subscriptions of a newsletter by choice. Reads all that have one: pass `store.reports`. */
export async function countChoices(db: Db, newsletter: string, limit: number): Promise<ChoiceCounts> {
  // A literal state, so that the partial index subscriptions_by_choice is used.
  const { rows } = await sql<{ choice: string; count: number; total: number }>`
    select choice, count(*) as count, cast(sum(count(*)) over () as bigint) as total from subscriptions
    where newsletter = ${newsletter} and choice is not null and state = 'confirmed'
    group by choice order by count(*) desc, choice limit ${limit}`.execute(db);
  return { choices: rows.map(({ choice, count }) => ({ choice, count })), total: rows[0]?.total ?? 0 };
}
