import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { createInitialSchema } from '../../../../src/core/store/migrations/0001-initial.ts';
import { addHeartbeats } from '../../../../src/core/store/migrations/0003-heartbeats.ts';
import { addMessageIdDomain } from '../../../../src/core/store/migrations/0004-message-id-domain.ts';
import { addEditionRevisions } from '../../../../src/core/store/migrations/0015-edition-revisions.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

const CHILDREN = ['edition_articles', 'edition_omissions', 'edition_corrections', 'edition_retractions'];

it.each(['sqlite', 'postgres'] as const)(
  'keeps the editions of a %s store with all that belongs to them, their ids, keys and indexes',
  async (dialect) => {
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
    const store = await openStore({ databaseUrl, path: ':memory:' });
    try {
      const db = store.db as unknown as Kysely<unknown>;
      const run = (statement: string) => sql.raw(statement).execute(db);
      const allOf = async (table: string) => (await sql`select * from ${sql.table(table)}`.execute(db)).rows;
      await createInitialSchema(db, dialect);
      await addHeartbeats(db, dialect);
      await addMessageIdDomain(db, dialect);
      await run('alter table editions add column of_another_migration text');
      const insert = (columns: string, slot: string, number: number, rest: string) =>
        run(`insert into editions (newsletter, slot, slot_at, cutoff_at, number, headline, subject, preheader, nonce,
          html, text, archive_html, article_id, closed_at, of_another_migration${columns})
          values ('daily', '${slot}', 1, 2, ${number}, 'h', 's', 'p', 'n', 'html', 'text', 'archive', 'a', 3,
          'kept'${rest})`);
      await run(`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at,
        digest, document) values ('a', 't', 'a', 'brief', 0, 'published', 1, 1, 1, '', '{}')`);
      for (const [n, slot] of ['one', 'two', 'three'].entries()) await insert('', slot, n + 1, '');
      await run('delete from editions where id = 3');
      await run("insert into edition_articles values (1, 'daily', 'a', 'lead', 0)");
      await run("insert into edition_omissions values (2, 'a', 'did-not-fit')");
      await run("insert into edition_corrections values ('daily', 'a', 5, 2)");
      await run("insert into edition_retractions values (1, 'a', 5)");
      await expect(run("insert into edition_omissions values (1, 'a', 'dropped')")).rejects.toThrow();
      const before = new Map<string, unknown[]>();
      for (const table of ['editions', ...CHILDREN]) before.set(table, await allOf(table));

      // In a transaction with foreign keys, as the migrator runs it.
      await db.transaction().execute((tx) => addEditionRevisions(tx, dialect));

      expect(await allOf('editions')).toEqual(
        before.get('editions')?.map((row) => ({ ...(row as object), revision: 1, superseded_by: null })),
      );
      expect(before.get('editions')).toHaveLength(2);
      for (const table of CHILDREN) expect(await allOf(table)).toEqual(before.get(table));

      await run("insert into edition_omissions values (1, 'a', 'dropped')");
      await expect(run("insert into edition_omissions values (2, 'a', 'other')")).rejects.toThrow();
      await insert(', revision', 'two', 2, ', 2');
      await expect(insert(', revision', 'two', 4, ', 2')).rejects.toThrow();
      await expect(insert(', revision', 'four', 2, ', 2')).rejects.toThrow();
      const { rows } = await sql<{ id: number }>`select max(id) as id from editions`.execute(db);
      // PostgreSQL counts rows that were refused, too; here those are later ones.
      expect(rows).toEqual([{ id: 4 }]);
      for (const table of CHILDREN) {
        // With a foreign key, an edition with rows cannot go, and none can belong to an unknown one.
        await expect(run(`update ${table} set edition_id = 99`)).rejects.toThrow();
      }
      await expect(run('delete from editions where id = 2')).rejects.toThrow();
      const indexes = await sql<{ name: string }>`${sql.raw(
        dialect === 'sqlite'
          ? "select name from sqlite_master where type = 'index' and sql is not null"
          : "select indexname as name from pg_indexes where schemaname = 'public'",
      )}`.execute(db);
      expect(indexes.rows.map(({ name }) => name)).toEqual(
        expect.arrayContaining([
          ...['editions_in_delivery', 'editions_paused', 'editions_without_heartbeat', 'edition_articles_by_edition'],
          ...['edition_omissions_by_article', 'editions_newest', 'editions_newest_by_number'],
        ]),
      );
    } finally {
      await store.close();
    }
  },
);
