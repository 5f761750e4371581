import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { HOUR, SECOND } from '../../../src/lib/time.ts';
import { article, NOW, openTestSite, save, saveDay, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { READER_REQUESTS } from './reader-requests.ts';

const config = sampleConfig();
const templates = openTemplates(config.paths.templates, config.publication.zone);
const NAVIGATION = {
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
};
const HOSTILE = 'x"><script>alert(1)</script>&{{site.name}}';

async function publishDay(store: Store): Promise<void> {
  await saveDay(store);
  await save(store, article('hostile', { publishedAt: NOW - 2 * HOUR, updatedAt: NOW - 2 * HOUR, headline: HOSTILE }));
  await publishFeeds(store, config, templates, { now: NOW - SECOND });
}

describe('the page of a feed', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      await publishDay(store);
      site = openTestSite(store, config);
    });

    it.each([
      ['latest', '/feeds/latest.json', '/feeds/latest/view'],
      ['a window', '/feeds/24-hours.json', '/feeds/24-hours/view'],
      ['a section', '/feeds/section/world.json', '/feeds/section/world/view'],
      ['a reporter', '/feeds/reporter/%E9%99%88%E6%80%9D.json', '/feeds/reporter/%E9%99%88%E6%80%9D/view'],
      ['a combination', '/feeds/custom.json?section=world&kind=brief', '/feeds/custom/view?kind=brief&section=world'],
    ])('shows a browser the items of the feed, in their order: %s', async (_, path, view) => {
      for (const extension of ['json', 'rss', 'atom']) {
        const opened = await site.get(path.replace('.json', `.${extension}`), NAVIGATION);
        expect([opened.status, opened.headers.get('Location'), await opened.text()]).toEqual([302, view, '']);
        expect(opened.headers.get('Cache-Control')).toBe('no-store');
      }
      const feed = (await (await site.get(path)).json()) as { items: { url: string; date_published: string }[] };
      expect(feed.items.length).toBeGreaterThan(0);
      const [, list = ''] = (await site.read(view)).split('<ol class="titles">');
      const shown = [...list.matchAll(/<time datetime="([^"]*)">[\s\S]*?<a href="([^"]*)">/g)];
      const expected = feed.items.map(({ url, date_published: at }) => [url, at.replace('.000', '')]);
      expect(shown.map(([, at, url]) => [url, at])).toEqual(expected);
    });

    it('answers 404 as a page where there is no feed, and to a combination that is not valid', async () => {
      await store.db.deleteFrom('documents').where('path', '=', 'world.json').execute();
      const paths = ['none', 'world', 'custom', 'custom/view?kind=none', 'tag/none', '%00', '..%2fx'];
      for (const path of paths) {
        const { status, headers } = await site.get(`/feeds/${path.includes('/view') ? path : `${path}/view`}`);
        expect([path, status, headers.get('Content-Type')]).toEqual([path, 404, 'text/html; charset=UTF-8']);
      }
    });
  });

  it('says how to follow the feed, in its three formats, and is not listed by search engines', async () => {
    const store = await openMigrated();
    await publishDay(store);
    const site = openTestSite(store, config);
    const html = await site.read('/feeds/custom/view?section=world&kind=brief');
    const url = 'http://127.0.0.1:8080/feeds/custom.atom?kind=brief&section=world';
    expect(html).toContain(`href="feed:${url.replace('&', '&amp;')}"`);
    expect(html).toContain(`href="https://feedly.com/i/subscription/feed/${encodeURIComponent(url)}"`);
    for (const format of ['rss', 'atom', 'json'])
      expect(html).toContain(`/feeds/<wbr>custom.${format}?kind=brief&amp;`);
    expect(html).toContain('<meta name="robots" content="noindex">');
    expect(html).not.toMatch(/rel="canonical"|<script/);
    expect(html).toMatch(/<h1 class="title">Briefs, World<\/h1>/);
    expect(html).toContain('Times are in Shanghai time.');
    expect(html.match(/<link rel="alternate"[^>]*>/)?.[0]).toContain('/feeds/custom.rss?kind=brief&amp;section=world');
  });

  it('shows hostile headlines, titles and queries as text', async () => {
    const store = await openMigrated();
    await publishDay(store);
    const feeds = config.feeds.map((feed) => ({ ...feed, title: HOSTILE, description: HOSTILE }));
    const hostile = { ...config, feeds };
    await publishFeeds(store, hostile, templates, { now: NOW });
    const site = openTestSite(store, hostile);
    const html = await site.read(`/feeds/latest/view?x=${encodeURIComponent(HOSTILE)}`);
    expect(
      html.match(/x&#34;&gt;&lt;script&gt;alert\(1\)&lt;\/script&gt;&amp;\{\{site\.name\}\}/g)?.length,
    ).toBeGreaterThan(3);
    expect(html).not.toMatch(/<script/);
    const refused = await site.get(`/feeds/custom/view?${encodeURIComponent(HOSTILE)}=${encodeURIComponent(HOSTILE)}`);
    expect([refused.status, await refused.text()]).toEqual([404, expect.not.stringMatching(/<script/)]);
    const split = await site.get('/feeds/custom.atom?section=world%0D%0ASet-Cookie:a=b', NAVIGATION);
    expect([split.status, split.headers.get('Set-Cookie')]).toEqual([400, null]);
  });

  it('is rendered once a second for each feed, and built for a client as often as the feed itself', async () => {
    const store = await openMigrated();
    await publishDay(store);
    const site = openTestSite(store, config);
    const paths = ['section=world&kind=brief', 'kind=brief&section=world', 'kind=brief&kind=brief&section=world'];
    const pages = await Promise.all(paths.map((query) => site.get(`/feeds/custom/view?${query}`)));
    expect(new Set(pages.map(({ headers }) => headers.get('ETag'))).size).toBe(1);
    const slugs = Array.from({ length: 310 }, (_, index) => `/feeds/tag/none-${index}/view`);
    const statuses: number[] = [];
    for (const path of slugs) statuses.push((await site.get(path)).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([404, 429]);
    expect((await site.get('/feeds/tag/none/view')).headers.get('Retry-After')).toMatch(/^\d+$/);
  });

  it('has the title of the feed without the publication, also in the language of the feed', async () => {
    const store = await openMigrated();
    await publishDay(store);
    const feeds = config.feeds.map((feed) => ({ ...feed, language: 'ja' }));
    await publishFeeds(store, { ...config, feeds }, templates, { now: NOW });
    const html = await openTestSite(store, { ...config, feeds }).read('/feeds/latest/view');
    expect(html).toMatch(new RegExp(`<h1 class="title"><span lang="ja" dir="ltr">${feeds[0]?.title}`));
  });
});

describe('a request of a feed', () => {
  it('is redirected below the path of the site', async () => {
    const store = await openMigrated();
    await saveDay(store);
    const below = sampleConfig((yaml) => yaml.replace('url: http://127.0.0.1:8080', 'url: http://127.0.0.1:8080/news'));
    const site = openTestSite(store, below);
    const { headers } = await site.get('/news/feeds/section/world.rss', NAVIGATION);
    expect(headers.get('Location')).toBe('/news/feeds/section/world/view');
    expect(await site.read('/news/feeds/section/world/view')).toContain('href="feed:http://127.0.0.1:8080/news/feeds/');
  });

  it('is redirected to the page of that feed, also of one that is named "view", and for HEAD', async () => {
    const store = await openMigrated();
    const feeds = config.feeds.slice(0, 1).map((feed) => ({ ...feed, id: 'view' }));
    const named = { ...config, feeds };
    await save(store, article('seen', { tags: ['view'] }));
    await publishFeeds(store, named, templates, { now: NOW });
    const site = openTestSite(store, named);
    for (const path of ['/feeds/view', '/feeds/tag/view']) {
      const options = { method: 'HEAD', headers: NAVIGATION };
      const { status, headers } = await site.app.request(`${path}.rss`, options);
      expect([status, headers.get('Location')]).toEqual([302, `${path}/view`]);
      expect(await site.read(`${path}/view`)).toContain('/articles/seen"');
    }
  });

  it('of a reader is answered with the feed, and of a browser with its page', async () => {
    const store = await openMigrated();
    await publishDay(store);
    const site = openTestSite(store, config);
    const paths = ['/feeds/latest.rss', '/feeds/latest.atom', '/feeds/latest.json', '/feeds/section/world.atom'];
    for (const { name, headers, gets } of READER_REQUESTS) {
      for (const path of paths) {
        const response = await site.get(path, headers);
        expect([name, path, response.status]).toEqual([name, path, gets === 'page' ? 302 : 200]);
        expect(response.headers.get('Content-Type') ?? '').not.toContain('html');
        expect(response.headers.get('Vary') ?? '').not.toContain('Sec-Fetch');
      }
    }
  });

  it('is redirected only if a browser navigates to a feed in a window', async () => {
    const store = await openMigrated();
    await publishDay(store);
    const site = openTestSite(store, config);
    const status = async (path: string, headers: Record<string, string>): Promise<number> =>
      (await site.get(path, headers)).status;
    expect(await status('/feeds/latest.rss', NAVIGATION)).toBe(302);
    for (const change of [{ 'Sec-Fetch-Dest': 'iframe' }, { 'Sec-Fetch-Dest': '' }, { 'Sec-Fetch-Mode': 'cors' }]) {
      expect(await status('/feeds/latest.rss', { ...NAVIGATION, ...change })).toBe(200);
    }
    for (const path of ['/feeds/', '/feeds/feeds.opml', '/feeds/feed.css'])
      expect(await status(path, NAVIGATION)).toBe(200);
  });
});
