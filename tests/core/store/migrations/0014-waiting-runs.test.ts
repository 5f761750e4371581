import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { createInitialSchema } from '../../../../src/core/store/migrations/0001-initial.ts';
import { countStates } from '../../../../src/core/store/migrations/0007-state-counts.ts';
import { addWaitingRuns } from '../../../../src/core/store/migrations/0014-waiting-runs.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)(
  'keeps the runs of a %s store, their totals and their counts, and lets them wait',
  async (dialect) => {
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
    const store = await openStore({ databaseUrl, path: ':memory:' });
    try {
      const db = store.db as unknown as Kysely<unknown>;
      await createInitialSchema(db, dialect);
      await sql`insert into run_totals (schedule, state, count) values ('publish', 'done', 7)`.execute(db);
      await countStates(db, dialect);
      const add = (slotAt: number, state: string) =>
        sql`insert into runs (schedule, slot_at, state, reason, covers, attempts, started_at)
          values ('publish', ${slotAt}, ${state}, 'kept', 3, 1, 5)`.execute(db);
      for (const [slotAt, state] of ['done', 'failed', 'done'].entries()) await add(slotAt, state);
      await expect(add(3, 'waiting')).rejects.toThrow();
      const counts = async () => {
        const { rows } = await sql<{ state: string; count: number; entered: number }>`
          select state, cast(sum(count) as integer) as count, cast(sum(entered) as integer) as entered
          from state_counts where subject = 'runs' group by state order by state`.execute(db);
        return rows.map(({ state, count, entered }) => [state, count, entered]);
      };
      const before = await counts();
      expect(before).toEqual([
        ['done', 2, 9],
        ['failed', 1, 1],
      ]);

      await addWaitingRuns(db, dialect);
      expect(await counts()).toEqual(before);
      expect(await store.db.selectFrom('run_totals').selectAll().execute()).toEqual([
        { schedule: 'publish', state: 'done', count: 7 },
      ]);
      const runs = await store.db.selectFrom('runs').selectAll().orderBy('slot_at').execute();
      expect(runs).toMatchObject(
        ['done', 'failed', 'done'].map((state, slot_at) => ({ slot_at, state, reason: 'kept', covers: 3 })),
      );
      await add(3, 'waiting');
      await store.db.updateTable('runs').set({ state: 'waiting' }).where('slot_at', '=', 1).execute();
      await store.db.deleteFrom('runs').where('slot_at', '=', 0).execute();
      expect(await counts()).toEqual([
        ['done', 1, 9],
        ['failed', 0, 1],
        ['waiting', 2, 2],
      ]);
      await expect(add(3, 'done')).rejects.toThrow();
      await expect(add(4, 'other')).rejects.toThrow();
      await expect(sql`insert into run_totals values ('publish', 'other', 1)`.execute(db)).rejects.toThrow();
    } finally {
      await store.close();
    }
  },
);
