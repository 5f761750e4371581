import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { article, CUTOFF, closeEdition, compose, omissions, save, threeStories } from '../fixtures.ts';

const day = (n: number): Article[] => threeStories(`day${n}`, CUTOFF + n * DAY);

async function closeDay(store: Store, n: number): Promise<Record<string, string>> {
  await save(store, day(n));
  return omissions(store, await closeEdition(store, await compose(store, CUTOFF + n * DAY)));
}

describe('an article past the age limit', () => {
  forEachDatabase((open, dialect) => {
    it('is recorded when the first edition closes, unless it is pinned, retracted or a roundup', async () => {
      const store = await open();
      const old = { publishedAt: CUTOFF - 9 * DAY };
      await save(store, [
        article('old', old),
        article('old-draft', { ...old, status: { state: 'draft' } }),
        article('old-item', { ...old, kind: 'roundup-item' }),
        article('old-pinned', { ...old, pinned: true }),
        article('old-retracted', { ...old, status: { state: 'retracted', note: 'No.', at: CUTOFF } }),
        article('old-roundup', { ...old, kind: 'roundup' }),
      ]);
      expect(await closeDay(store, 0)).toEqual({ old: 'aged-out', 'old-draft': 'aged-out', 'old-item': 'aged-out' });
    });

    it('is recorded once per newsletter', async () => {
      const store = await open();
      await save(store, [article('old', { publishedAt: CUTOFF - 9 * DAY })]);
      expect(await closeDay(store, 0)).toEqual({ old: 'aged-out' });
      expect(await closeDay(store, 1)).toEqual({});
      const other = await compose(store, CUTOFF + DAY, { id: 'evening' });
      expect(await omissions(store, await closeEdition(store, other))).toMatchObject({ old: 'aged-out' });
    });

    const manyFrom = (year: string): Article[] =>
      Array.from({ length: 101 }, (_, n) => article(`${year}-${n}`, { publishedAt: CUTOFF - 33 * DAY - n * DAY }));

    it('is recorded, however old, if few others are as old: its date may be wrong', async () => {
      const store = await open();
      const old = { publishedAt: CUTOFF - 365 * DAY };
      await save(store, [article('first', old)]);
      expect(await closeDay(store, 0)).toEqual({ first: 'aged-out' });
      await save(store, [article('second', old)], CUTOFF + HOUR);
      expect(await closeDay(store, 1)).toEqual({ second: 'aged-out' });
    });

    it('is not recorded with an archive, stored before the first edition or after it', async () => {
      const store = await open();
      const late = { publishedAt: CUTOFF - 20 * DAY };
      await save(store, [...manyFrom('first'), article('late', late)]);
      expect(await closeDay(store, 0)).toEqual({ late: 'aged-out' });
      await save(store, [...manyFrom('second'), article('later', late)], CUTOFF + HOUR);
      expect(await closeDay(store, 1)).toEqual({ later: 'aged-out' });
      expect(await closeDay(store, 2)).toEqual({});
    });

    it('is recorded however old it is, if it was waiting while no edition was closed', async () => {
      const store = await open();
      await closeDay(store, 0);
      await save(store, [article('draft', { publishedAt: CUTOFF + HOUR, status: { state: 'draft' } })], CUTOFF + HOUR);
      await closeDay(store, 90);
      expect(await closeDay(store, 93)).toMatchObject({ draft: 'aged-out' });
    });

    it('is recorded if it was pinned, did not fit, and is no longer pinned', async () => {
      const store = await open();
      const lone = article('unpinned', { pinned: true, publishedAt: CUTOFF - 30 * DAY });
      await save(store, [...day(0), lone, article('lead', { pinned: true })]);
      const few = { blocks: { news: 5, analysis: 0, roundup: 0, latest: 0 } };
      expect(await omissions(store, await closeEdition(store, await compose(store, CUTOFF, few)))).toEqual({
        unpinned: 'did-not-fit',
      });
      await save(store, [{ ...lone, pinned: false }], CUTOFF - 30 * DAY);
      expect(await closeDay(store, 1)).toEqual({ unpinned: 'aged-out' });
    });

    it('is recorded in one statement with 20,000 others, and not considered by the next edition', async () => {
      const store = await open();
      await save(store, [article('old', { publishedAt: CUTOFF - 9 * DAY })]);
      await sql`
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
        insert into articles (id, tag_uri, slug, kind, section, kicker, event_key, pinned, state, published_at,
          updated_at, noted_at, created_at, digest, document, json_bytes)
        select 'archive-' || i, 'tag:' || i, 'archive-' || i, kind, section, kicker, event_key, pinned, state,
          published_at - i * 60000, updated_at, noted_at, created_at, digest, document, json_bytes
        from articles, n where id = 'old'`.execute(store.db);
      await save(store, day(0));
      const first = await compose(store);
      expect(first.articles).toHaveLength(3);
      expect(first.didNotFit).toEqual([]);
      // The database's own daemon would do it within a minute; until then PostgreSQL plans for the empty tables of the
      // test before, and compares each article with each omission.
      if (dialect === 'postgres') await sql`analyze articles`.execute(store.db);
      const id = await closeEdition(store, first);
      if (dialect === 'postgres') await sql`analyze edition_omissions`.execute(store.db);
      expect(Object.keys(await omissions(store, id))).toHaveLength(20_001);
      expect(await closeDay(store, 1)).toEqual({});
    });
  });
});
