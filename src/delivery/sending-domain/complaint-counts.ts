/**
 * Counts complaints for the rule of the spam rate.
 */
import { readDeliveryCounts } from '../../core/store/counts.ts';
import type { Db } from '../../core/store/store.ts';
import type { ComplaintCounts } from './bulk-rules.ts';

/** Of all editions that closed since an instant. Messages that the server accepted count as delivered. */
export async function countComplaints(db: Db, since: number): Promise<ComplaintCounts> {
  const editions = await db.selectFrom('editions').select('id').where('closed_at', '>=', since).execute();
  const ids = editions.map(({ id }) => id);
  if (ids.length === 0) return { delivered: 0, complaints: 0 };
  const counts = await readDeliveryCounts(db, ids);
  const { complaints } = await db
    .selectFrom('bounces')
    .select(({ fn }) => fn.countAll<number | string>().as('complaints'))
    .where('kind', '=', 'complaint')
    .where('edition_id', 'in', ids)
    .executeTakeFirstOrThrow();
  const submitted = counts.filter(({ state }) => state === 'submitted');
  return {
    delivered: submitted.reduce((sum, { count }) => sum + count, 0),
    complaints: Number(complaints),
  };
}
