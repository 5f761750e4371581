import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { article, NOW, openTestSite, save, type TestSite } from '../../app/test-site.ts';
import { openTwice } from '../../core/schedule/two-processes.ts';
import { sampleConfig } from '../../support/sample.ts';

const config = sampleConfig();
const templates = openTemplates(config.paths.templates, config.publication.zone);
const PATHS = [
  'latest.rss',
  'latest.atom',
  'latest.json',
  'section/world.atom',
  'custom.json?kind=brief&section=world',
  '',
];

describe('two web processes on one store', () => {
  it.each(['sqlite', 'postgres'] as const)(
    'respond alike, in every coding, as soon as one of them has published (%s)',
    async (dialect) => {
      const [one, other] = await openTwice(dialect);
      const sites = [openTestSite(one), openTestSite(other)];
      const seen = new Set<string>();
      for (let turn = 0; turn < 4; turn++) {
        const now = NOW + turn * MINUTE;
        for (const site of sites) site.at(now);
        const [publishing, asked] = turn % 2 === 0 ? [one, sites[1]] : [other, sites[0]];
        await publish(publishing, article(`a${turn}`, { section: 'world' }), now);
        // The process that did not publish serves the new feed as well.
        const latest = await (asked as TestSite).get('/feeds/latest.json');
        expect(await latest.text()).toContain(`articles/a${turn}`);
        for (const path of PATHS) {
          for (const coding of ['identity', 'gzip', 'br']) {
            const [first, second] = await Promise.all(sites.map((site) => answer(site, path, coding)));
            expect(second).toEqual(first);
            seen.add(`${path} ${first?.headers.etag}`);
          }
        }
      }
      // Every document changed each time, except the index page.
      expect(seen.size).toBe((PATHS.length - 1) * 3 * 4 + 3);
    },
  );

  it('wait for the publish of a saved article before they build a derived feed', async () => {
    const [one, other] = await openTwice('sqlite');
    const sites = [openTestSite(one), openTestSite(other)] as const;
    await publish(one, article('a', { section: 'world' }), NOW);
    const path = 'section/world.atom';
    const before = await answer(sites[0], path, 'identity');
    for (const site of sites) site.at(NOW + MINUTE);
    await save(one, article('b', { section: 'world', publishedAt: NOW + MINUTE }));
    // The first process has it in its cache; the other has to build it.
    expect(await answer(sites[0], path, 'identity')).toEqual(before);
    const asked = answer(sites[1], path, 'identity');
    await publish(one, article('c', { section: 'world' }), NOW + MINUTE);
    await other.db.deleteFrom('pending_changes').execute();
    const after = await asked;
    expect(Buffer.from(after.body, 'base64').toString()).toContain('articles/c');
    expect(after.headers['last-modified']).not.toBe(before.headers['last-modified']);
    expect(await answer(sites[0], path, 'identity')).toEqual(after);
  });

  async function publish(store: Store, story: Article, now: number): Promise<void> {
    await save(store, story);
    await publishFeeds(store, config, templates, { now, hasChanges: true });
  }

  async function answer(site: TestSite, path: string, coding: string) {
    const response = await site.get(`/feeds/${path}`, { 'Accept-Encoding': coding });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()).toString('base64'),
    };
  }
});
