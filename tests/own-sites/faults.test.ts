/** What sites do that are down, old, moved or unusual. */
import { setImmediate } from 'node:timers/promises';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { wordPressApp } from '../../scripts/cms/wordpress.ts';
import { settleRemovedSources } from '../../src/app/background-tasks.ts';
import { findArticle } from '../../src/articles/queries.ts';
import { recordRejection } from '../../src/articles/rejections.ts';
import type { ArticleSource } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { SITES } from '../../src/own-sites/poll.ts';
import { pollDue, pollNow } from '../../src/sources/polling/poller.ts';
import { claimDueSource, findSourceRow, pausePolls, requestPoll } from '../../src/sources/source-state.ts';
import { openAlerts } from '../support/alerts.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { allArticles } from '../support/sample.ts';
import { type Newsroom, openNewsroom, openPollingApp, openSite, poll, type TestSite, waitOf } from './test-site.ts';

const FEED =
  '<rss version="2.0"><channel><title>Times</title><item><title>Story</title><guid>https://times.example/1</guid>' +
  '<description>All of it.</description></item></channel></rss>';

/** Lets a site have a feed, and its API answer with a status. */
function breakApi(site: TestSite, status: number): void {
  site.instead = ({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === '/feed/') return new Response(FEED, { headers: { 'Content-Type': 'application/rss+xml' } });
    return pathname.includes('/v2/posts') || pathname.includes('/content/posts') ? new Response('', { status }) : null;
  };
}

const stateOf = async (store: Store, id: string) => (await findArticle(store.db, id))?.status.state ?? null;

describe.each(['wordpress', 'ghost'] as const)('the API of %s', (api) => {
  forEachDatabase((open) => {
    it('is not given up for a feed, which would bring every article again under another id', async () => {
      const store = await open();
      const { app, site } = await openNewsroom(store, api);
      await poll(app);
      breakApi(site, 404);
      for (let polls = 0; polls < 3; polls++) {
        expect(await poll(app, 5 * HOUR)).toMatchObject({ kind: 'failed' });
      }
      site.instead = null;
      expect(await poll(app, 5 * HOUR)).toMatchObject({ kind: 'polled', result: { added: 0 } });
      expect(await allArticles(store)).toHaveLength(12);
    });

    it('is waited for if it is down when the source is polled first', async () => {
      const store = await open();
      const { app, site } = await openNewsroom(store, api);
      breakApi(site, 503);
      expect(await poll(app)).toMatchObject({
        kind: 'failed',
        problem: expect.stringMatching(/posts\/? answered 503$/),
      });
      site.instead = null;
      expect(await poll(app, HOUR)).toMatchObject({ kind: 'polled', result: { added: 12 } });
    });

    it('may date a change in the future: later changes arrive nevertheless', async () => {
      const store = await open();
      const { app, posts, articleOf } = await openNewsroom(store, api);
      const [odd, other] = posts as [Newsroom['posts'][number], Newsroom['posts'][number]];
      odd.modifiedAt = NOW + 400 * DAY;
      await poll(app);
      other.title = 'Edited';
      other.modifiedAt = NOW + MINUTE;
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { updated: 1 } });
      expect(await findArticle(store.db, articleOf(other))).toMatchObject({ headline: 'Edited' });
    });

    it('reads nothing again that has not changed, unless all is asked for', async () => {
      const store = await open();
      const { app, posts } = await openNewsroom(store, api);
      await poll(app);
      const [source] = app.config.sources as [ArticleSource];
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { updated: 0 } });
      // Renaming an author or a category changes no post.
      for (const post of posts) post.author = 'Cleo Example';
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { updated: 0 } });
      const whole = await pollNow(app, SITES, source, { isWhole: true, wait: waitOf(app) });
      expect(whole).toMatchObject({ outcome: { result: { updated: 12 } } });
    });

    it('retracts the article of a post that is now for members only, if those are skipped', async () => {
      const store = await open();
      const { app, posts, articleOf } = await openNewsroom(store, api, { source: 'membersOnly: skip' });
      await poll(app);
      const [post] = posts as [Newsroom['posts'][number]];
      Object.assign(post, { isForMembers: true, modifiedAt: NOW + MINUTE });
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { retracted: 1 } });
      expect((await findArticle(store.db, articleOf(post)))?.status).toMatchObject({
        state: 'retracted',
        note: 'This story is now for members of 127.0.0.1.',
      });
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 0, updated: 0 } });
    });
  });
});

describe('a source', () => {
  forEachDatabase((open) => {
    let store: Store;
    async function openWordPress(options: Parameters<typeof openNewsroom>[2] = {}): Promise<Newsroom> {
      store = await open();
      return openNewsroom(store, 'wordpress', options);
    }

    it('brings a scheduled post with the next poll, though it was edited long ago', async () => {
      const { app, posts } = await openWordPress();
      const scheduled = posts.pop()!;
      scheduled.modifiedAt = NOW - 30 * DAY;
      await poll(app);
      scheduled.publishedAt = NOW + 4 * MINUTE;
      posts.push(scheduled);
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { added: 1 } });
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { added: 0, updated: 0 } });
    });

    it('has withdrawn a post whose address leads to a post with a similar slug', async () => {
      const { app, posts, site } = await openWordPress();
      await poll(app);
      posts[0]!.state = 'trashed';
      site.instead = ({ url }) =>
        new URL(url).pathname === '/story-1' ? Response.redirect(`${site.url}/story-10`, 301) : null;
      await poll(app, 16 * MINUTE);
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 1 } });
    });

    it('has not withdrawn a post whose address leads to a login', async () => {
      const { app, posts, site } = await openWordPress();
      await poll(app);
      posts[0]!.state = 'trashed';
      site.instead = ({ url }) => {
        const { pathname } = new URL(url);
        if (pathname === '/login') return new Response('Log in');
        return pathname === '/story-1' ? Response.redirect(`${site.url}/login`, 302) : null;
      };
      await poll(app, 16 * MINUTE);
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 0 } });
      expect(await stateOf(store, 'times.1')).toBe('published');
    });

    it('may send addresses and ids that no database stores', async () => {
      const { app, site } = await openWordPress();
      const post = { slug: 'a', title: { rendered: 'A' }, content: { rendered: '<p>A</p>' } };
      const posts = [
        { ...post, id: 1, link: 'https://times.example/a\u0000b' },
        { ...post, id: 2, slug: 'b', link: `https://times.example/${'b'.repeat(9_000)}` },
        { ...post, id: 1.5, slug: 'c', link: 'https://times.example/c' },
      ];
      await poll(app);
      site.instead = ({ url }) => (url.includes('modified_after') ? Response.json(posts) : null);
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ kind: 'polled', result: { rejectedCount: 1 } });
      const items = await store.db.selectFrom('source_items').select('url').where('item', 'in', ['1', '2']).execute();
      expect(items.every(({ url }) => url === null || (url.length < 2_100 && !url.includes('\u0000')))).toBe(true);
    });

    it('is polled at once, and only once, after a webhook that came while it was polled', async () => {
      const { app, site } = await openWordPress();
      let isRequested = false;
      site.instead = async ({ url }) => {
        if (!isRequested && url.includes('/posts')) {
          isRequested = true;
          await requestPoll(store.db, 'times', app.now);
        }
        return null;
      };
      await poll(app);
      expect(await pollDue(app, SITES, { wait: waitOf(app) })).toHaveLength(1);
      expect(await pollDue(app, SITES, { wait: waitOf(app) })).toEqual([]);
    });

    it('keeps its lease through an import that takes longer than that', async () => {
      store = await open();
      const items = Array.from({ length: 350 }, (_, n) =>
        FEED.replace(/^.*(<item>.*<\/item>).*$/, '$1').replaceAll(/Story|example\/1/g, (text) => `${text}${n}`),
      );
      const feed = new Hono().get('*', (c) => c.body(FEED.replace(/<item>.*<\/item>/, items.join(''))));
      const site = await openSite(feed);
      const app = openPollingApp(store, site.url);
      const polling = pollDue(
        {
          ...app,
          // Each reading of the clock takes ten seconds: the import of all items takes many minutes.
          clock: () => {
            app.now += 10 * SECOND;
            return app.now;
          },
        },
        SITES,
        { wait: waitOf(app) },
      );
      let claims = 0;
      let isOver = false;
      const watch = async (): Promise<void> => {
        while (!isOver) {
          if (site.requests.length > 0)
            claims += (await claimDueSource(store.db, 'times', [], app.now)) === null ? 0 : 1;
          await setImmediate();
        }
      };
      const watching = watch();
      const [polled] = await polling;
      isOver = true;
      await watching;
      expect(polled?.outcome).toMatchObject({ after: { failures: 0 }, result: { added: 350 } });
      expect(claims).toBe(0);
    });

    it('leaves no alert and no rejection when it is removed, and no alert while it is paused', async () => {
      const { app, site, posts } = await openWordPress();
      Object.assign(posts[0]!, { slug: null });
      await poll(app);
      site.instead = () => new Response('', { status: 500 });
      await poll(app, HOUR);
      await poll(app, 2 * DAY);
      const keys = async () => (await openAlerts(store.db)).map(({ key }) => key);
      await settleRemovedSources(app);
      expect(await keys()).toEqual(['source:times']);
      expect((await openAlerts(store.db))[0]?.message).toMatch(/posts answered 500\. Its articles stay as they are\.$/);
      await pausePolls(store.db, 'times', app.now);
      await settleRemovedSources(app);
      expect(await keys()).toEqual([]);
      expect(await store.db.selectFrom('rejections').selectAll().execute()).toHaveLength(1);
      app.config.sources.length = 0;
      await settleRemovedSources(app);
      expect(await findSourceRow(store.db, 'times')).toMatchObject({ failing_since: null });
      expect(await store.db.selectFrom('rejections').selectAll().execute()).toEqual([]);
    });

    it('gives its articles their new addresses when it moves to another host', async () => {
      const { app, posts } = await openWordPress();
      await poll(app);
      const moved = await openSite(wordPressApp(posts));
      Object.assign(app.config.sources[0]!, { url: moved.url });
      expect(await poll(app, 10 * MINUTE)).toMatchObject({ result: { added: 0, updated: 12 } });
      expect(await findArticle(store.db, 'times.1')).toMatchObject({ url: `${moved.url}/story-1` });
    });

    it('raises an alert while its list lacks posts that it counts, because then no withdrawal is noticed', async () => {
      const { app, posts, site } = await openWordPress();
      await poll(app);
      site.instead = async (request) => {
        if (!request.url.includes('orderby=id')) return null;
        const { headers } = await site.app.fetch(request);
        const list = posts.slice(1).map(({ id }) => ({ id, date_gmt: null, modified_gmt: null }));
        return Response.json(list, { headers: { 'X-WP-Total': headers.get('X-WP-Total') ?? '' } });
      };
      expect(await poll(app, DAY)).toMatchObject({ kind: 'polled', result: { retracted: 0 } });
      expect(await openAlerts(store.db)).toMatchObject([
        {
          key: 'incomplete:times',
          message:
            'times: its list has 11 of 12 posts, so that withdrawn ones are not noticed. A plugin may hide some of ' +
            'them from visitors, and still count them.',
        },
      ]);
      site.instead = null;
      await poll(app, DAY);
      expect(await openAlerts(store.db)).toEqual([]);
    });

    it('leaves no rejection of a post that is withdrawn', async () => {
      const { app, posts } = await openWordPress();
      await poll(app);
      const rejection = { stage: 'import', source: 'times/1', line: null, articleId: 'times.1', problems: [], raw: '' };
      await recordRejection(store.db, { ...rejection, stage: 'import' }, NOW);
      posts[0]!.state = 'deleted';
      await poll(app, 16 * MINUTE);
      await poll(app, 16 * MINUTE);
      expect(await store.db.selectFrom('rejections').selectAll().execute()).toEqual([]);
    });
  });
});

describe('the site of a source', () => {
  const isFront = (url: string) => new URL(url).pathname + new URL(url).search === '/';

  async function openWordPress(options: Parameters<typeof openNewsroom>[2] = {}): Promise<Newsroom> {
    const store = await openMigrated();
    onTestFinished(() => store.close());
    return openNewsroom(store, 'wordpress', options);
  }

  it('fails in plain words if it ignores the time of a change, instead of being read without end', async () => {
    const { app, site, posts } = await openWordPress({ posts: 120 });
    site.instead = async (request) => {
      const url = new URL(request.url);
      if (!url.searchParams.has('modified_after') || site.requests.length > 20) return null;
      url.searchParams.delete('modified_after');
      return fetch(url);
    };
    expect(posts[100]!.modifiedAt - posts[0]!.modifiedAt).toBeGreaterThan(2 * DAY);
    expect(await poll(app)).toMatchObject({
      kind: 'failed',
      problem:
        `${site.url}/wp-json/wp/v2/posts answered posts that were modified before the time that was asked for: ` +
        'WordPress must be 5.7 or later, and a cache in front of it must not ignore the query',
    });
    expect(site.requests.length).toBeLessThan(20);
  });

  it('is tested without posts that are left out, each with its own headline', async () => {
    const { app, posts } = await openWordPress({ source: 'membersOnly: skip' });
    posts[11]!.isForMembers = true;
    const [source] = app.config.sources as [ArticleSource];
    const { newest } = await SITES.try(app, source, new AbortController().signal);
    expect(newest[0]).toMatchObject({ headline: 'Story 11: Wind & Sun' });
  });

  it.each<[string, string, (request: Request, site: TestSite) => Response | null | Promise<Response>]>([
    ['without a page of its own', '', ({ url }) => (isFront(url) ? new Response('', { status: 404 }) : null)],
    ['without a page that names its API', '', ({ url }) => (isFront(url) ? new Response('<p>Hi</p>') : null)],
    ['by the address of its API', '/wp-json', () => null],
    [
      'without pretty permalinks, on a page that does not name the API',
      '',
      (request, site) => {
        const url = new URL(request.url);
        const route = url.searchParams.get('rest_route');
        if (route === null) return new Response(isFront(request.url) ? '<p>Hi</p>' : '', { status: 200 });
        url.searchParams.delete('rest_route');
        url.pathname = `/wp-json${route}`;
        return site.app.fetch(new Request(url)) as Promise<Response>;
      },
    ],
  ])('is found %s', async (_, path, instead) => {
    const { app, site } = await openWordPress();
    Object.assign(app.config.sources[0]!, { url: `${site.url}${path}` });
    site.instead = (request) => instead(request, site);
    expect(await poll(app)).toMatchObject({ kind: 'polled', result: { added: 12 } });
  });

  it('asks for a key, where it refuses access, only if it takes one', async () => {
    const { app, site } = await openWordPress();
    await poll(app);
    site.instead = () => new Response('', { status: 403 });
    expect(await poll(app, 5 * MINUTE)).toMatchObject({
      problem:
        `${site.url}/wp-json/wp/v2/posts answered 403: it refuses access; a plugin or firewall of the site may ` +
        'block it',
    });
  });
});
