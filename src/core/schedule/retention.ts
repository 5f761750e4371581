/** Retention of runs. Their numbers by state remain; see store/counts.ts. */
import { sql } from 'kysely';
import type { Db } from '../store/store.ts';

/** Rows per statement: a few tens of milliseconds of writing. */
const BATCH = 5_000;

/**
 * Deletes runs of slots before an instant. Keeps running and waiting ones, and the newest of each schedule, which
 * records up to where its slots are done.
 * @returns number of deleted runs
 */
export async function deleteOldRuns(db: Db, before: number): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      delete from runs where (schedule, slot_at) in (
        select old.schedule, old.slot_at from runs as old
        where old.slot_at < ${before} and old.state not in ('running', 'waiting') and exists (
          select 1 from runs as newer where newer.schedule = old.schedule and newer.slot_at > old.slot_at
        )
        limit ${BATCH}
      )`.execute(db);
    if (numAffectedRows === 0n) return deleted;
    deleted += Number(numAffectedRows);
  }
}
