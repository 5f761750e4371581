import type { Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { findArticle, findArticles } from '../../src/articles/queries.ts';
import { openConfiguredClient } from '../../src/core/config/fetching.ts';
import { listRuns } from '../../src/core/schedule/run-ledger.ts';
import { readPostsAgain } from '../../src/core/store/migrations/0013-keys-of-posts.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { FetchClient } from '../../src/lib/guarded-fetch/fetch-client.ts';
import { DAY, HOUR, MINUTE, rfc3339, SECOND } from '../../src/lib/time.ts';
import { decideHeldPosts } from '../../src/own-sites/held-posts.ts';
import { SITES } from '../../src/own-sites/poll.ts';
import { findHold, HOST_PAUSE } from '../../src/sources/host-gate.ts';
import { pollDue } from '../../src/sources/polling/poller.ts';
import { openAlerts } from '../support/alerts.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { allArticles } from '../support/sample.ts';
import { openNewsroom, poll, waitOf } from './test-site.ts';

const stateOf = async (store: Store, id: string) => (await findArticle(store.db, id))?.status.state ?? null;

describe.each(['wordpress', 'ghost'] as const)('a source with the API of %s', (api) => {
  forEachDatabase((open) => {
    it('brings all posts of all pages, with every field', async () => {
      const store = await open();
      const { app, posts, site, articleOf } = await openNewsroom(store, api, { posts: 250 });
      expect(await poll(app)).toMatchObject({ kind: 'polled', result: { added: 250, rejectedCount: 0 } });
      expect(await allArticles(store)).toHaveLength(250);
      const post = posts[209]!;
      expect(await findArticle(store.db, articleOf(post))).toMatchObject({
        headline: 'Story 210: Wind & Sun',
        slug: 'story-210',
        url: `${site.url}/story-210${api === 'ghost' ? '/' : ''}`,
        dek: 'What story 210 adds.',
        bodyHtml: `<p>The first words of story 210.</p><p>See <a href="${site.url}/about">about</a>.</p>`,
        bylines: [{ role: 'reporter', name: 'Bo Example', email: null }],
        section: 'business-tech',
        tags: [...(api === 'ghost' ? ['Business & Tech'] : []), 'energy', 'tag-0'],
        image: { url: `${site.url}/images/210.jpg`, alt: 'Picture of story 210' },
        publishedAt: post.publishedAt,
        updatedAt: post.modifiedAt,
        status: { state: 'published' },
      });
      expect((await listRuns(store.db, 1))[0]).toMatchObject({ schedule: 'source:times', reason: '250 added' });
    });

    it('reads all posts once more after an upgrade, to compare other sources of the site with them', async () => {
      const store = await open();
      const { app } = await openNewsroom(store, api);
      await poll(app);
      const keys = store.db.selectFrom('source_item_keys').select(['key', 'item']).orderBy('key');
      const before = await keys.execute();
      expect(before).toHaveLength(12);
      await store.db.deleteFrom('source_item_keys').execute();
      await readPostsAgain(store.db as unknown as Kysely<unknown>);
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { added: 0, updated: 0, unchanged: 0 } });
      expect(await keys.execute()).toEqual(before);
    });

    it('holds the news of its first poll if it is more than 20 articles, and imports the rest', async () => {
      const store = await open();
      const { app, posts, articleOf } = await openNewsroom(store, api, { posts: 40 });
      for (const [index, post] of posts.entries()) if (index >= 15) post.publishedAt = NOW - HOUR;
      expect(await poll(app)).toMatchObject({ kind: 'polled', result: { added: 15, held: 25 } });
      expect((await openAlerts(store.db)).map(({ message }) => message)).toEqual([
        expect.stringMatching(/^times: 25 items were new at once, .*"daywire sources accept times"/),
      ]);
      // What comes until somebody decides waits, too, and nothing held counts as withdrawn.
      const post = { ...posts[0]!, id: 41, slug: 'story-41', publishedAt: app.now, modifiedAt: app.now };
      posts.push(post);
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { added: 0, held: 1 } });
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { added: 0, held: 0, retracted: 0 } });
      expect(await decideHeldPosts(app, { id: 'times' }, 'accept')).toMatchObject({ open: 26 });
      expect(await allArticles(store)).toHaveLength(41);
      expect(await findArticle(store.db, articleOf(post))).toMatchObject({ publishedAt: post.publishedAt });
      Object.assign(post, { id: 42, slug: 'story-42', publishedAt: app.now, modifiedAt: app.now });
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { added: 1, held: 0 } });
    });

    it('brings an edit with the next poll, and changes nothing without one', async () => {
      const store = await open();
      const { app, posts, articleOf, site } = await openNewsroom(store, api);
      await poll(app);
      const post = posts[0]!;
      post.title = 'Edited';
      post.modifiedAt = NOW + MINUTE;
      site.requests.length = 0;
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { added: 0, updated: 1 } });
      // WordPress publishes a scheduled post without a change that tells of it: its newest ids are read too.
      expect(site.requests).toHaveLength(api === 'ghost' ? 1 : 2);
      expect(await findArticle(store.db, articleOf(post))).toMatchObject({
        headline: 'Edited',
        updatedAt: NOW + MINUTE,
      });
      expect(await poll(app, 5 * MINUTE)).toMatchObject({ result: { added: 0, updated: 0 } });
      expect((await listRuns(store.db, 9)).map(({ reason }) => reason)).toEqual(['1 updated', '12 added']);
    });

    it('retracts a post that two sweeps missed and the CMS says is gone, until it returns', async () => {
      const store = await open();
      const { app, posts, articleOf } = await openNewsroom(store, api);
      await poll(app);
      const post = posts[0]!;
      post.state = 'trashed';
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 0 } });
      expect(await stateOf(store, articleOf(post))).toBe('published');
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 1 } });
      expect((await findArticle(store.db, articleOf(post)))?.status).toEqual({
        state: 'retracted',
        note: 'This story was withdrawn from 127.0.0.1.',
        at: app.now,
      });
      post.state = 'published';
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { updated: 1 } });
      expect(await stateOf(store, articleOf(post))).toBe('published');
    });

    it('retracts nothing that the CMS still has, or only hides for a while', async () => {
      const store = await open();
      const { app, posts, site } = await openNewsroom(store, api);
      await poll(app);
      const hidden = posts.splice(0, 1);
      const sweep = (request: Request) => /posts\/[0-9a-f]+/.test(request.url);
      // The list lacks the post, and the post itself answers as if it were there.
      site.instead = (request) => (sweep(request) ? Response.json({ id: 1, posts: [{ id: '1' }] }) : null);
      await poll(app, 16 * MINUTE);
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 0, waiting: 0 } });
      // Now it fails to answer, which says nothing.
      site.instead = (request) => (sweep(request) ? new Response('', { status: 500 }) : null);
      for (let sweeps = 0; sweeps < 3; sweeps++) {
        expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 0, waiting: 0 } });
      }
      posts.push(...hidden);
      expect((await allArticles(store)).map(({ status }) => status.state)).toEqual(Array(12).fill('published'));
    });

    it('leaves more than five at once to the operator', async () => {
      const store = await open();
      const { app, posts } = await openNewsroom(store, api);
      await poll(app);
      for (const post of posts.slice(0, 6)) post.state = 'deleted';
      await poll(app, 16 * MINUTE);
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 0, waiting: 6 } });
      expect(await openAlerts(store.db)).toMatchObject([
        {
          key: 'withdrawals:times',
          message:
            'times: 6 posts are gone at once, which may be a fault of the site. Their articles stay until you decide. ' +
            'To retract them, use "daywire sources withdraw times"; ' +
            'to keep them for good, use "daywire sources withdraw times --keep".',
        },
      ]);
      expect((await allArticles(store)).filter(({ status }) => status.state === 'retracted')).toEqual([]);
      // The alert stays the same, and what returns waits no longer.
      for (const post of posts) post.state = 'published';
      await poll(app, 16 * MINUTE);
      await poll(app, 16 * MINUTE);
      expect(await openAlerts(store.db)).toEqual([]);
    });

    it.each([
      ['an empty list', () => (api === 'ghost' ? Response.json({ posts: [] }) : Response.json([]))],
      ['an error', () => new Response('down', { status: 503 })],
      ['garbage', () => new Response('<p>Hello</p>')],
      ['a list of something else', () => Response.json(['a', 'b'])],
    ])('withdraws nothing when the API answers with %s', async (_, answer) => {
      const store = await open();
      const { app, site } = await openNewsroom(store, api);
      await poll(app);
      site.instead = answer;
      for (let polls = 0; polls < 4; polls++) await poll(app, DAY);
      expect((await allArticles(store)).map(({ status }) => status.state)).toEqual(Array(12).fill('published'));
      site.instead = null;
      expect(await poll(app, DAY)).toMatchObject({ kind: 'polled', result: { retracted: 0, waiting: 0 } });
    });

    it('loses and doubles nothing when a poll ends in the middle', async () => {
      const store = await open();
      const { app, site } = await openNewsroom(store, api, { posts: 220 });
      let pages = 0;
      site.instead = ({ url }) => {
        // Without those that look for the API.
        if (/order=asc|asc&/.test(url) && /(?:per_page|limit)=100/.test(url)) pages += 1;
        return pages > 1 ? new Response('', { status: 500 }) : null;
      };
      expect(await poll(app)).toMatchObject({ kind: 'failed', result: { added: expect.any(Number) } });
      const stored = (await allArticles(store)).length;
      expect(stored).toBe(200);
      site.instead = null;
      expect(await poll(app, HOUR)).toMatchObject({ kind: 'polled', result: { added: 20 } });
      expect(await allArticles(store)).toHaveLength(220);
    });

    it('asks for smaller pages where a page of a hundred posts is too long', async () => {
      const store = await open();
      const { app, site } = await openNewsroom(store, api, { posts: 9 });
      // Pages of more posts than that are longer than 20 MiB.
      let most = 7;
      site.instead = ({ url }) => {
        const { searchParams } = new URL(url);
        const size = Number(searchParams.get('per_page') ?? searchParams.get('limit'));
        return size > most ? new Response(Buffer.alloc(21 * 1024 * 1024)) : null;
      };
      expect(await poll(app)).toMatchObject({ kind: 'polled', result: { added: 9 } });
      most = 1;
      expect(await poll(app, HOUR)).toMatchObject({ kind: 'failed' });
    });

    it('reads a post again that the list shows as changed, though no poll brought it', async () => {
      const store = await open();
      const { app, posts, articleOf, site } = await openNewsroom(store, api);
      await poll(app);
      const post = posts.at(-1)!;
      // The CMS dates the change before the last poll, as a clock set back does.
      post.title = 'Changed in secret';
      post.modifiedAt += SECOND;
      site.instead = (request) => {
        const hides = /modified_after|updated_at%3A/.test(request.url);
        return hides ? (api === 'ghost' ? Response.json({ posts: [] }) : Response.json([])) : null;
      };
      await poll(app, 16 * MINUTE);
      expect(await findArticle(store.db, articleOf(post))).toMatchObject({ headline: 'Changed in secret' });
    });
  });
});

describe('polls', () => {
  forEachDatabase((open) => {
    it('pause after each request, and hold a host that answers 429 for all of its sources', async () => {
      const store = await open();
      const { app, site } = await openNewsroom(store, 'wordpress');
      const times: number[] = [];
      site.instead = () => {
        times.push(app.now);
        return null;
      };
      await poll(app);
      expect(times.length).toBeGreaterThan(2);
      expect(times).toEqual(times.map((_, index) => NOW + index * HOST_PAUSE));
      site.instead = () => new Response('', { status: 429, headers: { 'Retry-After': '3600' } });
      await poll(app, 5 * MINUTE);
      expect(await findHold(store.db, '127.0.0.1', app.now)).toBe(app.now + HOUR);
    });

    it('try a site that does not accept a connection only once', async () => {
      const store = await open();
      const { app, site } = await openNewsroom(store, 'wordpress');
      await poll(app);
      let requests = 0;
      const client = openConfiguredClient(app.config);
      const away: FetchClient = {
        fetch: (request, signal) => {
          requests += 1;
          return client.fetch({ ...request, url: request.url.replace(site.url, 'http://127.0.0.1:65535') }, signal);
        },
      };
      app.now += HOUR;
      expect(await pollDue(app, SITES, { openClient: () => away, wait: waitOf(app) })).toMatchObject([
        { outcome: { after: { reason: expect.stringContaining('no connection') } } },
      ]);
      expect(requests).toBe(1);
    });

    it('raise an alert after a day of failures, and resolve it with the first success', async () => {
      const store = await open();
      const { app, site } = await openNewsroom(store, 'wordpress');
      await poll(app);
      site.instead = () => new Response('', { status: 500 });
      await poll(app, HOUR);
      const since = rfc3339(app.now);
      await poll(app, DAY - MINUTE);
      expect(await openAlerts(store.db)).toEqual([]);
      await poll(app, 4 * HOUR);
      const [alert] = await openAlerts(store.db);
      expect(alert?.message).toBe(
        `times is failing since ${since}: ${site.url}/wp-json/wp/v2/posts answered 500. ` +
          'Its articles stay as they are.',
      );
      site.instead = null;
      await poll(app, 4 * HOUR);
      expect(await openAlerts(store.db)).toEqual([]);
    });

    it('connect to no private address that the configuration does not allow, and say which key allows it', async () => {
      const store = await open();
      const { app, site } = await openNewsroom(store, 'wordpress');
      app.config.fetch.allow = [];
      expect(await poll(app)).toMatchObject({
        kind: 'failed',
        problem: `${site.url}/: its address is not public: if it is yours, name its network in fetch.allow`,
      });
      expect(site.requests).toEqual([]);
    });

    it('reject one post that cannot be read, and bring the others', async () => {
      const store = await open();
      const { app, posts } = await openNewsroom(store, 'wordpress');
      const post = posts[0]!;
      Object.assign(post, { slug: null });
      expect(await poll(app)).toMatchObject({ result: { added: 11, rejectedCount: expect.any(Number) } });
      expect(await findArticles(store.db, ['times.1'])).toEqual([]);
      const [rejection] = await store.db.selectFrom('rejections').selectAll().execute();
      expect(rejection).toMatchObject({ source: 'times/1' });
      expect(rejection?.problems).toContain('the post cannot be read: slug');
    });

    it('read all posts again when the rules of the source change, and only then', async () => {
      const store = await open();
      const { app } = await openNewsroom(store, 'wordpress');
      await poll(app);
      expect((await findArticle(store.db, 'times.2'))?.section).toBeNull();
      Object.assign(app.config.sources[0]!, { sections: { Opinion: 'trending' } });
      expect(await poll(app)).toMatchObject({ kind: 'polled', result: { added: 0, updated: 4 } });
      expect((await findArticle(store.db, 'times.2'))?.section).toBe('trending');
      expect(await pollDue(app, SITES, { wait: waitOf(app) })).toEqual([]);
    });

    it('leave articles of withdrawn posts where the configuration says so', async () => {
      const store = await open();
      const { app, posts } = await openNewsroom(store, 'wordpress', { source: 'withdrawn: leave' });
      await poll(app);
      for (const post of posts.slice(0, 2)) post.state = 'deleted';
      await poll(app, 16 * MINUTE);
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 0, left: 2 } });
      expect(await poll(app, 16 * MINUTE)).toMatchObject({ result: { retracted: 0, left: 0 } });
      expect(await stateOf(store, 'times.1')).toBe('published');
    });
  });
});
