import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changeOwnFeed } from '../../src/audience/own-feed.ts';
import { ownFeedToken } from '../../src/audience/tokens.ts';
import { article, NOW } from '../app/test-site.ts';
import { addConfirmed } from '../audience/fixtures.ts';
import { SECRETS } from '../support/sample.ts';
import { type FeedServer, openFeedServer } from './feed-server.ts';
import { isInstalled, run } from './programs.ts';

describe.runIf(isInstalled('newsboat', 'newsboat', ['--version']))('newsboat', () => {
  let server: FeedServer;
  beforeEach(async () => {
    server = await openFeedServer((config) => {
      const [daily, ...others] = config.newsletters as [(typeof config.newsletters)[number]];
      return {
        ...config,
        newsletters: [{ ...daily, choices: { sections: true, tags: [], reporters: false } }, ...others],
      };
    });
  });
  afterEach(() => server.close());

  it.each(['latest.rss', 'latest.atom'])(
    'downloads %s, gets a 304 while nothing is new, then the new story, and shows no edited story twice',
    async (path) => {
      await server.publish(article('a'), article('b', { headline: 'Vec<T> & AT&T “三星” 🚀' }));
      await writeFile(join(server.home, 'urls'), `${server.url(path)}\n`);
      await writeFile(join(server.home, 'config'), 'cleanup-on-quit no\n');
      expect(await reload()).toEqual(['Headline of a', 'Vec<T> & AT&T “三星” 🚀']);
      expect(server.takeStatuses()).toEqual([200]);

      // newsboat sends validators from the second request on.
      await reload();
      await reload();
      expect(server.takeStatuses()).toEqual([200, 304]);

      await server.publish(article('c', { publishedAt: NOW }));
      expect(await reload()).toEqual(['Headline of a', 'Headline of c', 'Vec<T> & AT&T “三星” 🚀']);
      expect(server.takeStatuses()).toEqual([200]);

      await server.publish(article('a', { headline: 'Edited', updatedAt: NOW }));
      expect(await reload()).toEqual(['Edited', 'Headline of c', 'Vec<T> & AT&T “三星” 🚀']);
      expect(server.takeStatuses()).toEqual([200]);
      await reload();
      expect(server.takeStatuses()).toEqual([304]);
    },
  );

  it.each(['rss', 'atom'])('shows the reporter of a story as its author, and not its editor: %s', async (format) => {
    const bylines = (['reporter Chen Mo', 'editor Guo Ran'] as const).map((one) => {
      const [role, ...names] = one.split(' ') as ['reporter' | 'editor', ...string[]];
      return { role, name: names.join(' '), email: null };
    });
    await server.publish(article('a', { bylines }));
    await writeFile(join(server.home, 'urls'), `${server.url(`latest.${format}`)}\n`);
    await writeFile(join(server.home, 'config'), '');
    await reload();
    const cache = new DatabaseSync(join(server.home, 'cache.db'), { readOnly: true });
    expect(cache.prepare('select author from rss_item').all()).toEqual([{ author: 'Chen Mo' }]);
    cache.close();
  });

  it.each(['rss', 'atom'])('reads a private feed as %s, also after its choice has changed', async (format) => {
    const { store } = server;
    await server.publish(article('a', { section: 'world' }), article('b', { section: 'trending' }));
    const key = { subscriberId: await addConfirmed(store, 'ada@example.com', ['daily-roundup']) };
    const feed = { ...key, newsletter: 'daily-roundup', version: 1 };
    await changeOwnFeed(store.db, feed, 'make', { channel: 'preferences' }, NOW);
    const choose = (choice: string) => store.db.updateTable('subscriptions').set({ choice }).execute();
    await choose('{"sections":["world"]}');
    await writeFile(join(server.home, 'urls'), `${server.url(`mine/${ownFeedToken(SECRETS, feed)}.${format}`)}\n`);
    await writeFile(join(server.home, 'config'), 'cleanup-on-quit no\n');
    expect(await reload()).toEqual(['Headline of a']);
    await reload();
    await reload();
    expect(server.takeStatuses()).toEqual([200, 200, 304]);
    await choose('{"sections":["trending","world"]}');
    expect(await reload()).toEqual(['Headline of a', 'Headline of b']);
    await server.publish(article('c', { section: 'world', publishedAt: NOW }));
    expect(await reload()).toEqual(['Headline of a', 'Headline of b', 'Headline of c']);
    await reload();
    expect(server.takeStatuses()).toEqual([200, 200, 304]);
  });

  /** @returns the titles in newsboat's cache, one for each item */
  async function reload(): Promise<unknown[]> {
    const { home } = server;
    const file = (name: string): string => join(home, name);
    await run('newsboat', ['-u', file('urls'), '-C', file('config'), '-c', file('cache.db'), '-x', 'reload'], { home });
    const cache = new DatabaseSync(file('cache.db'), { readOnly: true });
    const titles = cache.prepare('select title from rss_item order by title').all();
    cache.close();
    return titles.map(({ title }) => title);
  }
});
