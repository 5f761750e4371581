import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { MIGRATIONS } from '../../../../src/core/store/migrations.ts';
import { openStore } from '../../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../../support/databases.ts';

it.each(['sqlite', 'postgres'] as const)(
  'keeps which articles the archives of a %s store have, on which pages and since when',
  async (dialect) => {
    const databaseUrl = dialect === 'postgres' ? await newPostgresUrl('empty') : undefined;
    const store = await openStore({ databaseUrl, path: ':memory:' });
    try {
      const db = store.db as unknown as Kysely<unknown>;
      for (const [name, migrate] of Object.entries(MIGRATIONS)) if (name < '0024') await migrate(db, dialect);
      const run = (text: string) => sql.raw(text).execute(db);
      for (const id of ['a', 'b', 'c']) {
        await run(`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at,
          digest, document) values ('${id}', '${id}', '${id}', 'brief', 0, 'published', 5, 5, 5, '', '{"é":1}')`);
      }
      await run("insert into archive_feeds values ('latest', '{}', null), ('world', '{}', '[5,\"a\"]')");
      await run(`insert into archive_members values ('latest', 'a', 7, 1), ('latest', 'b', 8, 1), ('latest', 'c', 9, null),
        ('world', 'c', 9, 1)`);
      await run(`insert into archive_pages values ('latest', 1, '2026-10', 'archive/latest/2026-10', 'h', 3000),
        ('world', 1, '2026-10', 'archive/world/2026-10', 'h', 4000)`);
      await run(`insert into documents values ('archive/latest/2026-10.atom', '', '', 9000, 1, '', ''),
        ('latest.atom', '', '', 9000, 1, '', '')`);
      const [newest] = Object.keys(MIGRATIONS).filter((name) => name.startsWith('0024'));
      await MIGRATIONS[newest as string]?.(db, dialect);

      const read = (table: 'archive_feeds' | 'archive_pages' | 'archive_waiting' | 'archive_places' | 'documents') =>
        store.db.selectFrom(table).selectAll().orderBy(sql`1`).execute();
      expect(await read('archive_feeds')).toEqual([
        { feed: 'latest', number: 1, selection: '{}', backfilled_to: null, waiting_version: 0 },
        { feed: 'world', number: 2, selection: '{}', backfilled_to: '[5,"a"]', waiting_version: 0 },
      ]);
      const page = { page: 1, month: '2026-10' };
      const pages = (await read('archive_pages')).map((row) =>
        'members' in row ? { ...row, members: JSON.parse(row.members) } : row,
      );
      expect(pages).toEqual([
        {
          ...page,
          feed: 'latest',
          path: 'archive/latest/2026-10',
          members: ['a', 'b'],
          closed_at: 3000,
          changed_at: 9000,
        },
        { ...page, feed: 'world', path: 'archive/world/2026-10', members: ['c'], closed_at: 4000, changed_at: 4000 },
      ]);
      expect(await read('archive_waiting')).toEqual([{ feed: 'latest', recorded_at: 9, article_id: 'c', bytes: 8 }]);
      const places = (await read('archive_places')) as { article_id: string; places: string }[];
      expect(places.map(({ article_id, places }) => [article_id, places.split(' ').sort()])).toEqual([
        ['a', ['1:1']],
        ['b', ['1:1']],
        ['c', ['1:0', '2:1']],
      ]);
      expect(await read('documents')).toMatchObject([{ path: 'latest.atom' }]);
    } finally {
      await store.close();
    }
  },
);
