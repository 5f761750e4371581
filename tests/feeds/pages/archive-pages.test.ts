import { beforeEach, describe, expect, it } from 'vitest';
import { encodeDocument } from '../../../src/articles/stored-document.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { closeDuePages } from '../../../src/feeds/archive/close-due-pages.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { httpDate } from '../../../src/web/server/conditional.ts';
import { article, NOW, openTestSite, save, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { recordChanged } from '../archive/publish-at.ts';

const config = sampleConfig();
const CHROMIUM = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const PATH = '/feeds/archive/latest/2026-11.atom';
/** November is over. */
const LATER = NOW + 20 * DAY;

describe('an archive page', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;

    async function change(title: string, now: number): Promise<void> {
      await save(store, article('a', { headline: title, publishedAt: NOW - HOUR, updatedAt: NOW - HOUR }));
      await recordChanged(store, config, now, ['a']);
    }

    beforeEach(async () => {
      store = await open();
      site = openTestSite(store, config);
      site.at(LATER + DAY);
      await change('First', NOW);
      await closeDuePages(store, config, { now: LATER });
    });

    it('is rendered on request, with the validators of its last change, a link to itself, and no hub', async () => {
      const { status, headers } = await site.get(PATH, { Accept: CHROMIUM });
      expect(status).toBe(200);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-type': 'application/xml; charset=utf-8',
        'last-modified': httpDate(LATER),
        link: `<http://127.0.0.1:8080${PATH}>; rel="self"`,
        vary: 'Accept, Accept-Encoding',
        'content-security-policy': expect.stringContaining("style-src 'self'"),
      });
      const again = await site.get(PATH, { 'If-None-Match': headers.get('ETag') ?? '' });
      expect([again.status, await again.text()]).toEqual([304, '']);
      const other = openTestSite(store, config);
      other.at(LATER + 2 * DAY);
      expect((await other.get(PATH)).headers.get('ETag')).toBe(headers.get('ETag'));
    });

    it('shows a change of an article with a later time', async () => {
      expect(await site.read(PATH)).toContain('First');
      await change('Second', LATER + MINUTE);
      const response = await site.get(PATH);
      expect(response.headers.get('Last-Modified')).toBe(httpDate(LATER + MINUTE));
      expect(await response.text()).toContain('Second');
      expect(await site.read(PATH.replace('.atom', '.json'))).toContain('Second');
    });

    it('is not rendered again until it changes, and outlasts an outage of the store', async () => {
      const tag = (await site.get(PATH)).headers.get('ETag') ?? '';
      const unnoticed = encodeDocument(article('a', { headline: 'Unnoticed', publishedAt: NOW - HOUR }));
      await store.db.updateTable('articles').set(unnoticed).execute();
      expect((await site.get(PATH, { 'If-None-Match': tag })).status).toBe(304);
      expect(await site.read(PATH)).toContain('First');
      await store.db.schema.alterTable('archive_pages').renameTo('away').execute();
      expect(await site.read(PATH)).toContain('First');
      expect((await site.get(PATH.replace('.atom', '.rss'))).status).toBe(503);
    });

    it('that cannot show an article says so in the log, and shows the others', async () => {
      const warnings: object[] = [];
      const nothing = (): void => {};
      const log = { debug: nothing, info: nothing, error: nothing, warn: (one: object) => warnings.push(one) };
      await save(store, article('a', { headline: ' ', publishedAt: NOW - HOUR, updatedAt: NOW }));
      const logging = openTestSite(store, config, { log });
      expect(await logging.read(PATH)).not.toContain('articles/a<');
      expect(warnings).toEqual([{ page: 'archive/latest/2026-11', articles: [expect.stringMatching(/^a: /)] }]);
    });

    it('does not exist at any other address', async () => {
      for (const path of ['2026-12.atom', '2026-11-2.atom', '2026-11.html', '2026-11', '.atom']) {
        const response = await site.get(`/feeds/archive/latest/${path}`);
        expect([path, response.status]).toEqual([path, 404]);
      }
      expect((await site.get('/feeds/archive/none/2026-11.atom')).status).toBe(404);
    });
  });
});
