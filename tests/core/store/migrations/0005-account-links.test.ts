import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { NOW } from '../../../../scripts/test-edition.ts';
import { createInitialSchema } from '../../../../src/core/store/migrations/0001-initial.ts';
import { addAccountLinks } from '../../../../src/core/store/migrations/0005-account-links.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)(
  'keeps the service messages of a %s store, their numbers and their columns, and lets them be links',
  async (dialect) => {
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
    const store = await openStore({ databaseUrl, path: ':memory:' });
    try {
      const db = store.db as unknown as Kysely<unknown>;
      await createInitialSchema(db, dialect);
      await sql`alter table service_messages add column of_another_migration text`.execute(db);
      await sql`insert into subscribers (email, email_key, created_at) values ('a@x.example', 'a@x.example', 1)`.execute(
        db,
      );
      const add = (kind: string) =>
        sql`insert into service_messages (kind, subscriber_id, newsletters, state, attempts, due_at, expires_at, fence,
          created_at, changed_at, of_another_migration)
          values (${kind}, 1, '[]', 'pending', 0, ${NOW}, ${NOW}, 0, ${NOW}, ${NOW}, 'kept')`.execute(db);
      for (const kind of ['confirm', 'already', 'confirm']) await add(kind);
      await expect(add('export')).rejects.toThrow();
      await sql`delete from service_messages where id = 3`.execute(db);

      await addAccountLinks(db, dialect);
      expect(await store.db.selectFrom('subscribers').select('token_version').execute()).toEqual([
        { token_version: 1 },
      ]);
      for (const kind of ['preferences', 'export', 'erase']) await add(kind);
      await expect(add('other')).rejects.toThrow();
      const { rows } =
        await sql`select id, kind, used_at, of_another_migration as kept from service_messages order by id`.execute(db);
      const last = dialect === 'sqlite' ? 3 : 4;
      expect(rows).toEqual([
        { id: 1, kind: 'confirm', used_at: null, kept: 'kept' },
        { id: 2, kind: 'already', used_at: null, kept: 'kept' },
        // PostgreSQL counts the refused row, too.
        ...['preferences', 'export', 'erase'].map((kind, n) => ({
          id: last + 1 + n,
          kind,
          used_at: null,
          kept: 'kept',
        })),
      ]);
      const indexes = await sql<{ name: string }>`${sql.raw(
        dialect === 'sqlite'
          ? "select name from sqlite_master where type = 'index' and tbl_name = 'service_messages' and sql is not null"
          : "select indexname as name from pg_indexes where tablename = 'service_messages' and indexname like '%s_%'",
      )}`.execute(db);
      const names = indexes.rows.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['service_messages_open', 'service_messages_by_subscriber']));
    } finally {
      await store.close();
    }
  },
);
