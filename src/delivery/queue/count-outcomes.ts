/** Counts deliveries as operators see them: those of copies with too few stories are no fault. */
import { sql } from 'kysely';
import type { Db } from '../../core/store/store.ts';
import { TOO_FEW } from '../../editions/copies/copy.ts';
import { countAllDeliveries, type DeliveryStateCounts, NO_DELIVERIES } from './queries.ts';

/** As `countAllDeliveries`, with deliveries of copies that have too few stories apart from `suppressed`. */
export async function countOutcomes(db: Db, editionIds: number[]): Promise<Map<number, DeliveryStateCounts>> {
  const counts = await countAllDeliveries(db, editionIds);
  if (editionIds.length === 0) return counts;
  // A literal state, so that the partial index deliveries_suppressed_copies is used.
  const { rows } = await sql<{ id: number; few: number }>`
    select suppressed.edition_id as id, cast(sum(suppressed.count) as bigint) as few from (
      select edition_id, copy_id, count(*) as count from deliveries
      where edition_id in (${sql.join(editionIds)}) and state = 'suppressed' and copy_id is not null
      group by edition_id, copy_id
    ) as suppressed
    join edition_copies on edition_copies.id = suppressed.copy_id and edition_copies.suppressed is not null
    group by suppressed.edition_id`.execute(db);
  for (const { id, few } of rows) {
    const all = counts.get(id) ?? NO_DELIVERIES;
    counts.set(id, { ...all, suppressed: all.suppressed - few, [TOO_FEW]: few });
  }
  return counts;
}
