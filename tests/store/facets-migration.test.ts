import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { describe, expect, it } from 'vitest';
import { migrationsFor } from '../../src/store/migrations.ts';
import { openStore } from '../../src/store/store.ts';
import { forEachDatabase, newPostgresUrl } from '../support/databases.ts';

const ARTICLES = 2_500;

describe('the migration to facets', () => {
  forEachDatabase((_, dialect) => {
    it('finds reporters, tags and kickers of all the articles that are there, and may be run again', async () => {
      const store = await openStore(
        dialect === 'sqlite' ? { path: ':memory:' } : { databaseUrl: await newPostgresUrl('empty'), path: '' },
      );
      try {
        // Up to this one, whatever comes after it.
        const all = Object.entries(migrationsFor(dialect)).filter(([name]) => name < '0008');
        const migrateWith = async (migrations: [string, Migration][]) => {
          const provider = { getMigrations: async () => Object.fromEntries(migrations) };
          const { results, error } = await new Migrator({ db: store.db, provider }).migrateToLatest();
          if (error !== undefined) throw error;
          return results?.map(({ migrationName }) => migrationName);
        };
        await migrateWith(all.filter(([name]) => name < '0007'));
        const articles = Array.from({ length: ARTICLES }, (_, index) => ({
          id: `a${index}`,
          tag_uri: `a${index}`,
          slug: `a${index}`,
          kind: 'brief',
          section: null,
          kicker: index % 2 === 0 ? 'In Depth' : null,
          event_key: null,
          pinned: 0,
          state: 'published',
          published_at: index,
          updated_at: index,
          noted_at: null,
          created_at: index,
          digest: '',
          document: JSON.stringify({
            bylines: [
              { role: 'reporter', name: index % 3 === 0 ? '陈思' : 'Mei Tan', email: null },
              { role: 'reporter', name: 'MEI TAN', email: null },
              { role: 'editor', name: 'Bo Wu', email: null },
              { role: 'reporter', name: '?!', email: null },
            ],
            headline: '"\\ud800 \\u0000',
          }),
        }));
        for (let from = 0; from < ARTICLES; from += 500) {
          await store.db
            .insertInto('articles')
            .values(articles.slice(from, from + 500))
            .execute();
        }
        await sql`insert into articles (id, tag_uri, slug, kind, pinned, state, published_at, updated_at, created_at, digest, document)
          values ('old', 'old', 'old', 'brief', 0, 'draft', 1, 1, 1, '', '{}')`.execute(store.db);
        await sql`insert into article_tags (article_id, tag, published_at)
          select id, 'Topic ' || id, published_at from articles`.execute(store.db);
        await sql`insert into article_tags (article_id, tag, published_at) values ('a0', 'C++', 0)`.execute(store.db);

        expect(await migrateWith(all)).toEqual(['0007_facets']);
        const counted = await store.db
          .selectFrom('article_reporters')
          .select((e) => ['reporter', e.fn.countAll<number>().as('count')])
          .groupBy('reporter')
          .orderBy('reporter')
          .execute();
        expect(counted.map(({ reporter, count }) => [reporter, Number(count)])).toEqual([
          ['mei-tan', ARTICLES],
          ['陈思', Math.ceil(ARTICLES / 3)],
        ]);
        const names = await store.db.selectFrom('facet_names').selectAll().orderBy('facet').orderBy('name').execute();
        expect(names.filter(({ facet }) => facet !== 'tag')).toEqual([
          { facet: 'kicker', slug: 'in-depth', name: 'In Depth' },
          { facet: 'reporter', slug: 'mei-tan', name: 'MEI TAN' },
          { facet: 'reporter', slug: 'mei-tan', name: 'Mei Tan' },
          { facet: 'reporter', slug: '陈思', name: '陈思' },
        ]);
        expect(names.filter(({ facet }) => facet === 'tag')).toHaveLength(ARTICLES + 2);

        // As if it had been killed before it was noted.
        await sql`delete from kysely_migration where name = '0007_facets'`.execute(store.db);
        expect(await migrateWith(all)).toEqual(['0007_facets']);
        expect(await store.db.selectFrom('facet_names').selectAll().orderBy('facet').orderBy('name').execute()).toEqual(
          names,
        );
      } finally {
        await store.close();
      }
    });
  });
});
