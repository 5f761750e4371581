import { describe, expect, it } from 'vitest';
import type { FeedAnswer } from '../../../src/feeds/readers/reader-counts.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { NOW, openTestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { publishDocuments } from '../../support/documents.ts';

describe('requests of feeds', () => {
  forEachDatabase((open) => {
    it('are counted with reader and response; pages, OPML, errors and redirects are not', async () => {
      const store = await open();
      const counted: [path: string, userAgent: string | null | undefined, answer: FeedAnswer][] = [];
      const readers = { count: (...one: (typeof counted)[number]) => void counted.push(one) };
      const site = openTestSite(store, undefined, { readers });
      const drafts = [
        { path: 'latest.rss', mediaType: 'application/rss+xml; charset=utf-8', body: '<rss/>' },
        { path: 'latest.json', mediaType: 'application/feed+json', body: '{}' },
        { path: 'feeds.opml', mediaType: 'text/x-opml; charset=utf-8', body: '<opml/>' },
        { path: 'index.html', mediaType: 'text/html; charset=utf-8', body: '<!doctype html><title>Feeds</title>' },
      ];
      await publishDocuments(store, drafts, NOW - HOUR);
      const first = await site.get('/feeds/latest.rss', { 'User-Agent': 'newsboat/2.32.0' });
      const ETag = first.headers.get('ETag') as string;
      await site.get('/feeds/latest.rss', { 'User-Agent': 'newsboat/2.32.0', 'If-None-Match': ETag });
      await site.get('/feeds/latest.json');
      await site.app.request('/feeds/latest.json', { method: 'HEAD' });
      // No feeds, unknown, invalid, not published yet.
      const others = ['feeds.opml', 'index.html', '', 'none.rss', 'latest.rss/', 'custom.rss?x=y', 'latest.atom'];
      for (const path of others) await site.get(`/feeds/${path}`);
      await site.get('/feeds');
      await site.get('/');
      for (const method of ['OPTIONS', 'POST']) await site.app.request('/feeds/latest.rss', { method });
      expect(counted).toEqual([
        ['latest.rss', 'newsboat/2.32.0', 'full'],
        ['latest.rss', 'newsboat/2.32.0', 'unchanged'],
        ['latest.json', undefined, 'full'],
        ['latest.json', undefined, 'full'],
      ]);
    });
  });
});
