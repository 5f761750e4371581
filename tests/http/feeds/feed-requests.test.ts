import { describe, expect, it } from 'vitest';
import { saveDocuments } from '../../../src/feeds/documents.ts';
import type { FeedAnswer } from '../../../src/feeds/readers/reader-counts.ts';
import { countFeedRequest } from '../../../src/http/feeds/feed-requests.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { NOW, openTestSite } from '../test-site.ts';

function listening() {
  const heard: [path: string, userAgent: string | null | undefined, answer: FeedAnswer][] = [];
  const readers = { count: (...one: (typeof heard)[number]) => void heard.push(one) };
  return { heard, readers };
}

describe('a request of a feed', () => {
  forEachDatabase((open) => {
    it('is counted with the reader that sent it and how it was answered', async () => {
      const store = await open();
      const { heard, readers } = listening();
      const site = openTestSite(store, undefined, { readers });
      const drafts = [
        { path: 'latest.rss', mediaType: 'application/rss+xml; charset=utf-8', body: '<rss/>' },
        { path: 'latest.json', mediaType: 'application/feed+json', body: '{}' },
        { path: 'feeds.opml', mediaType: 'text/x-opml; charset=utf-8', body: '<opml/>' },
        { path: 'index.html', mediaType: 'text/html; charset=utf-8', body: '<!doctype html><title>Feeds</title>' },
      ];
      await saveDocuments(store.db, drafts, NOW - HOUR);
      const first = await site.get('/feeds/latest.rss', { 'User-Agent': 'newsboat/2.32.0' });
      const ETag = first.headers.get('ETag') as string;
      await site.get('/feeds/latest.rss', { 'User-Agent': 'newsboat/2.32.0', 'If-None-Match': ETag });
      await site.get('/feeds/latest.json');
      await site.app.request('/feeds/latest.json', { method: 'HEAD' });
      for (const path of ['feeds.opml', 'index.html', '', 'nothing.rss', 'latest.rss/'])
        await site.get(`/feeds/${path}`);
      await site.get('/feeds');
      await site.get('/');
      await site.app.request('/feeds/latest.rss', { method: 'OPTIONS' });
      expect(heard).toEqual([
        ['latest.rss', 'newsboat/2.32.0', 'full'],
        ['latest.rss', 'newsboat/2.32.0', 'unchanged'],
        ['latest.json', undefined, 'full'],
        ['latest.json', undefined, 'full'],
      ]);
    });
  });

  it.each([
    [200, 'full'],
    [304, 'unchanged'],
  ])('answered %i counts as %s', (status, answer) => {
    const { heard, readers } = listening();
    countFeedRequest({ readers }, 'latest.atom', 'curl/8.5.0', status);
    expect(heard).toEqual([['latest.atom', 'curl/8.5.0', answer]]);
  });

  it.each([206, 301, 404, 410, 429, 500, 503])('answered %i is not counted', (status) => {
    const { heard, readers } = listening();
    countFeedRequest({ readers }, 'latest.atom', 'curl/8.5.0', status);
    expect(heard).toEqual([]);
  });
});
