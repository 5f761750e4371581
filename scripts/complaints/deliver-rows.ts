/**
 * An edition of which many deliveries have ended: rows are inserted by the database itself, so that a hundred thousand
 * take no longer than a query. Nothing is submitted.
 */
import { sql } from 'kysely';
import type { Store } from '../../src/core/store/store.ts';
import type { DeliveryState } from '../../src/core/store/tables.ts';
import type { Edition } from '../../src/editions/queries.ts';
import { NOW, queueEdition } from '../test-edition.ts';

export interface DeliveryRows {
  domain: string;
  state: DeliveryState;
  count: number;
  /** The server's last reply. */
  reply?: string;
}

/**
 * Stores an edition, and confirmed subscribers with its deliveries: `1@gmail.com` and so on, counted over all rows.
 * @returns the edition's id; the subscribers' ids are 1 and so on, if the store had none before
 */
export async function storeDeliveries(
  store: Store,
  rows: readonly DeliveryRows[],
  changes: Partial<Edition> = {},
): Promise<number> {
  const { editionId } = await queueEdition(store, [], changes);
  const { db } = store;
  const newsletter = changes.newsletter ?? 'daily-roundup';
  let last = 0;
  for (const { domain, state, count, reply = null } of rows) {
    const numbers = sql`numbers (n) as (
      select cast(${last + 1} as bigint) union all select n + 1 from numbers where n < ${last + count}
    )`;
    const email = sql`cast(n as text) || ${`@${domain}`}`;
    await sql`with recursive ${numbers} insert into subscribers (email, email_key, created_at)
      select ${email}, ${email}, cast(${NOW} as bigint) from numbers where true order by n
      on conflict (email_key) do nothing`.execute(db);
    const added = sql`from subscribers where email_key in (select ${email} from numbers)`;
    await sql`with recursive ${numbers} insert into subscriptions (subscriber_id, newsletter, state, changed_at)
      select id, ${newsletter}, 'confirmed', cast(${NOW} as bigint) ${added}
      on conflict (subscriber_id, newsletter) do nothing`.execute(db);
    await sql`with recursive ${numbers}
      insert into deliveries (edition_id, subscriber_id, state, attempts, due_at, fence, changed_at, reply)
      select cast(${editionId} as bigint), id, ${state}, 0, cast(${NOW} as bigint), 0, cast(${NOW} as bigint),
        cast(${reply} as text) ${added}`.execute(db);
    await sql`insert into delivery_counts (edition_id, state, slot, count, entered)
      values (${editionId}, ${state}, 0, ${count}, ${count})
      on conflict (edition_id, state, slot) do update
      set count = delivery_counts.count + excluded.count, entered = delivery_counts.entered + excluded.entered`.execute(
      db,
    );
    last += count;
  }
  return editionId;
}
