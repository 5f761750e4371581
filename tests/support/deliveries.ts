/**
 * Deliveries in any state, counted as those that an edition queues.
 */
import type { Insertable } from 'kysely';
import { countQueued } from '../../src/core/store/counts.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { Tables } from '../../src/core/store/tables.ts';

type DeliveryRow = Insertable<Tables['deliveries']>;

/** @param rows of different subscribers; default: pending, without an attempt */
export async function storeDeliveries(
  store: Store,
  editionId: number,
  rows: (Pick<DeliveryRow, 'subscriber_id' | 'due_at' | 'changed_at'> & Partial<DeliveryRow>)[],
): Promise<void> {
  const defaults = { edition_id: editionId, attempts: 0, fence: 0 };
  await store.db.transaction().execute(async (tx) => {
    const queued = rows.map((row) => ({ ...defaults, ...row, state: 'pending' as const }));
    await tx.insertInto('deliveries').values(queued).execute();
    await countQueued(tx, editionId, rows.length);
    for (const [state = 'pending', some] of Map.groupBy(rows, (row) => row.state)) {
      const ids = some.map((row) => row.subscriber_id);
      await tx
        .updateTable('deliveries')
        .set({ state })
        .where('edition_id', '=', editionId)
        .where('subscriber_id', 'in', ids)
        .execute();
    }
  });
}
