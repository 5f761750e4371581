import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { article, NOW } from '../app/test-site.ts';
import { type FeedServer, openFeedServer } from './feed-server.ts';
import { isInstalled, run } from './programs.ts';

describe.runIf(isInstalled('newsboat', 'newsboat', ['--version']))('newsboat', () => {
  let server: FeedServer;
  beforeEach(async () => {
    server = await openFeedServer();
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
