import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { ArticleSource } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, MINUTE } from '../../src/lib/time.ts';
import { SITES } from '../../src/own-sites/poll.ts';
import { findSourceRow } from '../../src/sources/source-state.ts';
import { readSourceStatus } from '../../src/sources/source-status.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { allArticles } from '../support/sample.ts';
import type { TestApp } from '../support/test-app.ts';
import { openPollingApp, openSite, poll as pollAfter, type TestSite } from './test-site.ts';

const item = (name: string, more = ''): string =>
  `<item><title>${name}</title><guid>https://old.example/${name}</guid><link>https://times.example/${name}</link>` +
  `<content:encoded><![CDATA[<p>All of ${name}.</p>]]></content:encoded><category>World</category>${more}</item>`;

interface FeedSite {
  site: TestSite;
  /** Of the feed. */
  content: { items: string[]; etag: string; end: string };
}

/** A site that names its feed, and the content of that feed. */
async function openFeedSite(): Promise<FeedSite> {
  const content = { items: [item('one'), item('two')], etag: 'W/"a\\b"', end: '</channel></rss>' };
  const app = new Hono();
  app.get('/', (c) => c.html('<link rel="alternate" type="application/rss+xml" href="/news.xml">'));
  app.get('/news.xml', (c) => {
    if (c.req.header('If-None-Match') === content.etag) return c.body(null, 304);
    const open = '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>';
    return c.body(`${open}<title>Times</title>${content.items.join('')}${content.end}`, 200, { ETag: content.etag });
  });
  return { site: await openSite(app), content };
}

const poll = (app: TestApp) => pollAfter(app, 5 * MINUTE);

describe('a source with a feed', () => {
  forEachDatabase((open) => {
    let store: Store;
    async function openApp(): Promise<FeedSite & { app: TestApp }> {
      store = await open();
      const feed = await openFeedSite();
      return { ...feed, app: openPollingApp(store, feed.site.url) };
    }

    it('is found through the page of the site, and brings its items', async () => {
      const { app } = await openApp();
      expect(await poll(app)).toMatchObject({ kind: 'polled', result: { added: 2 } });
      expect(await allArticles(store)).toMatchObject([
        { headline: expect.any(String), section: 'world', tags: ['World'], publishedAt: app.now },
        { url: expect.stringContaining('https://times.example/') },
      ]);
    });

    it('is not a feed of comments where another one is named or usual, and the others are listed', async () => {
      const { app, site } = await openApp();
      const link = (href: string, title = ''): string =>
        `<link rel="alternate" type="application/rss+xml" title="${title}" href="${href}">`;
      const comments =
        link('/one/feed/', 'Times &raquo; One Comments Feed') +
        link('/comments/feed/', 'Reaktionen') +
        link('/talk.xml').replace('alternate', 'alternate comments');
      const document = (title: string): string => `<rss><channel><title>${title}</title>${item('one')}</channel></rss>`;
      const pages: Record<string, string> = {
        '/': comments + link('/hidden.xml') + link('/news.xml', 'Times') + link('/sport.xml', 'Sport'),
        '/hidden.xml': document('Comments on: One'),
        '/comments/feed/': document('Comments for Times'),
        '/one/feed/': document('Comments on: One'),
        '/feed.xml': document('Times'),
      };
      site.instead = ({ url }) => {
        const page = pages[new URL(url).pathname];
        return page === undefined ? null : new Response(page, { headers: { 'Content-Type': 'text/html' } });
      };
      const [source] = app.config.sources as [ArticleSource];
      const tried = () => SITES.try(app, source, new AbortController().signal);
      const { endpoint, notes } = await tried();
      expect(endpoint).toBe(`${site.url}/news.xml`);
      const named = `the page also names these feeds; to use one, give its address: `;
      const others = `“Times » One Comments Feed” ${site.url}/one/feed/, “Reaktionen” ${site.url}/comments/feed/, “comments” ${site.url}/talk.xml, `;
      expect(notes).toContain(`${named}${others}${site.url}/hidden.xml, “Sport” ${site.url}/sport.xml`);
      pages['/'] = comments;
      expect((await tried()).endpoint).toBe(`${site.url}/feed.xml`);
      delete pages['/feed.xml'];
      await expect(tried()).rejects.toThrow(`a feed; ${named}“Times » One Comments Feed” ${site.url}/one/feed/, `);
    });

    it('keeps the audio of its items as enclosures', async () => {
      const { app, content } = await openApp();
      content.items = [item('one', '<enclosure url="https://cdn.times.example/one.mp3" type="audio/mpeg" length=""/>')];
      await poll(app);
      expect(await allArticles(store)).toMatchObject([
        { enclosures: [{ url: 'https://cdn.times.example/one.mp3', type: 'audio/mpeg', length: 0, title: null }] },
      ]);
    });

    it('goes to the new address that answers 304, once permanent redirects are confirmed', async () => {
      const { app, site } = await openApp();
      await poll(app);
      const moved: (number | undefined)[] = [];
      site.instead = async (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === '/news.xml') return Response.redirect(`${site.url}/2026/news.xml`, 301);
        const answer = await site.app.fetch(new Request(`${site.url}/news.xml`, request));
        moved.push(answer.status);
        return answer;
      };
      const endpoint = async () => (await findSourceRow(store.db, 'times'))?.endpoint;
      await poll(app);
      await pollAfter(app, DAY);
      expect(await endpoint()).toBe(`${site.url}/news.xml`);
      await pollAfter(app, DAY);
      expect(await endpoint()).toBe(`${site.url}/2026/news.xml`);
      expect(moved).toEqual([304, 304, 304]);
      const [status] = await readSourceStatus(app.store.db, app.config, app.now);
      expect(status?.reason).toBe(`it has moved to ${site.url}/2026/news.xml: name that address in the configuration`);
    });

    it('sends ETag and Last-Modified back byte for byte, once its items are stored', async () => {
      const { app, site, content } = await openApp();
      await poll(app);
      const { etag } = await store.db.selectFrom('sources').select('etag').executeTakeFirstOrThrow();
      expect(etag).toBe('W/"a\\b"');
      content.items = [];
      expect(await poll(app)).toMatchObject({ kind: 'polled', result: { added: 0 } });
      // A document that cannot be read is not remembered: the next poll gets it again.
      site.instead = (request) =>
        request.url.endsWith('/news.xml') ? new Response('<p>x', { headers: { ETag: '"new"' } }) : null;
      expect(await poll(app)).toMatchObject({ kind: 'failed' });
      const after = await store.db.selectFrom('sources').select('etag').executeTakeFirstOrThrow();
      expect(after.etag).toBe('W/"a\\b"');
    });

    it('reads the whole items of a feed that was cut, and tells so', async () => {
      const { app, content } = await openApp();
      content.items = [item('one'), item('two').slice(0, -20)];
      content.end = '';
      const problem = 'it ends within an item, which was left out';
      const feedProblems = expect.arrayContaining([problem]);
      expect(await poll(app)).toMatchObject({ kind: 'polled', result: { added: 1, feedProblems } });
      expect(await readSourceStatus(app.store.db, app.config, app.now)).toMatchObject([{ isRepaired: true }]);
      const [source] = app.config.sources as [ArticleSource];
      expect((await SITES.try(app, source, new AbortController().signal)).notes).toContain(`times: ${problem}`);
    });

    it('keeps articles whose items have left it', async () => {
      const { app, content } = await openApp();
      await poll(app);
      content.etag = '"2"';
      content.items = [item('three')];
      expect(await pollAfter(app, DAY)).toMatchObject({ result: { added: 1, retracted: 0 } });
      content.etag = '"3"';
      await pollAfter(app, DAY);
      expect((await allArticles(store)).map(({ status }) => status.state)).toEqual(Array(3).fill('published'));
    });

    it('dates items without a date, or dated far ahead, by when they were first seen, for good', async () => {
      const { app, content } = await openApp();
      const far = new Date(NOW + 30 * DAY).toUTCString();
      content.items = [item('one'), item('two', `<pubDate>${far}</pubDate>`)];
      await poll(app);
      const seen = app.now;
      content.etag = '"2"';
      content.items = [item('one', '<description>New.</description>'), item('two', `<pubDate>${far}</pubDate>`)];
      await pollAfter(app, DAY);
      expect((await allArticles(store)).map(({ publishedAt }) => publishedAt)).toEqual([seen, seen]);
    });
  });
});
