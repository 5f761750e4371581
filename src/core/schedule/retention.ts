/**
 * Retention of runs.
 */
import { sql } from 'kysely';
import type { Store } from '../store/store.ts';
import type { RunState } from '../store/tables.ts';

/** Rows per transaction: a few tens of milliseconds of writing. */
const BATCH = 5_000;

/**
 * Replaces runs of slots before an instant by totals. Keeps running and waiting ones, and the newest of each schedule,
 * which records up to where its slots are done.
 * @returns number of deleted runs
 */
export async function foldRuns({ db }: Pick<Store, 'db'>, before: number): Promise<number> {
  let folded = 0;
  for (;;) {
    const count = await db.transaction().execute(async (tx) => {
      const { rows } = await sql<{ schedule: string; state: RunState }>`
        delete from runs where (schedule, slot_at) in (
          select old.schedule, old.slot_at from runs as old
          where old.slot_at < ${before} and old.state not in ('running', 'waiting') and exists (
            select 1 from runs as newer where newer.schedule = old.schedule and newer.slot_at > old.slot_at
          )
          limit ${BATCH}
        ) returning schedule, state`.execute(tx);
      if (rows.length === 0) return 0;
      const groups = Map.groupBy(rows, (row) => JSON.stringify([row.schedule, row.state]));
      await tx
        .insertInto('run_totals')
        .values([...groups.values()].map((runs) => ({ ...(runs[0] as (typeof rows)[number]), count: runs.length })))
        .onConflict((conflict) =>
          conflict.columns(['schedule', 'state']).doUpdateSet({ count: sql`run_totals.count + excluded.count` }),
        )
        .execute();
      return rows.length;
    });
    folded += count;
    if (count === 0) return folded;
  }
}
