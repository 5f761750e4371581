/**
 * The run ledger in pages: from one run on, without counting any. Each page is a range of one index: runs_by_time,
 * runs_by_state, runs_by_schedule_state, or the primary key.
 */
import { type SqlBool, sql } from 'kysely';
import type { Db } from '../store/store.ts';
import type { RunState } from '../store/tables.ts';
import { RUN, type Run } from './run-ledger.ts';

/** What to list; without a key, all. */
export interface RunFilter {
  schedule?: string | undefined;
  state?: RunState | undefined;
}

/** The place of a run in the list, which is in order of slots, those of one instant by schedule. */
export interface RunPlace {
  slotAt: number;
  schedule: string;
}

/**
 * A page of runs, newest slot first.
 * @param options.after the run after which the page begins; null: the newest
 * @returns `older`: the last run of the page, if the list goes on
 */
export async function readRunPage(
  db: Db,
  filter: RunFilter,
  { limit, after }: { limit: number; after: RunPlace | null },
): Promise<{ runs: Run[]; older: RunPlace | null }> {
  const rows = await matching(db, filter)
    // Compared as a pair: both databases then begin the range at that row.
    .$if(after !== null, (q) => q.where(sql<SqlBool>`(slot_at, schedule) < (${after?.slotAt}, ${after?.schedule})`))
    .orderBy('slot_at', 'desc')
    .orderBy('schedule', 'desc')
    // One more tells whether the list goes on.
    .limit(limit + 1)
    .execute();
  const runs = rows.slice(0, limit);
  return { runs, older: rows.length > limit ? (runs.at(-1) ?? null) : null };
}

/** The newest runs of these states since an instant, newest slot first. */
export async function listRunsInStates(
  db: Db,
  states: readonly RunState[],
  { since, until, limit }: { since: number; until: number; limit: number },
): Promise<Run[]> {
  const runs: Run[] = [];
  // One range of the index for each: a list of states would be sorted as a whole.
  for (const state of states) {
    const rows = await matching(db, { state })
      .where('slot_at', '>', since)
      .where('slot_at', '<=', until)
      .orderBy('slot_at', 'desc')
      .orderBy('schedule', 'desc')
      .limit(limit)
      .execute();
    runs.push(...rows);
  }
  return runs.sort(newestFirst).slice(0, limit);
}

function newestFirst(a: RunPlace, b: RunPlace): number {
  if (a.slotAt !== b.slotAt) return b.slotAt - a.slotAt;
  return a.schedule < b.schedule ? 1 : -1;
}

function matching(db: Db, { schedule, state }: RunFilter) {
  return db
    .selectFrom('runs')
    .select(RUN)
    .$if(schedule !== undefined, (q) => q.where('schedule', '=', schedule as string))
    .$if(state !== undefined, (q) => q.where('state', '=', state as RunState));
}
