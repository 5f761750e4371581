import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { listUsedFacets } from '../../../src/articles/facets/used-facets.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';

const save = (store: Store, ...articles: Article[]): Promise<void> => saveAll(store, articles);
const at = (publishedAt: number): Partial<Article> => ({ publishedAt, updatedAt: publishedAt });

forEachDatabase((open) => {
  describe('listUsedFacets', () => {
    it('lists tags, kickers and reporters of public articles, grouped and sorted by slug', async () => {
      const store = await open();
      const mei = { role: 'reporter' as const, name: 'Mei Tan', email: null };
      await save(
        store,
        article('a', { tags: ['Phones', 'C'], kicker: 'In Depth', bylines: [mei], ...at(NOW - 2 * DAY) }),
        article('b', {
          tags: ['C++', '!?'],
          bylines: [{ ...mei, role: 'editor', name: 'Bo Wu' }],
          ...at(NOW - 2 * DAY),
        }),
        article('c', { tags: ['C++', '5G'], ...at(NOW - HOUR) }),
        article('old', { tags: ['Old'], ...at(NOW - 100 * DAY) }),
        article('draft', { tags: ['Secret'], status: { state: 'draft' } }),
        article('later', { tags: ['Later'], ...at(NOW + 1) }),
        article('gone', { tags: ['Wrong'], status: { state: 'retracted', note: 'Wrong.', at: NOW } }),
      );
      expect(await listUsedFacets(store.db, NOW)).toEqual({
        tag: [
          { slug: '5g', names: ['5G'] },
          { slug: 'c', names: ['C', 'C++'] },
          { slug: 'phones', names: ['Phones'] },
        ],
        kicker: [{ slug: 'in-depth', names: ['In Depth'] }],
        reporter: [{ slug: 'mei-tan', names: ['Mei Tan'] }],
      });
      expect((await listUsedFacets(store.db, NOW + 1)).tag.map(({ slug }) => slug)).toContain('later');
    });

    it('ranks by use until yesterday, so that today’s articles do not reorder the list', async () => {
      const store = await open();
      const tagged = (day: number, tag: number, n: number) =>
        article(`d${day}-${tag}-${n}`, { tags: [`T${tag}`], ...at(NOW - day * DAY - tag * MINUTE - n) });
      const before = Array.from({ length: 60 }, (_, tag) =>
        Array.from({ length: tag < 39 ? 3 : tag < 45 ? 2 : 1 }, (_, n) => tagged(2, tag, n)),
      );
      await save(store, ...before.flat());
      const first = (await listUsedFacets(store.db, NOW)).tag;
      expect(first).toHaveLength(40);
      // Today the last tag becomes the most used, and a new one appears.
      await save(
        store,
        ...[0, 1, 2, 3].map((n) => article(`today-${n}`, { tags: ['T59', 'New'], ...at(NOW - HOUR - n) })),
      );
      expect((await listUsedFacets(store.db, NOW)).tag).toEqual(first);
      const tomorrow = (await listUsedFacets(store.db, NOW + DAY)).tag;
      expect(tomorrow).toHaveLength(40);
      expect(tomorrow.map(({ slug }) => slug)).toEqual(expect.arrayContaining(['t59', 'new']));
    });
  });
});
