import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { ensureSchema, migrate, schemaState } from '../../../src/core/store/schema.ts';
import { type Dialect, openStore, type Store } from '../../../src/core/store/store.ts';
import { forBothDatabases, newPostgresUrl } from '../../support/databases.ts';

async function openEmpty(dialect: Dialect): Promise<Store> {
  if (dialect === 'sqlite') return openStore({ path: ':memory:' });
  return openStore({ databaseUrl: await newPostgresUrl('empty'), path: '' });
}

describe('the schema', () => {
  forBothDatabases((open, dialect) => {
    it('is created in an empty database, once', async () => {
      const store = await openEmpty(dialect);
      expect(await schemaState(store)).toEqual({ kind: 'empty' });
      expect(await ensureSchema(store)).toEqual({ wasEmpty: true });
      expect(await ensureSchema(store)).toEqual({ wasEmpty: false });
      expect(await migrate(store)).toEqual([]);
      await store.close();
    });

    it('is refused with the unknown name when a newer version created it', async () => {
      const store = await open();
      await sql`insert into kysely_migration (name, timestamp) values ('0999_from_the_future', '2030')`.execute(
        store.db,
      );
      await expect(ensureSchema(store)).rejects.toThrow(/0999_from_the_future.*does not know/);
    });

    it('has CHECK constraints that refuse an unknown state', async () => {
      const { db } = await open();
      const subscriber = { email: 'a', email_key: 'a', created_at: 1 };
      const { id } = await db.insertInto('subscribers').values(subscriber).returning('id').executeTakeFirstOrThrow();
      const row = { subscriber_id: id, newsletter: 'daily', state: 'confirmed' as const, changed_at: 1 };
      await db.insertInto('subscriptions').values(row).execute();
      const unknown = db.updateTable('subscriptions').set({ state: sql`'subscribed'` });
      await expect(unknown.execute()).rejects.toThrow(/check constraint/i);
    });

    it('reads bigint columns as numbers', async () => {
      const store = await open();
      await store.db
        .insertInto('alerts')
        .values({
          key: 'c',
          kind: 'c',
          subject: '{}',
          actions: '[]',
          message: 'm',
          first_at: 1_790_000_000_000,
          last_at: 2,
          count: 1,
        })
        .execute();
      const row = await store.db.selectFrom('alerts').selectAll().executeTakeFirstOrThrow();
      expect(row.first_at).toBe(1_790_000_000_000);
    });

    it('sorts text by bytes', async () => {
      const store = await open();
      for (const key of ['b', 'A', 'a', 'é', 'Z'])
        await store.db.insertInto('meta').values({ key, value: '' }).execute();
      const rows = await store.db.selectFrom('meta').select('key').orderBy('key').execute();
      expect(rows.map((row) => row.key)).toEqual(['A', 'Z', 'a', 'b', 'é']);
    });
  });
});
