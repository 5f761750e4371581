import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { SECOND } from '../../../src/lib/time.ts';
import { httpDate } from '../../../src/web/server/conditional.ts';
import { NOW, openTestSite, saveDay, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { recordQueries } from '../../support/recorded-queries.ts';
import { sampleConfig } from '../../support/sample.ts';

const config = sampleConfig();
const templates = openTemplates(config.paths.templates, config.publication.zone);

async function publish(store: Store, now: number): Promise<void> {
  await publishFeeds(store, config, templates, { now, hasChanges: true });
}

describe('a derived feed', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      await saveDay(store);
      await publish(store, NOW - SECOND);
      site = openTestSite(store, config);
    });

    it('is served like a published feed, with validators, codings and its canonical address', async () => {
      const response = await site.get('/feeds/custom.atom?section=world&kicker=&section=business-tech', {
        'Accept-Encoding': 'br',
      });
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/atom+xml; charset=utf-8',
        'content-encoding': 'br',
        'last-modified': httpDate(NOW - SECOND),
        link: '<http://127.0.0.1:8080/feeds/custom.atom?section=business-tech&section=world>; rel="self"',
        'access-control-allow-origin': '*',
      });
      const again = await site.get('/feeds/custom.atom?section=business-tech&section=world', {
        'If-None-Match': response.headers.get('ETag') as string,
      });
      expect([again.status, await again.text()]).toEqual([304, '']);
      expect(await site.read('/feeds/reporter/mei-tan.rss')).toContain('<title>The Meridian Wire: Mei Tan</title>');
      expect(await site.read('/feeds/reporter/%E9%99%88%E6%80%9D.json')).toBe(
        await site.read('/feeds/reporter/陈思.json'),
      );
    });

    it('of a search is read in a thread, as a page of results', async () => {
      const { store: recorded, takeQueries } = recordQueries(store);
      const feed = await openTestSite({ ...store, reports: recorded.db }, config).read('/feeds/custom.json?q=headline');
      expect(feed).toContain('"title":');
      expect(takeQueries().length).toBeGreaterThan(1);
    });

    it('links to no hub, since none is notified of its changes', async () => {
      expect(await site.read('/feeds/latest.atom')).toContain('rel="hub"');
      expect(await site.read('/feeds/section/world.atom')).not.toContain('rel="hub"');
      expect((await site.get('/feeds/section/world.atom')).headers.get('Link')).not.toContain('hub');
    });

    it('responds with 400 and a reason to an invalid address, and with 404 to one without articles', async () => {
      const refused = await site.get('/feeds/custom.rss?sections=world');
      expect([refused.status, await refused.text()]).toEqual([
        400,
        'There is no "sections": a feed is selected by kicker, kind, reporter, section, tag, q.\n',
      ]);
      for (const path of ['tag/nosuch.rss', 'section/nosuch.atom', 'reporter/%E9.rss', 'kind/brief.rss']) {
        const response = await site.get(`/feeds/${path}`);
        expect([path, response.status]).toEqual([path, path.startsWith('section') ? 400 : 404]);
        expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
      }
    });
  });

  it('is refused to a client that requested too many, unless it is cached', async () => {
    const store = await openMigrated();
    await saveDay(store);
    await publish(store, NOW - SECOND);
    const site = openTestSite(store, config);
    expect((await site.get('/feeds/section/world.atom')).status).toBe(200);
    for (let turn = 0; turn < 299; turn++) await site.get(`/feeds/tag/made-up-${turn}.atom`);
    const refused = await site.get('/feeds/tag/one-more.atom');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('Retry-After')).toBe('1');
    expect((await site.get('/feeds/section/world.atom')).status).toBe(200);
    expect((await site.get('/feeds/latest.atom')).status).toBe(200);
  });
});
