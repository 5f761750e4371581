import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { TurnTimer } from '../../../src/lib/concurrency/turn-timer.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { SECOND } from '../../../src/lib/time.ts';
import { PageCache } from '../../../src/web/pages/page-cache.ts';
import { article, NOW, openTestSite, preferencesPath, save, type TestSite } from '../../app/test-site.ts';
import { addConfirmed } from '../../audience/fixtures.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';

forEachDatabase((open) => {
  describe('a public page', () => {
    let store: Store;
    let site: TestSite;
    /** Templates that were rendered. */
    let rendered: string[];
    beforeEach(async () => {
      store = await open();
      const config = sampleConfig();
      const templates = openTemplates(config.paths.templates, config.publication.zone);
      rendered = [];
      site = openTestSite(store, config, {
        templates: {
          ...templates,
          html: (name, data, language) => {
            rendered.push(name);
            return templates.html(name, data, language);
          },
        },
      });
      await save(store, article('one', { bodyHtml: `<p>${'A sentence of the story. '.repeat(100)}</p>` }));
    });

    const countRendered = (template: string): number =>
      rendered.filter((name) => name === `pages/${template}.liquid`).length;

    it('is rendered once for all clients that want it at the same time', async () => {
      const responses = await Promise.all(Array.from({ length: 50 }, (_, n) => site.get(`/?utm=${n}`)));
      const bodies = await Promise.all(responses.map((response) => response.text()));
      expect(new Set(bodies).size).toBe(1);
      expect(bodies[0]).toContain('Headline of one');
      expect(countRendered('front')).toBe(1);
    });

    it('is kept for a second', async () => {
      await site.read('/');
      await save(store, article('two'));
      site.at(NOW + SECOND - 1);
      expect(await site.read('/')).not.toContain('Headline of two');
      site.at(NOW + SECOND);
      expect(await site.read('/')).toContain('Headline of two');
      // Not for longer if the clock is set back.
      await save(store, article('three'));
      site.at(NOW);
      expect(await site.read('/')).toContain('Headline of three');
      expect(countRendered('front')).toBe(3);
    });

    it('is sent before work in the background goes on', async () => {
      const events: string[] = [];
      const clock = vi.spyOn(performance, 'now');
      // What waits does so until the page is there: its time limit does not come.
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      try {
        const publish = new TurnTimer({ inBackground: true });
        clock.mockReturnValue(Number.MAX_SAFE_INTEGER);
        const page = site.get('/', { 'Accept-Encoding': 'br' }).then(() => events.push('page'));
        const resting = publish.rest().then(() => events.push('publish'));
        await Promise.all([page, resting]);
      } finally {
        clock.mockRestore();
        vi.useRealTimers();
      }
      expect(events).toEqual(['page', 'publish']);
    });

    it('leaves the memory when another page is rendered after that second', async () => {
      let now = NOW;
      const pages = new PageCache(() => now);
      const create = async (): Promise<Response> => new Response('A page.');
      const read = (key: string) => pages.find(key, new AbortController().signal, create);
      await read('/a');
      now += SECOND - 1;
      await read('/b');
      expect(pages.size).toBe(2);
      now += 1;
      await read('/c');
      expect(pages.size).toBe(2);
      now += 2 * SECOND;
      await read('/a');
      expect(pages.size).toBe(1);
    });

    it('is compressed as the client prefers, with an entity tag for each coding', async () => {
      const plain = await site.get('/articles/one');
      const html = await plain.text();
      const gzip = await site.get('/articles/one', { 'Accept-Encoding': 'gzip' });
      const br = await site.get('/articles/one', { 'Accept-Encoding': 'gzip, br' });
      expect(gunzipSync(await gzip.arrayBuffer()).toString()).toBe(html);
      expect(brotliDecompressSync(await br.arrayBuffer()).toString()).toBe(html);
      const of = (name: string): (string | null)[] => [plain, gzip, br].map(({ headers }) => headers.get(name));
      expect(of('Content-Encoding')).toEqual([null, 'gzip', 'br']);
      expect(of('Vary')).toEqual(['Accept-Encoding', 'Accept-Encoding', 'Accept-Encoding']);
      expect(of('Cache-Control')).toEqual(Array(3).fill('public, max-age=60'));
      expect(new Set(of('ETag')).size).toBe(3);
      expect(countRendered('article')).toBe(1);
    });

    it('is answered with 304 to a client that has it in any coding, and HEAD with the length of GET', async () => {
      const gzip = { 'Accept-Encoding': 'gzip' };
      const response = await site.get('/articles/one', gzip);
      const etag = response.headers.get('ETag') as string;
      for (const tag of [etag, `W/${etag}`, etag.replace('-gzip', ''), `"x", ${etag}`, '*']) {
        const again = await site.get('/articles/one', { ...gzip, 'If-None-Match': tag });
        expect([tag, again.status, again.headers.get('ETag'), await again.text()]).toEqual([tag, 304, etag, '']);
        expect(again.headers.get('Content-Type')).toBeNull();
      }
      expect((await site.get('/articles/one', { ...gzip, 'If-None-Match': '"x"' })).status).toBe(200);
      const head = await site.app.request('/articles/one', { method: 'HEAD', headers: gzip });
      expect(head.headers.get('Content-Length')).toBe(response.headers.get('Content-Length'));
      expect(Number(head.headers.get('Content-Length'))).toBe((await response.arrayBuffer()).byteLength);
    });

    it('is not rendered for clients that have all left', async () => {
      const left = AbortSignal.abort();
      const here = new AbortController().signal;
      await Promise.all([left, left].map((signal) => site.app.request('/', { signal })));
      expect(rendered).toEqual([]);
      const responses = await Promise.all([left, here].map((signal) => site.app.request('/', { signal })));
      expect(await responses[1]?.text()).toContain('Headline of one');
      expect(countRendered('front')).toBe(1);
    });

    it('that does not exist is created for each request, and fails for all that wait if it fails', async () => {
      expect((await site.get('/articles/none')).status).toBe(404);
      for (const path of ['/none', '/articles/nothing', '/unsubscribe/x']) await site.get(path);
      // The text is the same for all.
      expect(countRendered('error')).toBe(1);
      await save(store, article('none'));
      expect((await site.get('/articles/none')).status).toBe(200);
      await store.close();
      const failed = await Promise.all(['/archive', '/archive'].map((path) => site.get(path)));
      expect(failed.map(({ status }) => status)).toEqual([500, 500]);
    });

    it('does not include those of one subscriber, which are neither kept nor compressed', async () => {
      const path = preferencesPath(await addConfirmed(store, 'ada@example.com', ['daily-roundup']));
      for (const _ of [1, 2]) {
        const response = await site.get(path, { 'Accept-Encoding': 'gzip, br' });
        expect(await response.text()).toContain('a…@e….com');
        const { headers } = response;
        const found = ['Cache-Control', 'ETag', 'Content-Encoding'].map((name) => headers.get(name));
        expect(found).toEqual(['no-store', null, null]);
      }
      expect(countRendered('preferences')).toBe(2);
    });
  });
});
