import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { recordQueries } from '../../support/recorded-queries.ts';
import { article, NOW, openTestSite, save, type TestSite } from '../test-site.ts';

describe('the stories of lists', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    let takeQueries: ReturnType<typeof recordQueries>['takeQueries'];
    beforeEach(async () => {
      store = await open();
      const recorded = recordQueries(store);
      takeQueries = recorded.takeQueries;
      site = openTestSite(recorded.store);
      await save(store, article('one'), article('two'));
    });

    /** Ids of the articles whose documents the last requests have read. */
    const readDocuments = (): unknown[] =>
      takeQueries().flatMap(({ sql, parameters }) => (sql.includes('document_version" as') ? parameters : []));

    it('are read once, however often a page lists them', async () => {
      for (const path of ['/archive/2026-11', '/sections/business-tech']) {
        await site.read(path);
        expect(readDocuments()).toEqual(expect.arrayContaining(['one', 'two']));
        site.later();
        const again = await site.read(path);
        expect(again).toContain('Headline of one');
        expect(again).toContain('Headline of two');
        expect(readDocuments()).toEqual([]);
      }
    });

    it('are read again once they have changed, and only these', async () => {
      await site.read('/archive/2026-11');
      await save(store, article('two', { headline: 'A Corrected Headline' }));
      readDocuments();
      site.later();
      const html = await site.read('/archive/2026-11');
      expect(html).toContain('A Corrected Headline');
      expect(html).not.toContain('Headline of two');
      expect(readDocuments()).toEqual(['two']);
    });

    it('leave a list as soon as they are no longer public', async () => {
      await site.read('/archive/2026-11');
      await save(
        store,
        article('one', { status: { state: 'retracted', note: 'Wrong.', at: NOW } }),
        article('two', { status: { state: 'draft' } }),
      );
      site.later();
      expect((await site.get('/archive/2026-11')).status).toBe(404);
    });

    it('are the same on a page after any other page has shown them', async () => {
      await save(store, article('three', { bodyHtml: '<h2>Details</h2><p>More.</p>', dek: 'A dek.' }));
      const first = await openTestSite(store).read('/');
      for (const path of ['/archive/2026-11', '/sections/business-tech', '/?page=1']) await site.read(path);
      expect(await site.read('/')).toBe(first);
    });
  });
});
