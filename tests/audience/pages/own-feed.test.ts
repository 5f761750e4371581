import { beforeEach, describe, expect, it } from 'vitest';
import { choiceText, EVERYTHING } from '../../../src/articles/choice.ts';
import { moveSubscription } from '../../../src/audience/consent/changes.ts';
import { eraseSubscriber } from '../../../src/audience/erasure.ts';
import { changeOwnFeed, findOwnFeed, listOwnFeeds } from '../../../src/audience/own-feed.ts';
import { suppressAddress } from '../../../src/audience/suppression.ts';
import { ownFeedToken, preferencesToken } from '../../../src/audience/tokens.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { inTransaction, type Store } from '../../../src/core/store/store.ts';
import { MEDIA_TYPES } from '../../../src/feeds/formats/feed-view.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { DAY, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { article, NOW, openTestSite, preferencesPath, save, type TestSite } from '../../app/test-site.ts';
import { validateFeed } from '../../feeds/formats/validator.ts';
import { HAS_XMLLINT, xmllint } from '../../feeds/formats/xmllint.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { htmlFaults } from '../../support/html-faults.ts';
import { recordQueries } from '../../support/recorded-queries.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';
import { addConfirmed } from '../fixtures.ts';

const NEWSLETTER = 'daily-roundup';
const mei = { role: 'reporter' as const, name: 'Mei Tan', email: null };

/** The sample configuration with choices. @param select of the newsletter */
function configWith(select: Config['newsletters'][number]['select'] = {}): Config {
  const config = sampleConfig();
  const choices = { sections: true, tags: ['Chips', 'A.I.'], reporters: true };
  const change = { title: 'Daily & <Roundup> ]]> "🚀"', select, choices };
  const newsletters = config.newsletters.map((one) => (one.id === NEWSLETTER ? { ...one, ...change } : one));
  return { ...config, newsletters };
}

async function publish(store: Store, config: Config, now: number): Promise<void> {
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  await publishFeeds(store, config, templates, { now, hasChanges: true });
}

/** Saves stories and publishes them. Each has another reason to be chosen. */
async function saveStories(store: Store, config: Config): Promise<void> {
  const at = (minutes: number) => ({ publishedAt: NOW - minutes * MINUTE, updatedAt: NOW - minutes * MINUTE });
  await save(
    store,
    article('in-world', { ...at(10), section: 'world' }),
    article('of-chips', { ...at(20), section: 'trending', tags: ['Chips'] }),
    article('by-mei', { ...at(30), section: 'trending', bylines: [mei] }),
    article('in-world-by-mei', { ...at(40), section: 'world', tags: ['Chips'], bylines: [mei] }),
    article('of-none', { ...at(50), section: 'trending', tags: ['Else'] }),
    article('an-edition', { ...at(5), kind: 'roundup', section: 'world' }),
  );
  await publish(store, config, NOW - SECOND);
}

const titlesIn = (feed: string): string[] =>
  [...feed.matchAll(/Headline of ([a-z-]+)(?=["<\]])/g)].map(([, id]) => id ?? '');

describe('a private feed', () => {
  forEachDatabase((open) => {
    const config = configWith();
    let store: Store;
    let site: TestSite;
    let id: number;
    beforeEach(async () => {
      store = await open();
      await saveStories(store, config);
      site = openTestSite(store, config);
      id = await addConfirmed(store, 'ada@example.com', [NEWSLETTER], NOW - DAY);
    });
    const act = (one: 'make' | 'only' | 'renew' | 'end', to = site): Promise<Response> =>
      to.post(`${preferencesPath(id)}/feed`, [
        ['newsletter', NEWSLETTER],
        ['act', one],
      ]);
    const choose = async (choice: object, subscriber = id): Promise<void> => {
      const text = choiceText({ ...EVERYTHING, ...choice });
      await store.db
        .updateTable('subscriptions')
        .set({ choice: text })
        .where('subscriber_id', '=', subscriber)
        .execute();
    };
    const pathOf = async (format = 'rss', subscriber = id): Promise<string> => {
      const rows = store.db.selectFrom('subscriptions').selectAll().where('subscriber_id', '=', subscriber);
      const { feed_version: version } = await rows.executeTakeFirstOrThrow();
      return `/feeds/mine/${ownFeedToken(SECRETS, { subscriberId: subscriber, newsletter: NEWSLETTER, version })}.${format}`;
    };
    const changes = async (): Promise<unknown[]> => {
      const events = store.db.selectFrom('consent_events').selectAll().where('channel', '=', 'preferences');
      const rows = await events.orderBy('id').execute();
      return rows.map(({ change, newsletter, consent_text }) => [change, newsletter, consent_text !== null]);
    };

    it('has the stories of a chosen section, topic or reporter, newest first, in three formats', async () => {
      await act('make');
      await choose({ sections: ['world'], tags: ['chips'], reporters: ['mei-tan'], atLeast: 9 });
      for (const format of ['rss', 'atom', 'json'] as const) {
        const response = await site.get(await pathOf(format));
        expect([response.status, response.headers.get('Content-Type')]).toEqual([200, MEDIA_TYPES[format]]);
        const feed = await response.text();
        expect([...new Set(titlesIn(feed))]).toEqual(['in-world', 'of-chips', 'by-mei', 'in-world-by-mei']);
        expect(feed).toContain(`http://127.0.0.1:8080${await pathOf(format)}`);
        expect(feed).toContain('Chips, Mei Tan');
        if (format !== 'json')
          expect(validateFeed(feed, `http://127.0.0.1:8080${await pathOf(format)}`, NOW)).toEqual([]);
        if (format !== 'json' && HAS_XMLLINT) expect(xmllint([feed])).toBe('');
      }
    });

    it('has all stories of the newsletter where nothing is chosen, and none of its own editions', async () => {
      await act('make');
      const feed = await site.read(await pathOf('json'));
      expect(titlesIn(feed)).toEqual(['in-world', 'of-chips', 'by-mei', 'in-world-by-mei', 'of-none']);
      const published = JSON.parse(await site.read('/feeds/latest.json')) as { items: { id: string }[] };
      const { items } = JSON.parse(feed) as typeof published;
      const byId = new Map(published.items.map((item) => [item.id, item]));
      expect(items).toEqual(items.map((item) => byId.get(item.id)));
    });

    it('has all stories again once the newsletter has no choices', async () => {
      await act('make');
      await choose({ sections: ['world'] });
      const plain = openTestSite(store, sampleConfig());
      const stories = ['in-world', 'of-chips', 'by-mei', 'in-world-by-mei', 'of-none'];
      expect(titlesIn(await plain.read(await pathOf('json')))).toEqual(stories);
    });

    it('narrows what the newsletter selects, also by tags that both name', async () => {
      const narrow = configWith({ sections: ['trending'], tags: ['Chips', 'Else'] });
      const to = openTestSite(store, narrow);
      await act('make', to);
      const chosen = async (choice: object): Promise<string[]> => {
        await choose(choice);
        return titlesIn(await to.read(await pathOf('json')));
      };
      expect(await chosen({})).toEqual(['of-chips', 'of-none']);
      expect(await chosen({ tags: ['chips'] })).toEqual(['of-chips']);
      expect(await chosen({ sections: ['world'], tags: ['else'] })).toEqual(['of-none']);
      expect(await chosen({ sections: ['world'], reporters: ['mei-tan'] })).toEqual([]);
    });

    it('reports a retracted story only to those who chose it', async () => {
      await act('make');
      const status = { state: 'retracted' as const, note: 'It was wrong.', at: NOW };
      const publishedAt = NOW - 20 * MINUTE;
      await save(store, article('of-chips', { publishedAt, status, section: 'trending', tags: ['Chips'] }));
      await publish(store, config, NOW + SECOND);
      site.at(NOW + 2 * SECOND);
      const deleted = async (choice: object): Promise<boolean> => {
        await choose(choice);
        const feed = await site.read(await pathOf('atom'));
        expect(titlesIn(feed)).not.toContain('of-chips');
        return feed.includes('at:deleted-entry');
      };
      expect([await deleted({ tags: ['chips'] }), await deleted({ sections: ['world'] })]).toEqual([true, false]);
    });

    it('is private: no shared cache, search engine, hub, referrer, page for browsers or log has it', async () => {
      await act('make');
      const path = await pathOf('atom');
      const response = await site.get(path, {
        'Sec-Fetch-Dest': 'document',
        'Sec-Fetch-Mode': 'navigate',
        'Accept-Encoding': 'gzip, br',
      });
      expect(response.status).toBe(200);
      const headers = Object.fromEntries(response.headers);
      expect(headers).toMatchObject({
        'cache-control': 'private, no-cache',
        'x-robots-tag': 'noindex',
        'referrer-policy': 'no-referrer',
        link: `<http://127.0.0.1:8080${path}>; rel="self"`,
        'access-control-allow-origin': '*',
      });
      expect(headers['last-modified']).toBeUndefined();
      const body = Buffer.from(await response.arrayBuffer());
      expect(Number(headers['content-length'])).toBe(body.length);
      expect(body.toString()).not.toContain('rel="hub"');
      const token = path.slice('/feeds/mine/'.length, -'.atom'.length);
      for (const page of ['/', '/robots.txt', '/sitemap.xml', '/sitemap-pages.xml', '/feeds/feeds.opml']) {
        expect(await (await site.get(page)).text()).not.toContain(token);
      }
      expect((await site.app.request(path, { method: 'OPTIONS' })).status).toBe(204);
      const head = await site.app.request(path, { method: 'HEAD' });
      expect([head.status, head.headers.get('ETag'), await head.text()]).toEqual([200, headers.etag, '']);
      expect(await site.app.request(`${path.replace('.atom', '')}/view`)).toMatchObject({ status: 404 });
      expect(site.logged).toEqual([]);
    });

    it('is unchanged by its entity tag until a publish or another choice, in every process', async () => {
      await act('make');
      const path = await pathOf();
      const tag = async (): Promise<string> => (await site.get(path)).headers.get('ETag') as string;
      const first = await tag();
      const again = openTestSite(store, config);
      const unchanged = await again.get(path, { 'If-None-Match': first });
      expect([unchanged.status, unchanged.headers.get('Cache-Control')]).toEqual([304, 'private, no-cache']);
      expect(await again.read(path)).toBe(await site.read(path));
      await choose({ sections: ['world'] });
      const date = new Date(NOW).toUTCString();
      expect((await site.get(path, { 'If-Modified-Since': date, 'If-None-Match': first })).status).toBe(200);
      const second = await tag();
      await save(store, article('new', { publishedAt: NOW, section: 'world' }));
      await publish(store, config, NOW + SECOND);
      site.at(NOW + 2 * SECOND);
      expect(new Set([first, second, await tag()]).size).toBe(3);
    });

    it('is built once for all subscribers with the same choice, each with an own address in it', async () => {
      const { store: recorded, takeQueries } = recordQueries(store);
      const to = openTestSite({ ...store, reports: recorded.db }, config);
      const choices = [{}, { sections: ['world'] }, { tags: ['chips'] }, { sections: ['world'], atLeast: 2 }];
      const bodies = new Set<string>();
      for (let count = 0; count < 40; count++) {
        const subscriber = await addConfirmed(store, `reader${count}@example.com`, [NEWSLETTER], NOW - DAY);
        await choose(choices[count % choices.length] as object, subscriber);
        const via = { channel: 'preferences' } as const;
        await changeOwnFeed(store.db, { subscriberId: subscriber, newsletter: NEWSLETTER }, 'make', via, NOW);
        const path = await pathOf('json', subscriber);
        const body = await to.read(path);
        expect(body).toContain(`"feed_url": "http://127.0.0.1:8080${path}"`);
        bodies.add(body);
      }
      // Each build asks once for retracted stories.
      const builds = takeQueries().filter(({ sql }) => sql.includes('with retracted'));
      expect([bodies.size, builds.length]).toEqual([40, 3]);
      const placeholder = ownFeedToken(SECRETS, { subscriberId: 0, newsletter: NEWSLETTER, version: 0 });
      expect([...bodies].filter((body) => body.includes(placeholder))).toEqual([]);
    });

    it('is gone once renewed, ended or erased, and does not exist behind a token of another kind', async () => {
      const status = async (path: string): Promise<number> => (await site.get(path)).status;
      expect(await status(await pathOf())).toBe(410);
      await act('make');
      const first = await pathOf();
      await act('renew');
      const second = await pathOf();
      expect([await status(first), await status(second)]).toEqual([410, 200]);
      const gone = await site.get(first);
      expect(await gone.text()).toContain('This feed has ended');
      expect(gone.headers.get('X-Robots-Tag')).toBe('noindex');
      await act('end');
      expect([await status(second), await status(await pathOf())]).toEqual([410, 410]);
      await act('make');
      const third = await pathOf();
      expect([await status(second), await status(third)]).toEqual([410, 200]);
      const preferences = preferencesToken(SECRETS, { subscriberId: id, version: 1, expiresAt: NOW + DAY });
      const forged = third.replace(/.\.rss$/, '.rss');
      for (const path of [forged, `/feeds/mine/${preferences}.rss`, third.replace('.rss', '.xml')]) {
        expect([path, await status(path)]).toEqual([path, 404]);
      }
      await eraseSubscriber(store.db, SECRETS, id, NOW);
      expect(await status(third)).toBe(410);
    });

    it('keeps its address and choice after changes to the weekly and back, and can be changed there', async () => {
      await act('make');
      const path = await pathOf();
      const via = { channel: 'preferences' } as const;
      const move = (from: string, to: string) =>
        inTransaction(store.db, (tx) => moveSubscription(tx, id, { from, to }, via, NOW));
      await choose({ sections: ['world'] });
      await move(NEWSLETTER, 'weekly-roundup');
      expect(titlesIn(await site.read(path))).toEqual(['in-world', 'in-world-by-mei']);
      const feeds = await listOwnFeeds(store.db, config, SECRETS, id);
      expect(feeds).toMatchObject([
        { newsletter: NEWSLETTER, isMailed: false, address: expect.stringContaining(path) },
      ]);
      // Nothing of it is mailed, and its fields are unfolded.
      expect((await site.read(preferencesPath(id))).match(/<details class="choose" open>/g)).toHaveLength(1);
      await site.post(preferencesPath(id), [
        ...[['newsletter', 'weekly-roundup'] as const, ['zone', ''] as const, ['paused', ''] as const].map(
          ([name, value]): [string, string] => [name, value],
        ),
        [`tags:${NEWSLETTER}`, 'chips'],
      ]);
      expect(titlesIn(await site.read(path))).toEqual(['of-chips', 'in-world-by-mei']);
      await move('weekly-roundup', NEWSLETTER);
      expect((await site.get(path)).status).toBe(200);
      await act('renew');
      expect((await site.get(path)).status).toBe(410);
    });

    it('stays for a suppressed address, a paused subscriber, and after unsubscribing from the mail', async () => {
      await act('make');
      const path = await pathOf();
      await suppressAddress(store.db, SECRETS, id, 'hard-bounce', { channel: 'bounce' }, NOW);
      await store.db
        .updateTable('subscribers')
        .set({ paused_until: NOW + DAY })
        .execute();
      expect((await site.get(path)).status).toBe(200);
      await site.post(preferencesPath(id), [
        ['zone', ''],
        ['paused', ''],
      ]);
      const { state } = await store.db.selectFrom('subscriptions').select('state').executeTakeFirstOrThrow();
      expect([state, (await site.get(path)).status]).toEqual(['unsubscribed', 200]);
    });

    it('alone ends the mail, and both are recorded with the wording that was shown', async () => {
      const html = await site.read(preferencesPath(id));
      const consent = /name="consent" value="(\w+)"/.exec(html)?.[1] as string;
      const response = await site.post(`${preferencesPath(id)}/feed`, [
        ['newsletter', NEWSLETTER],
        ['act', 'only'],
        ['consent', consent],
      ]);
      expect(response.status).toBe(303);
      expect(await changes()).toEqual([
        ['feed-wanted', NEWSLETTER, true],
        ['unsubscribed', NEWSLETTER, false],
      ]);
      // Leaving the last newsletter ends earlier links: the redirect has a new one.
      const page = await site.read(response.headers.get('Location') as string);
      expect(page).toContain('You get this newsletter as a feed only');
      expect(page).toContain(`<code class="address">http://127.0.0.1:8080${await pathOf()}</code>`);
      expect(page).not.toContain('value="only"');
      expect([...(await htmlFaults(html)), ...(await htmlFaults(page))]).toEqual([]);
    });

    it('is recorded once when made or ended twice, and nothing is wanted after mail and feed end', async () => {
      for (const one of ['renew', 'end', 'make', 'make', 'renew', 'only'] as const) await act(one);
      const path = preferencesPath(id, { version: 2 });
      for (const one of ['end', 'end', 'only', 'end']) {
        await site.post(`${path}/feed`, [
          ['newsletter', NEWSLETTER],
          ['act', one],
        ]);
      }
      expect((await changes()).map((change) => (change as string[])[0])).toEqual([
        ...['feed-wanted', 'unsubscribed', 'feed-ended', 'feed-wanted', 'feed-ended'],
      ]);
      const row = await store.db.selectFrom('subscriptions').selectAll().executeTakeFirstOrThrow();
      expect(row).toMatchObject({ state: 'unsubscribed', feed_since: null, feed_version: 5 });
      const key = { subscriberId: id, newsletter: NEWSLETTER, version: 5 };
      expect(await findOwnFeed(store.db, key, {})).toBeNull();
    });

    it('is changed neither by a GET, nor for a newsletter without a subscription, nor too often', async () => {
      expect((await site.get(`${preferencesPath(id)}/feed?newsletter=${NEWSLETTER}&act=make`)).status).toBe(303);
      await changeOwnFeed(store.db, { subscriberId: id, newsletter: 'none' }, 'make', { channel: 'preferences' }, NOW);
      expect(await changes()).toEqual([]);
      const statuses = [];
      for (let count = 0; count < 31; count++) statuses.push((await act('renew')).status);
      expect([statuses.slice(0, 30), statuses[30]]).toEqual([Array(30).fill(303), 429]);
    });
  });

  it('is offered for newsletters with choices, and shown as long as it is wanted', async () => {
    const store = await openMigrated();
    const id = await addConfirmed(store, 'ada@example.com', [NEWSLETTER], NOW - DAY);
    const plain = openTestSite(store, sampleConfig());
    expect(await plain.read(preferencesPath(id))).not.toContain('/feed"');
    expect(await openTestSite(store, configWith()).read(preferencesPath(id))).toContain('value="make"');
    const key = { subscriberId: id, newsletter: NEWSLETTER };
    await changeOwnFeed(store.db, key, 'make', { channel: 'preferences' }, NOW);
    expect(await plain.read(preferencesPath(id))).toContain('value="end"');
  });
});
