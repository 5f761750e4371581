import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { ensureSchema, migrate, schemaState } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store.ts';
import { forEachDatabase, newPostgresUrl } from '../databases.ts';

describe('the schema', () => {
  forEachDatabase((open, dialect) => {
    it('is made in an empty database, once', async () => {
      const store =
        dialect === 'sqlite'
          ? await openStore({ path: ':memory:' })
          : await openStore({ databaseUrl: await newPostgresUrl('empty'), path: '' });
      expect(await schemaState(store)).toEqual({ is: 'empty' });
      expect(await ensureSchema(store)).toEqual({ wasEmpty: true });
      expect(await ensureSchema(store)).toEqual({ wasEmpty: false });
      expect(await migrate(store)).toEqual([]);
      await store.close();
    });

    it('of a newer version is refused, with the name of what is unknown', async () => {
      const store = await open();
      await sql`insert into kysely_migration (name, timestamp) values ('0999_from_the_future', '2030')`.execute(
        store.db,
      );
      await expect(ensureSchema(store)).rejects.toThrow(/0999_from_the_future.*does not know/);
    });

    it('that lacks a migration is refused, with its name and the command that helps', async () => {
      const store = await open();
      await sql`update kysely_migration set name = '0000_before' where name = '0001_newsroom'`.execute(store.db);
      // A database whose only migration is unknown counts as newer; with none of ours and nothing unknown it is empty.
      await expect(ensureSchema(store)).rejects.toThrow(/0000_before/);
    });

    it('reads bigint columns as numbers', async () => {
      const store = await open();
      await store.db
        .insertInto('alerts')
        .values({ cause: 'c', message: 'm', first_at: 1_790_000_000_000, last_at: 2, count: 1 })
        .execute();
      const row = await store.db.selectFrom('alerts').selectAll().executeTakeFirstOrThrow();
      expect(row.first_at).toBe(1_790_000_000_000);
    });

    it('orders text by its bytes', async () => {
      const store = await open();
      for (const key of ['b', 'A', 'a', 'é', 'Z'])
        await store.db.insertInto('meta').values({ key, value: '' }).execute();
      const rows = await store.db.selectFrom('meta').select('key').orderBy('key').execute();
      expect(rows.map((row) => row.key)).toEqual(['A', 'Z', 'a', 'b', 'é']);
    });
  });
});
