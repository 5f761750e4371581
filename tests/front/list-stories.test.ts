import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { KyselyPlugin } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/core/store/store.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { article, NOW, openTestSite, save, type TestSite } from '../app/test-site.ts';
import { picture } from '../support/articles.ts';
import { forEachDatabase } from '../support/databases.ts';
import { recordQueries } from '../support/recorded-queries.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('the stories of lists', () => {
  forEachDatabase((open, dialect) => {
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

    it('are read once for the front page, which first looks which of them have a picture', async () => {
      const html = await site.read('/');
      expect(html.match(/Headline of/g)).toHaveLength(2);
      expect(readDocuments().toSorted()).toEqual(['one', 'two']);
    });

    it.each([
      [5, 'n-5'],
      [6, 'n-0'],
    ])('begin with a picture in a section if one of its six newest has one: story %i has', async (pictured, first) => {
      const stories = Array.from({ length: 8 }, (_, n) =>
        article(`n-${n}`, { publishedAt: NOW - n, image: n < pictured ? null : picture('https://example.com/a.jpg') }),
      );
      await save(store, ...stories);
      const html = await site.read('/sections/business-tech');
      const shown = [...html.matchAll(/<h2><a href="\/articles\/([^"]*)"/g)].map(([, slug]) => slug);
      expect(shown[0]).toBe(first);
      expect(shown).toHaveLength(10);
      expect(new Set(shown).size).toBe(10);
      expect(html.match(/<li class="first"/g)).toHaveLength(1);
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

    it('are read again for a list that begins to show them', async () => {
      await save(store, ...Array.from({ length: 31 }, (_, n) => article(`n-${n}`, { publishedAt: NOW + 100 - n })));
      site.later();
      const before = await site.read('/');
      expect(before).toContain('<h3 class="headline"><a href="/articles/n-29">');
      expect(before).not.toContain('Headline of n-30');
      await save(store, article('n-0', { status: { state: 'retracted', note: 'Wrong.', at: NOW } }));
      takeQueries();
      site.later();
      expect(await site.read('/')).toContain('<h3 class="headline"><a href="/articles/n-30">');
      expect(readDocuments()).toContain('n-30');
    });

    // SQLite in memory has one connection, which is in use between the statements.
    if (dialect === 'postgres') {
      it('are found again where one changes before it is read', async () => {
        let hasChanged = false;
        const plugin: KyselyPlugin = {
          transformQuery: ({ node }) => node,
          async transformResult({ result }) {
            if (!hasChanged && result.rows[0]?.publishedAt !== undefined) {
              hasChanged = true;
              await save(store, article('two', { section: 'finance-economy' }));
            }
            return result;
          },
        };
        const other = openTestSite({ ...store, db: store.db.withPlugin(plugin) });
        const html = await other.read('/sections/business-tech');
        expect(hasChanged).toBe(true);
        expect(html).toContain('Headline of one');
        expect(html).not.toContain('Headline of two');
      });
    }

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

    it('have the HTML of each list, with headings below those of that list', async () => {
      const bodyHtml = '<h2>Details</h2><p>More.</p>';
      const stories = Array.from({ length: 31 }, (_, n) => article(`n-${n}`, { bodyHtml, publishedAt: NOW - n }));
      await save(store, ...stories);
      const [first, second] = [await site.read('/'), await site.read('/?page=2')];
      expect(first).toContain('<h2 class="headline"><a href="/articles/n-0">');
      expect(first).toContain('<h3 class="headline"><a href="/articles/n-29">');
      expect(first).toContain('<h4>Details</h4>');
      expect(second).toContain('<h2 class="headline">');
      expect(await site.read('/archive/2026-11')).toContain('<h3><a href="/articles/n-0">');
      expect(await site.read('/sections/business-tech')).toContain('<h2><a href="/articles/n-0">');
    });

    it.each([30, 31])(
      'are followed by a link to the next page from the story after the first page on: %i',
      async (count) => {
        await save(store, ...Array.from({ length: count - 2 }, (_, n) => article(`n-${n}`)));
        expect((await site.read('/')).includes('<a rel="next" href="/?page=2">')).toBe(count > 30);
        expect((await site.get('/?page=2')).status).toBe(count > 30 ? 200 : 404);
      },
    );

    it('look as a template says that was corrected after a failure', async () => {
      const folder = temporaryFolder();
      const file = join(folder, 'pages/parts/archive-line.liquid');
      mkdirSync(dirname(file), { recursive: true });
      const templates = openTemplates(folder, 'Asia/Shanghai');
      const own = openTestSite(store, undefined, { templates });
      await save(store, article('with-dek', { dek: 'A dek.' }));
      writeFileSync(file, '<li>Old{% if story.dek %}{{ nothing }}{% endif %}</li>');
      expect((await own.get('/archive/2026-11')).status).toBe(500);
      writeFileSync(file, '<li>New {{ story.headline }}</li>');
      own.later();
      const html = await own.read('/archive/2026-11');
      expect(html.match(/<li>New/g)).toHaveLength(3);
      expect(html).not.toContain('Old');
    });

    it('are the same on a page after any other page has shown them', async () => {
      await save(store, article('three', { bodyHtml: '<h2>Details</h2><p>More.</p>', dek: 'A dek.' }));
      const first = await openTestSite(store).read('/');
      for (const path of ['/archive/2026-11', '/sections/business-tech', '/?page=1']) await site.read(path);
      expect(await site.read('/')).toBe(first);
    });
  });
});
