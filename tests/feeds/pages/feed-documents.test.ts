import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { HOUR, SECOND } from '../../../src/lib/time.ts';
import { httpDate } from '../../../src/web/server/conditional.ts';
import { NOW, openTestSite, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { publishDocuments } from '../../support/documents.ts';
import { openTestLog } from '../../support/test-log.ts';

const RSS =
  '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>三星 & co</title></channel></rss>';
const ATOM = '<feed/>';
const CHROMIUM = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const PUBLISHED = NOW - HOUR;

describe('a published feed', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
      const drafts = [
        { path: 'latest.rss', mediaType: 'application/rss+xml; charset=utf-8', body: RSS },
        { path: 'latest.atom', mediaType: 'application/atom+xml; charset=utf-8', body: ATOM },
        { path: 'latest.json', mediaType: 'application/feed+json', body: '{}' },
        { path: 'index.html', mediaType: 'text/html; charset=utf-8', body: '<!doctype html><title>Feeds</title>' },
      ];
      await publishDocuments(store, drafts, PUBLISHED);
    });

    it('is served byte for byte, with validators, to any origin', async () => {
      const response = await site.get('/feeds/latest.rss');
      expect(response.status).toBe(200);
      expect(await response.text()).toBe(RSS);
      expect(Object.fromEntries(response.headers)).toEqual({
        'content-type': 'application/rss+xml; charset=utf-8',
        'content-length': String(Buffer.byteLength(RSS)),
        etag: `"${sha256(RSS)}"`,
        'last-modified': httpDate(PUBLISHED),
        'cache-control': 'public, max-age=300, stale-while-revalidate=300',
        vary: 'Accept, Accept-Encoding',
        link: '<http://127.0.0.1:8080/hub>; rel="hub", <http://127.0.0.1:8080/feeds/latest.rss>; rel="self"',
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'ETag, Last-Modified, Link',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'referrer-policy': 'strict-origin-when-cross-origin',
        'x-content-type-options': 'nosniff',
      });
    });

    it.each([
      ['latest/2026-10.atom', '/2026-10'],
      ['latest/2026-10-2.rss', '/2026-10'],
      ['world/2026-10-12.json', '/2026-10'],
      ['latest/2026-10/view', '/2026-10'],
      ['latest/2026-13.atom', ''],
      ['latest/%00.atom', ''],
      ['x.atom', ''],
    ])('had archives by month, whose addresses are gone and lead to the page of the month: %s', async (path, month) => {
      const response = await site.get(`/feeds/archive/${path}`);
      expect([response.status, response.headers.get('Content-Type')]).toEqual([410, 'text/plain; charset=UTF-8']);
      expect((await response.text()).trim()).toMatch(new RegExp(` http://127\\.0\\.0\\.1:8080/archive${month}$`));
    });

    it('is served in the accepted coding, each with its own tag', async () => {
      const tags = new Set<string | null>();
      for (const [accept, coding, decode] of [
        ['gzip', 'gzip', gunzipSync],
        ['gzip, deflate, br', 'br', brotliDecompressSync],
        ['identity', null, (body: Buffer) => body],
      ] as const) {
        const response = await site.get('/feeds/latest.rss', { 'Accept-Encoding': accept });
        expect(response.headers.get('Content-Encoding')).toBe(coding);
        const body = Buffer.from(await response.arrayBuffer());
        expect(response.headers.get('Content-Length')).toBe(String(body.length));
        expect(decode(body).toString()).toBe(RSS);
        tags.add(response.headers.get('ETag'));
      }
      const hash = sha256(RSS);
      expect([...tags]).toEqual([`"${hash}-gzip"`, `"${hash}-br"`, `"${hash}"`]);
    });

    it('has the accepted type, and for browsers one that they show', async () => {
      const own = 'application/rss+xml; charset=utf-8';
      const shown = 'application/xml; charset=utf-8';
      for (const [accept, type] of [
        [CHROMIUM, shown],
        ['application/atom+xml, text/html', shown],
        ['application/rss+xml, text/html;q=0.5', own],
        ['APPLICATION/RSS+XML,TEXT/HTML;q=0.9', own],
        ['*/*', own],
      ] as const) {
        const { headers } = await site.get('/feeds/latest.rss', { Accept: accept });
        expect([accept, headers.get('Content-Type')]).toEqual([accept, type]);
      }
    });

    it('in JSON has one type for all clients, and varies by coding only', async () => {
      const response = await site.get('/feeds/latest.json', { Accept: CHROMIUM });
      expect(response.headers.get('Content-Type')).toBe('application/feed+json');
      expect(response.headers.get('Vary')).toBe('Accept-Encoding');
      expect((await site.get('/feeds/')).headers.get('Vary')).toBe('Accept-Encoding');
    });

    it('is not sent again to a client that has it, in any coding and with a tag that a proxy changed', async () => {
      const hash = sha256(ATOM);
      const { headers } = await site.get('/feeds/latest.atom');
      const conditions: Record<string, string>[] = [
        ...[`"${hash}"`, `"${hash}-gzip"`, `"${hash}-br"`, `W/"${hash}"`, `"other", W/"${hash}-br"`, '*'],
        // Apache (after our suffix), Jetty, an older Apache.
        ...[`"${hash}-gzip-gzip"`, `"${hash}--gzip"`, `"${hash};gzip"`],
      ].map((tag) => ({ 'If-None-Match': tag }));
      conditions.push({ 'If-Modified-Since': headers.get('Last-Modified') as string });
      for (const condition of conditions) {
        for (const [accept, tag] of [
          ['identity', `"${hash}"`],
          ['gzip', `"${hash}-gzip"`],
        ] as const) {
          const response = await site.get('/feeds/latest.atom', { ...condition, 'Accept-Encoding': accept });
          expect([condition, response.status]).toEqual([condition, 304]);
          expect(await response.text()).toBe('');
          expect(Object.fromEntries(response.headers)).toEqual({
            etag: tag,
            'cache-control': 'public, max-age=300, stale-while-revalidate=300',
            vary: 'Accept, Accept-Encoding',
            link: '<http://127.0.0.1:8080/hub>; rel="hub", <http://127.0.0.1:8080/feeds/latest.atom>; rel="self"',
            'access-control-allow-origin': '*',
            'access-control-expose-headers': 'ETag, Last-Modified, Link',
          });
        }
      }
      const stale = { 'If-None-Match': '"other"', 'If-Modified-Since': headers.get('Last-Modified') as string };
      expect((await site.get('/feeds/latest.atom', stale)).status).toBe(200);
      const cut = { 'If-None-Match': `"${hash.slice(0, 40)}", "${hash}-other"` };
      expect((await site.get('/feeds/latest.atom', cut)).status).toBe(200);
    });

    it('has no Last-Modified in the future', async () => {
      site.at(PUBLISHED - 10 * SECOND);
      const response = await site.get('/feeds/latest.rss');
      expect(response.headers.get('Last-Modified')).toBe(httpDate(PUBLISHED - 10 * SECOND));
    });

    it('responds to HEAD as to GET, without a body', async () => {
      const get = await site.get('/feeds/latest.rss');
      const head = await site.app.request('/feeds/latest.rss', { method: 'HEAD' });
      expect(head.status).toBe(200);
      expect(await head.text()).toBe('');
      expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(get.headers));
    });

    it('is unavailable in the form that is damaged in the store, and served without it', async () => {
      const gzip = Buffer.from('damaged');
      await store.db.updateTable('documents').set({ gzip }).where('path', '=', 'latest.rss').execute();
      const log = openTestLog();
      const other = openTestSite(store, undefined, { log });
      const plain = await other.get('/feeds/latest.rss');
      expect([plain.status, plain.headers.get('Retry-After')]).toEqual([503, '30']);
      expect(log.lines).toEqual([expect.stringMatching(/^feed not readable \{"path":"latest\.rss","error":"Error: /)]);
      expect((await other.get('/feeds/latest.rss', { 'Accept-Encoding': 'br' })).status).toBe(200);
      expect((await other.get('/feeds/latest.rss', { 'If-None-Match': `"${sha256(RSS)}"` })).status).toBe(304);
      expect((await other.app.request('/feeds/latest.rss', { method: 'HEAD' })).status).toBe(200);
    });

    it('responds to a preflight request from another origin', async () => {
      const response = await site.app.request('/feeds/latest.json', {
        method: 'OPTIONS',
        headers: { Origin: 'https://reader.example', 'Access-Control-Request-Headers': 'if-none-match' },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
      expect(response.headers.get('Access-Control-Allow-Headers')).toContain('If-None-Match');
    });

    it('has an index page for people', async () => {
      expect(await site.read('/feeds/')).toContain('<title>Feeds</title>');
      const bare = await site.get('/feeds');
      expect(bare.status).toBe(301);
      expect(bare.headers.get('Location')).toBe('/feeds/');
    });

    it('exists only by its exact name', async () => {
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

describe('a feed that has not been published yet', () => {
  it('responds with 503 instead of 404, so that readers keep it', async () => {
    const store = await openMigrated();
    const site = openTestSite(store);
    for (const [path, status] of [
      ['latest.rss', 503],
      ['24-hours.json', 503],
      ['latest.txt', 404],
      ['other.rss', 404],
    ] as const) {
      const response = await site.get(`/feeds/${path}`);
      expect([path, response.status]).toEqual([path, status]);
      expect(response.headers.get('Retry-After')).toBe(status === 503 ? '30' : null);
    }
  });
});

describe('a feed whose store is unavailable', () => {
  it('is served from the cache, or with 503 and Retry-After if it is not cached', async () => {
    const store = await openMigrated();
    const site = openTestSite(store);
    const draft = { path: 'latest.rss', mediaType: 'application/rss+xml', body: RSS };
    await publishDocuments(store, [draft], PUBLISHED);
    await site.get('/feeds/latest.rss');
    await store.close();
    expect(await (await site.get('/feeds/latest.rss')).text()).toBe(RSS);
    const response = await site.get('/feeds/latest.atom');
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toBe('30');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
