import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { ArticleSource } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { decideHeldPosts } from '../../src/own-sites/held-posts.ts';
import { SITES } from '../../src/own-sites/poll.ts';
import { findSourceRow } from '../../src/sources/source-state.ts';
import { readSourceStatus } from '../../src/sources/source-status.ts';
import { openAlerts } from '../support/alerts.ts';
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

/** Polls after the document has changed. */
function pollDocument(app: TestApp, content: FeedSite['content'], later = 5 * MINUTE) {
  content.etag = `"${app.now}"`;
  return pollAfter(app, later);
}

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
        { headline: expect.any(String), section: 'world', tags: ['World'], publishedAt: expect.any(Number) },
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
      // Once a day it is asked without conditions.
      expect(moved).toEqual([304, 200, 200]);
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

    it('takes undated items of the first poll for old, and dates later ones by when they were first seen', async () => {
      const { app, content } = await openApp();
      await poll(app);
      const far = `<pubDate>${new Date(NOW + 30 * DAY).toUTCString()}</pubDate>`;
      const dates = async () =>
        Object.fromEntries((await allArticles(store)).map(({ headline, publishedAt }) => [headline, publishedAt]));
      const { one, two } = await dates();
      expect(one).toBeLessThanOrEqual(NOW - 30 * DAY);
      content.items.unshift(item('three'), item('four', far));
      await pollDocument(app, content);
      const seen = app.now;
      content.items.unshift(item('five', `<pubDate>${new Date(NOW).toUTCString()}</pubDate>`));
      await pollDocument(app, content, DAY);
      expect(await dates()).toEqual({ one, two, three: seen, four: seen, five: NOW });
    });

    it('publishes at once what is dated hours ahead, and names the likely zone', async () => {
      const { app, content } = await openApp();
      await poll(app);
      content.items.unshift(item('three', `<pubDate>${new Date(app.now + 8 * HOUR).toUTCString()}</pubDate>`));
      content.etag = '"ahead"';
      const [source] = app.config.sources as [ArticleSource];
      const { notes } = await SITES.try(app, source, new AbortController().signal);
      expect(notes).toContainEqual(expect.stringMatching(/^times: 1 item is dated up to 8 h ahead, .*\+0800/));
      const polled = await pollDocument(app, content);
      const seen = app.now;
      expect(polled).toMatchObject({
        result: {
          added: 1,
          feedProblems: [expect.stringMatching(/^1 item is dated up to 7 h 55 min ahead, .*\+0800/)],
        },
      });
      expect((await allArticles(store)).find(({ headline }) => headline === 'three')?.publishedAt).toBe(seen);
      // Once that date has passed, it is no more true than before.
      const later = await pollDocument(app, content, 9 * HOUR);
      expect(later).toMatchObject({ result: { added: 0, updated: 0, warningCount: 0, feedProblems: [] } });
      expect((await allArticles(store)).find(({ headline }) => headline === 'three')?.publishedAt).toBe(seen);
    });

    it('gives an article its true date once the feed mends its zone or dates its items, and only then', async () => {
      const { app, content } = await openApp();
      await poll(app);
      const dated = (name: string, at: number): string =>
        item(name, `<pubDate>${new Date(at).toUTCString()}</pubDate>`);
      const published = async () =>
        Object.fromEntries((await allArticles(store)).map(({ headline, publishedAt }) => [headline, publishedAt]));
      const written = app.now - 30 * MINUTE;
      const old = { one: item('one'), two: item('two') };
      content.items = [dated('three', written + 8 * HOUR), item('four'), old.one, old.two];
      await pollDocument(app, content);
      const seen = app.now;
      expect(await published()).toMatchObject({ three: seen, four: seen });
      content.items = [dated('three', written), dated('four', written - MINUTE), dated('one', written - DAY), old.two];
      const before = (await published()).two;
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0, updated: 3, warningCount: 0 } });
      const mended = { three: written, four: written - MINUTE, one: written - DAY, two: before };
      expect(await published()).toEqual(mended);
      // A true date stays, whatever the feed says later.
      content.items = [dated('three', app.now + HOUR), item('four'), dated('one', app.now), old.two];
      await pollDocument(app, content, HOUR);
      expect(await published()).toEqual(mended);
    });

    it('keeps its articles when it changes guids, tracking and host, and their addresses follow', async () => {
      const { app, content } = await openApp();
      const names = Array.from({ length: 33 }, (_, index) => `story-${index}`);
      const write = (change: (text: string, index: number) => string): void => {
        content.items = names.map((name, index) => change(item(name), index));
      };
      write((text) => text);
      expect(await poll(app)).toMatchObject({ result: { added: 33 } });
      const marks = async () => (await allArticles(store)).map(({ id, updatedAt }) => [id, updatedAt]);
      const before = await marks();
      const guid = /<guid>.*<\/guid>/;
      const changes: [(text: string, index: number) => string, string][] = [
        [(text, index) => text.replace(guid, `<guid>tag:times,${index}</guid>`), 'https://times.example/story-7'],
        [(text) => text.replace(guid, '').replace('</link>', '?utm_source=rss</link>'), 'example/story-7'],
        [(text, index) => text.replace('times.example', 'new.example').replace(guid, `<guid>${index}</guid>`), 'new.'],
      ];
      for (const [change, address] of changes) {
        write(change);
        expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0, held: 0, retracted: 0 } });
        const articles = await allArticles(store);
        expect(await marks()).toEqual(before);
        expect(articles.find(({ headline }) => headline === 'story-7')?.url).toMatch(new RegExp(`${address}[^?]*$`));
      }
    });

    it('does not overwrite a bulletin with the next one at its address, only with its correction', async () => {
      const { app, content } = await openApp();
      const bulletin = (title: string, guid: string, day: number): string => {
        const dated = item(title, `<pubDate>${new Date(NOW + day * DAY - HOUR).toUTCString()}</pubDate>`);
        return dated.replace(/<guid>.*<\/link>/, `<guid>${guid}</guid><link>https://times.example/briefing</link>`);
      };
      content.items = [bulletin('Bridge closes', 'b-1', 0)];
      await poll(app);
      content.items = [bulletin('Bridge shuts', 'b-1-corrected', 0)];
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0, updated: 1 } });
      content.items = [bulletin('Ferry returns', 'b-2', 1)];
      expect(await pollDocument(app, content, DAY)).toMatchObject({ result: { added: 1, updated: 0 } });
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0, updated: 0 } });
      content.items.unshift(bulletin('Market moves', 'b-3', 2));
      expect(await pollDocument(app, content, DAY)).toMatchObject({ result: { added: 1, updated: 0 } });
      expect((await allArticles(store)).map(({ headline }) => headline).sort()).toEqual([
        'Bridge shuts',
        'Ferry returns',
        'Market moves',
      ]);
    });

    it('doubles nothing of a store from before items had keys, whatever has changed meanwhile', async () => {
      const { app, content } = await openApp();
      content.items.push(item('three').replace(/<link>.*<\/link>/, ''));
      await poll(app);
      const ids = (await allArticles(store)).map(({ id }) => id);
      await store.db.deleteFrom('source_item_keys').execute();
      await store.db.updateTable('source_items').set({ first_seen_at: null, seen_at: null }).execute();
      await store.db.updateTable('sources').set({ items_read_at: null, usual_new: null, item_gap: null }).execute();
      content.items = content.items.map((text, index) => (index === 0 ? text.replace('old.example/one', 'x/1') : text));
      content.items[1] = content.items[1]?.replace('https://times.example', 'http://www.times.example') ?? '';
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0 } });
      expect((await allArticles(store)).map(({ id }) => id)).toEqual(ids);
      const rows = await store.db.selectFrom('source_items').select('first_seen_at').execute();
      expect(rows.map((row) => row.first_seen_at)).toEqual([app.now, app.now, app.now]);
    });

    it('holds a flood until it is accepted, also what has left the feed by then', async () => {
      const { app, content } = await openApp();
      await poll(app);
      const flood = Array.from({ length: 30 }, (_, index) => item(`flood-${index}`));
      content.items.unshift(...flood);
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0, held: 30 } });
      const seen = app.now;
      content.items = [item('later'), ...flood.slice(0, 10)];
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0, held: 1 } });
      expect(await allArticles(store)).toHaveLength(2);
      const [status] = await readSourceStatus(store.db, app.config, app.now);
      expect(status).toMatchObject({
        state: 'held',
        held: 31,
        reason: expect.stringMatching(/^31 items were new at once/),
      });
      expect(await openAlerts(store.db)).toMatchObject([
        { key: 'outlet-held:times', message: expect.stringMatching(/"daywire sources accept times --ignore"/) },
      ]);
      expect(await decideHeldPosts(app, { id: 'times' }, 'accept')).toMatchObject({ open: 31 });
      const articles = await allArticles(store);
      expect(articles).toHaveLength(33);
      expect(articles.find(({ headline }) => headline === 'flood-29')?.publishedAt).toBe(seen);
      expect(await openAlerts(store.db)).toEqual([]);
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0, updated: 0, held: 0 } });
      expect(await decideHeldPosts(app, { id: 'times' }, 'accept')).toMatchObject({ open: 0 });
    });

    it('imports what was accepted by a process that died, and never what was ignored', async () => {
      const { app, content } = await openApp();
      await poll(app);
      const names = Array.from({ length: 30 }, (_, index) => `flood-${index}`);
      content.items = names.map((name) => item(name));
      await pollDocument(app, content);
      // As far as the decision goes, and no further.
      await store.db.updateTable('source_items').set({ hold: 'accepted' }).where('hold', '=', 'held').execute();
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 30, held: 0 } });
      content.items = names.map((name) => item(`other-${name}`));
      await pollDocument(app, content);
      expect(await decideHeldPosts(app, { id: 'times' }, 'ignore')).toMatchObject({ open: 0, ignored: 30 });
      content.items = names.map((name) => item(`other-${name}`, '<author>New</author>'));
      expect(await pollDocument(app, content)).toMatchObject({ result: { added: 0, held: 0 } });
      expect(await allArticles(store)).toHaveLength(32);
    });

    it('learns nothing of its habits from a document without items', async () => {
      const { app, content } = await openApp();
      content.items = Array.from({ length: 9 }, (_, age) => {
        return item(`story-${age}`, `<pubDate>${new Date(NOW - age * HOUR).toUTCString()}</pubDate>`);
      });
      await poll(app);
      const habits = () => store.db.selectFrom('sources').select(['item_gap', 'usual_new', 'items_read_at']).execute();
      const before = await habits();
      expect(before).toMatchObject([{ item_gap: HOUR }]);
      content.items = [];
      await pollDocument(app, content);
      expect(await habits()).toEqual(before);
    });

    it('tells of entries that repeat others', async () => {
      const { app, content } = await openApp();
      content.items.push(item('one'));
      expect(await poll(app)).toMatchObject({
        result: { added: 2, feedProblems: [expect.stringMatching(/^items that repeat others, .* left out: 1$/)] },
      });
    });
  });
});
