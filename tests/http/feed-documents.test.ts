import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { saveDocuments } from '../../src/feeds/documents.ts';
import { httpDate } from '../../src/http/conditional.ts';
import type { Store } from '../../src/store/store.ts';
import { HOUR, SECOND } from '../../src/time.ts';
import { forEachDatabase } from '../databases.ts';
import { NOW, openSite, type TestSite } from './newsroom.ts';

const RSS =
  '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>三星 & co</title></channel></rss>';
const CHROMIUM = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const PUBLISHED = NOW - HOUR;

describe('a published feed', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openSite(store);
      const drafts = [
        { path: 'latest.rss', mediaType: 'application/rss+xml; charset=utf-8', body: RSS },
        { path: 'latest.atom', mediaType: 'application/atom+xml; charset=utf-8', body: '<feed/>' },
        { path: 'latest.json', mediaType: 'application/feed+json', body: '{}' },
        { path: 'index.html', mediaType: 'text/html; charset=utf-8', body: '<!doctype html><title>Feeds</title>' },
      ];
      await saveDocuments(store.db, drafts, PUBLISHED);
    });

    it('is served byte for byte with its validators, to anyone', async () => {
      const response = await site.get('/feeds/latest.rss');
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(RSS);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/rss+xml; charset=utf-8',
        'content-length': String(Buffer.byteLength(RSS)),
        etag: `"${createHash('sha256').update(RSS).digest('hex')}"`,
        'last-modified': httpDate(PUBLISHED),
        'cache-control': 'public, max-age=300',
        vary: 'Accept',
        'access-control-allow-origin': '*',
        'x-content-type-options': 'nosniff',
      });
      expect(response.headers.get('Set-Cookie')).toBeNull();
    });

    it('has the type that is asked for, and for a browser one that it shows', async () => {
      const own = 'application/rss+xml; charset=utf-8';
      const shown = 'application/xml; charset=utf-8';
      for (const [accept, type] of [
        [CHROMIUM, shown],
        ['application/atom+xml, text/html', shown],
        ['application/rss+xml, text/html;q=0.5', own],
        ['APPLICATION/RSS+XML,TEXT/HTML', own],
        ['*/*', own],
      ] as const) {
        const { headers } = await site.get('/feeds/latest.rss', { Accept: accept });
        expect([accept, headers.get('Content-Type'), headers.get('Vary')]).toEqual([accept, type, 'Accept']);
      }
    });

    it('in JSON has one type for all', async () => {
      const response = await site.get('/feeds/latest.json', { Accept: CHROMIUM });
      expect(response.headers.get('Content-Type')).toBe('application/feed+json');
      expect(response.headers.get('Vary')).toBeNull();
    });

    it('is not sent again to who has it', async () => {
      const { headers } = await site.get('/feeds/latest.atom');
      const etag = headers.get('ETag') as string;
      const conditions: Record<string, string>[] = [
        { 'If-None-Match': etag },
        { 'If-None-Match': `"other", W/${etag}` },
        { 'If-None-Match': '*' },
        { 'If-Modified-Since': headers.get('Last-Modified') as string },
      ];
      for (const condition of conditions) {
        const response = await site.get('/feeds/latest.atom', condition);
        expect([condition, response.status]).toEqual([condition, 304]);
        expect(await response.text()).toBe('');
        expect(response.headers.get('ETag')).toBe(etag);
        expect(response.headers.get('Cache-Control')).toBe('public, max-age=300');
        expect(response.headers.get('Vary')).toBe('Accept');
        expect(response.headers.get('Content-Type')).toBeNull();
      }
      const stale = { 'If-None-Match': '"other"', 'If-Modified-Since': headers.get('Last-Modified') as string };
      expect((await site.get('/feeds/latest.atom', stale)).status).toBe(200);
    });

    it('says no Last-Modified later than now', async () => {
      site.at(PUBLISHED - 10 * SECOND);
      const response = await site.get('/feeds/latest.rss');
      expect(response.headers.get('Last-Modified')).toBe(httpDate(PUBLISHED - 10 * SECOND));
    });

    it('answers HEAD as GET, without a body', async () => {
      const get = await site.get('/feeds/latest.rss');
      const head = await site.app.request('/feeds/latest.rss', { method: 'HEAD' });
      expect(head.status).toBe(200);
      expect(await head.text()).toBe('');
      expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(get.headers));
    });

    it('lets a browser of another origin ask first', async () => {
      const response = await site.app.request('/feeds/latest.json', {
        method: 'OPTIONS',
        headers: { Origin: 'https://reader.example', 'Access-Control-Request-Headers': 'if-none-match' },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
      expect(response.headers.get('Access-Control-Allow-Headers')).toContain('If-None-Match');
    });

    it('has a page for people beside it', async () => {
      expect(await site.read('/feeds/')).toContain('<title>Feeds</title>');
      const bare = await site.get('/feeds');
      expect(bare.status).toBe(301);
      expect(bare.headers.get('Location')).toBe('/feeds/');
    });

    it('is there by its own name alone', async () => {
      const paths = [
        'nothing.rss',
        'latest.rss/',
        '..%2flatest.rss',
        '%00',
        'LATEST.rss',
        'latest.rss%0A',
        'x'.repeat(500),
      ];
      for (const path of paths) {
        const response = await site.get(`/feeds/${path}`);
        expect([path, response.status]).toEqual([path, 404]);
        expect(response.headers.get('Content-Type')).toMatch(/^text\/plain/);
        expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
      }
      expect(site.logged).toEqual([]);
    });
  });
});
