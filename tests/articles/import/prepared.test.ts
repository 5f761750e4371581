import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { importText } from '../../../src/articles/import/import.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openSqliteFile } from '../../support/databases.ts';
import { recordQueries } from '../../support/recorded-queries.ts';
import { configWith } from '../imports.ts';

const DAY_BEFORE = '2026-11-20T08:00:00Z';
const ARTICLES = [
  { id: 'plain', headline: 'A plain story', published: DAY_BEFORE, body: 'Text “with” [a link](/x).' },
  {
    ...{ id: 'full', headline: 'Shipments rise', kicker: 'Exclusive', published: DAY_BEFORE, updated: DAY_BEFORE },
    ...{ tags: ['Phones', 'C++', 'C#'], bylines: [{ name: 'Zoë O’Hara' }, { name: 'Ann Lee', role: 'editor' }] },
    ...{ section: 'world', slug: 'own-slug', image: { url: 'https://pictures.example/a.png' }, pinned: true },
  },
  { id: 'draft', headline: 'Not yet', published: DAY_BEFORE, state: 'draft' },
  {
    ...{ id: 'item', kind: 'roundup-item', headline: '价格上涨', published: DAY_BEFORE, byRule: true },
    ...{ outlet: { name: 'Times', url: 'https://times.example/1' }, also: [{ name: 'Post' }], eventKey: 'prices' },
  },
];
const toLines = (articles: object[]): string => articles.map((one) => `${JSON.stringify(one)}\n`).join('');

const TABLES = [
  ...['articles', 'article_words', 'article_tags', 'article_reporters', 'article_slugs', 'facet_names'],
  ...['pending_changes', 'remote_images', 'remote_image_uses'],
];

/** All rows of the tables that an import writes. */
async function dump(store: Store): Promise<Record<string, string[]>> {
  const tables: Record<string, string[]> = {};
  for (const table of TABLES) {
    const { rows } = await sql`select * from ${sql.table(table)}`.execute(store.db);
    tables[table] = rows.map((row) => JSON.stringify(row)).sort();
  }
  return tables;
}

/** @param clock gives the instants of parsing and writing, in turn */
function importAt(store: Store, articles: object[], ...clock: number[]) {
  const input = { source: 'in.jsonl', text: toLines(articles), format: 'jsonl' as const };
  return importText(store, configWith(), input, { clock: () => clock.shift() ?? NOW });
}

/** The rows of articles that could not be prepared, because the clock was set back meanwhile. */
async function expectedRows(open: () => Promise<Store>): Promise<Record<string, string[]>> {
  const store = await open();
  expect(await importAt(store, ARTICLES, NOW + 1, NOW)).toMatchObject({ added: 4, rejectedCount: 0 });
  return dump(store);
}

describe('prepared articles', () => {
  forEachDatabase((open) => {
    it('have the rows that they would have if they were revised', async () => {
      const store = await open();
      expect(await importAt(store, ARTICLES)).toMatchObject({ added: 4, rejectedCount: 0, warningCount: 0 });
      const rows = await dump(store);
      expect(rows).toEqual(await expectedRows(open));
      for (const table of TABLES) expect(rows[table], table).not.toEqual([]);
    });

    it('are revised where the store has them, or their slug', async () => {
      const store = await open();
      await importAt(store, ARTICLES.slice(0, 2));
      const before = await dump(store);
      expect(await importAt(store, ARTICLES.slice(0, 2))).toMatchObject({ added: 0, unchanged: 2 });
      expect(await dump(store)).toEqual(before);
      const others = [
        { ...ARTICLES[0], id: 'other' },
        { ...ARTICLES[1], headline: 'Shipments fall' },
        { ...ARTICLES[1], id: 'third' },
      ];
      expect(await importAt(store, others)).toMatchObject({ added: 1, updated: 1, rejectedCount: 1 });
      const slugs = await store.db.selectFrom('articles').select(['id', 'slug']).orderBy('id').execute();
      expect(slugs).toEqual([
        { id: 'full', slug: 'own-slug' },
        { id: 'other', slug: 'a-plain-story-other' },
        { id: 'plain', slug: 'a-plain-story' },
      ]);
    });

    it('take their slugs in the order of the input', async () => {
      const store = await open();
      const articles = [
        { id: 'one', headline: 'Same', published: DAY_BEFORE },
        { id: 'two', headline: 'Same', published: DAY_BEFORE },
        { id: 'three', headline: 'Same two', published: DAY_BEFORE },
        { id: 'four', headline: 'Other', published: DAY_BEFORE },
        // Its time depends on when it is written.
        { id: 'five', headline: 'Other' },
      ];
      expect(await importAt(store, articles)).toMatchObject({ added: 5, rejectedCount: 0 });
      const slugs = await store.db.selectFrom('articles').select(['id', 'slug']).execute();
      expect(Object.fromEntries(slugs.map(({ id, slug }) => [id, slug]))).toEqual({
        ...{ one: 'same', two: 'same-two', three: 'same-two-three' },
        ...{ four: 'other', five: 'other-five' },
      });
    });

    it('are written row by row of each table, without the statements that replace rows', async () => {
      const { store, takeQueries } = recordQueries(await open());
      await importAt(store, ARTICLES);
      expect(await store.db.selectFrom('articles').select('id').execute()).toHaveLength(ARTICLES.length);
      const statements = takeQueries().map(({ sql }) => sql);
      expect(statements.filter((one) => /^(insert into|delete from) "article/.test(one))).toEqual([]);
      expect(statements.filter((one) => one.startsWith('delete from "rejections"'))).toHaveLength(1);
    });
  });

  it('have the same rows in an SQLite file', async () => {
    const { store, remove } = await openSqliteFile();
    const other = await openSqliteFile();
    try {
      await importAt(store, ARTICLES);
      const rows = await dump(store);
      expect(rows).toEqual(await expectedRows(async () => other.store));
    } finally {
      await remove();
      await other.remove();
    }
  });
});
