import fc from 'fast-check';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { readTables, type TableShape } from '../../../../src/core/store/backup/copy-tables.ts';
import { compareTable, readContent, type TableContent } from '../../../../src/core/store/backup/table-checksum.ts';
import { writeMeta } from '../../../../src/core/store/meta.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { forBothDatabases, openMigrated } from '../../../support/databases.ts';

/** The shape of a table; every SQLite store describes it. */
async function shapeOf(name: string): Promise<TableShape> {
  const store = await openMigrated();
  const shape = (await readTables(store.db)).find((table) => table.name === name);
  await store.close();
  if (shape === undefined) throw new Error(`there is no table ${name}`);
  return shape;
}

async function contentOf({ db }: Store, name: string): Promise<TableContent> {
  const shape = await shapeOf(name);
  return db.transaction().execute((tx) => readContent(tx, shape));
}

async function differenceOf(backup: Store, restored: Store, name: string): Promise<string | null> {
  const shape = await shapeOf(name);
  const { difference } = await backup.db
    .transaction()
    .execute((from) => restored.db.transaction().execute((to) => compareTable(from, to, shape)));
  return difference;
}

const subscriber = (name: string, createdAt = 5) => ({
  email: `${name}@example.com`,
  email_key: `${name}@example.com`,
  created_at: createdAt,
});

describe('the checksum of a table', () => {
  forBothDatabases((open) => {
    it('is the same on both databases, for numbers, fractions, nulls and any text, in any order', async () => {
      const [store, sqlite] = [await open(), await openMigrated()];
      const text = fc.string({ unit: 'binary', maxLength: 30 }).map((s) => s.toWellFormed().replaceAll('\u0000', ''));
      const limits = fc.uniqueArray(
        fc.record({
          key: text,
          next_at: fc.double({ noNaN: true, noDefaultInfinity: true }),
          counted_at: fc.maxSafeInteger(),
        }),
        { selector: ({ key }) => key, minLength: 20, maxLength: 60 },
      );
      const [rows = []] = fc.sample(limits, { numRuns: 1 });
      await store.db.insertInto('rate_limits').values(rows).execute();
      await sqlite.db.insertInto('rate_limits').values(rows.toReversed()).execute();
      expect(await contentOf(store, 'rate_limits')).toEqual(await contentOf(sqlite, 'rate_limits'));
      expect(await differenceOf(sqlite, store, 'rate_limits')).toBeNull();
      await sqlite.close();
    });

    it('differs where one row differs, and says so', async () => {
      const [store, sqlite] = [await open(), await openMigrated()];
      for (const { db } of [store, sqlite]) {
        for (const name of ['ann', 'bob']) await db.insertInto('subscribers').values(subscriber(name)).execute();
      }
      expect(await differenceOf(sqlite, store, 'subscribers')).toBeNull();
      await store.db.updateTable('subscribers').set({ zone: '' }).where('id', '=', 2).execute();
      expect(await differenceOf(sqlite, store, 'subscribers')).toBe('rows differ where they were restored');
      await store.db.updateTable('subscribers').set({ zone: null }).where('id', '=', 2).execute();
      await store.db.updateTable('subscribers').set({ created_at: 6 }).where('id', '=', 2).execute();
      expect(await differenceOf(sqlite, store, 'subscribers')).toBe('rows differ where they were restored');
      await store.db.deleteFrom('subscribers').where('id', '=', 2).execute();
      expect(await differenceOf(sqlite, store, 'subscribers')).toBe('1 rows were restored');
      await sqlite.close();
    });

    it('does not take two differences for none', async () => {
      const [store, sqlite] = [await open(), await openMigrated()];
      // As a sum modulo 2, equal rows would cancel each other.
      const values = ['a', 'b'].map((state) => ({ schedule: state, state: 'done' as const, count: 1 }));
      await store.db.insertInto('run_totals').values(values).execute();
      await sqlite.db
        .insertInto('run_totals')
        .values([
          { schedule: 'b', state: 'done', count: 1 },
          { schedule: 'c', state: 'done', count: 1 },
        ])
        .execute();
      expect(await differenceOf(sqlite, store, 'run_totals')).toBe('rows differ where they were restored');
      await sqlite.close();
    });

    it('is compared together with the last number that the table gave', async () => {
      const [store, sqlite] = [await open(), await openMigrated()];
      for (const { db } of [store, sqlite]) await db.insertInto('subscribers').values(subscriber('ann')).execute();
      await store.db.insertInto('subscribers').values(subscriber('bob')).execute();
      await store.db.deleteFrom('subscribers').where('id', '=', 2).execute();
      expect(await differenceOf(store, sqlite, 'subscribers')).toBe(
        'its last number is 2, and 1 where it was restored',
      );
      // A restore skips numbers.
      expect(await differenceOf(sqlite, store, 'subscribers')).toBeNull();
      await sqlite.close();
    });

    it('ignores the mark of a held queue, which a restore sets', async () => {
      const store = await open();
      const before = await contentOf(store, 'meta');
      await writeMeta(store.db, 'delivery.held', 'restored');
      expect((await contentOf(store, 'meta')).checksum).toBe(before.checksum);
      await writeMeta(store.db, 'other', 'x');
      expect((await contentOf(store, 'meta')).checksum).not.toBe(before.checksum);
    });

    it('of no rows is zero', async () => {
      const store = await open();
      await sql`delete from meta`.execute(store.db);
      expect(await contentOf(store, 'meta')).toEqual({ rows: 0, checksum: '0'.repeat(64) });
    });
  });
});
