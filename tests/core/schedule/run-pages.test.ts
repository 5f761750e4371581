import { describe, expect, it } from 'vitest';
import { listLastRuns } from '../../../src/core/schedule/run-ledger.ts';
import { listRunsInStates, type RunFilter, type RunPlace, readRunPage } from '../../../src/core/schedule/run-pages.ts';
import type { Db } from '../../../src/core/store/store.ts';
import type { RunState } from '../../../src/core/store/tables.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { queryPlan, recordQueries } from '../../support/recorded-queries.ts';

async function addRun(db: Db, schedule: string, hour: number, state: RunState = 'done'): Promise<void> {
  const at = NOW + hour * HOUR;
  await db
    .insertInto('runs')
    .values({ schedule, slot_at: at, state, covers: 1, attempts: 1, started_at: at, finished_at: at })
    .execute();
}

/** The runs of all pages, as `schedule hour`, and how many pages there are. */
async function readAll(db: Db, filter: RunFilter, limit: number): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: RunPlace | null = null; ; ) {
    const { runs, older } = await readRunPage(db, filter, { limit, after });
    pages.push(runs.map(({ schedule, slotAt }) => `${schedule} ${(slotAt - NOW) / HOUR}`));
    if (older === null) return pages;
    after = older;
  }
}

forEachDatabase((open) => {
  describe('pages of runs', () => {
    it('have every run once, newest slot first, also where several schedules share a slot', async () => {
      const { db } = await open();
      for (const hour of [1, 2, 3]) for (const schedule of ['a', 'b', 'C']) await addRun(db, schedule, hour);
      expect(await readAll(db, {}, 4)).toEqual([['b 3', 'a 3', 'C 3', 'b 2'], ['a 2', 'C 2', 'b 1', 'a 1'], ['C 1']]);
      expect(await readAll(db, {}, 9)).toHaveLength(1);
    });

    it('have only the runs of a schedule, of a state, or of both', async () => {
      const { db } = await open();
      await addRun(db, 'a', 1);
      await addRun(db, 'a', 2, 'failed');
      await addRun(db, 'b', 2, 'failed');
      await addRun(db, 'b', 3);
      expect(await readAll(db, { schedule: 'a' }, 1)).toEqual([['a 2'], ['a 1']]);
      expect(await readAll(db, { state: 'failed' }, 1)).toEqual([['b 2'], ['a 2']]);
      expect(await readAll(db, { schedule: 'b', state: 'failed' }, 1)).toEqual([['b 2']]);
      expect(await readAll(db, { schedule: 'c' }, 1)).toEqual([[]]);
    });

    it('lists the newest runs in some states since an instant', async () => {
      const { db } = await open();
      await addRun(db, 'a', -30, 'failed');
      await addRun(db, 'a', -2, 'failed');
      await addRun(db, 'b', -1, 'late');
      await addRun(db, 'c', -1);
      await addRun(db, 'd', 5, 'skipped');
      const range = { since: NOW - 24 * HOUR, until: NOW, limit: 5 };
      const found = await listRunsInStates(db, ['failed', 'late', 'skipped'], range);
      expect(found.map(({ schedule, slotAt }) => [schedule, (slotAt - NOW) / HOUR])).toEqual([
        ['b', -1],
        ['a', -2],
      ]);
    });
  });
});

it('each page is a range of an index, whatever the filter', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  const page = { limit: 50, after: { slotAt: NOW, schedule: 'a' } };
  await readRunPage(recorded.db, {}, page);
  await readRunPage(recorded.db, { schedule: 'a' }, page);
  await readRunPage(recorded.db, { state: 'failed' }, page);
  await readRunPage(recorded.db, { schedule: 'a', state: 'failed' }, page);
  const plans = await Promise.all(takeQueries().map((query) => queryPlan(store, query)));
  expect(plans).toEqual([
    [expect.stringContaining('SEARCH runs USING INDEX runs_by_time ')],
    [expect.stringMatching(/SEARCH runs USING INDEX \S+ \(schedule=\? AND slot_at<\?\)/)],
    [expect.stringContaining('SEARCH runs USING INDEX runs_by_state ')],
    [expect.stringContaining('SEARCH runs USING INDEX runs_by_schedule_state ')],
  ]);
});

it('the newest run of each schedule is found without reading the others', async () => {
  const store = await openMigrated();
  const { store: recorded, takeQueries } = recordQueries(store);
  await listLastRuns(recorded.db);
  const [query] = takeQueries();
  if (query === undefined) throw new Error('it asks the store');
  const [first, second] = await queryPlan(store, query);
  expect(first).toMatch(/^SCAN schedules/);
  expect(second).toMatch(/^SEARCH runs USING INDEX \S+ \(schedule=\? AND slot_at=\?\)$/);
});
