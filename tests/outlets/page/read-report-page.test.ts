import { Hono } from 'hono';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config/config.ts';
import { type PageReading, readReportPage } from '../../../src/outlets/page/read-report-page.ts';
import { openSite, type TestSite } from '../../own-sites/test-site.ts';
import { NOW } from '../../support/clock.ts';
import { sampleConfig } from '../../support/sample.ts';

const HTML = { 'content-type': 'text/html' };
const PAGE =
  '<title>Ferry Line Orders Ships | The Example</title><meta property="og:site_name" content="The Example">' +
  '<meta property="article:published_time" content="2026-11-24T06:15:00Z"><link rel="canonical" href="/report">';

let site: TestSite;
beforeEach(async () => {
  const app = new Hono();
  app.get('/report', (c) => c.body(PAGE, 200, HTML));
  app.get('/moved', (c) => c.redirect('/report', 302));
  app.get('/members', (c) => c.redirect('/login?to=/members', 302));
  app.get('/login', (c) => c.body('<title>Log in</title>', 200, HTML));
  app.get('/log-in-statistics', (c) => c.body('<title>Log-ins</title>', 200, HTML));
  app.get('/inside', (c) => c.redirect('http://10.0.0.1/', 302));
  app.get('/untyped', () => new Response(Buffer.from('\n<!DOCTYPE html><title>Untyped</title>')));
  app.get('/pdf', (c) => c.body('%PDF', 200, { 'content-type': 'application/pdf' }));
  app.get('/feed', (c) => c.body('<rss/>', 200, { 'content-type': 'application/rss+xml' }));
  app.get('/long', (c) => c.body('<p>'.repeat(4_000_000), 200, HTML));
  const challenge = '<!DOCTYPE html><script>window._cf_chl_opt = {}</script><title>Just a moment...</title>';
  app.get('/challenge/:status', (c) => c.body(challenge, Number(c.req.param('status')) as 200, HTML));
  app.get('/status/:status', (c) => new Response('no', { status: Number(c.req.param('status')) }));
  site = await openSite(app);
});

const SAMPLE = { ...sampleConfig(), sources: [] };
const config = (change: Partial<Config> = {}): Config => ({
  ...SAMPLE,
  fetch: { ...SAMPLE.fetch, allow: ['127.0.0.0/8'] },
  ...change,
});
const read = (path: string, of = config()): Promise<PageReading> => readReportPage(of, site.url + path, { now: NOW });
const reasonOf = async (path: string, of?: Config): Promise<string | null> => {
  const reading = await read(path, of);
  return reading.kind === 'unreadable' ? reading.reason.replaceAll(site.url, '') : null;
};

describe('reading the page of a report', () => {
  it('gives what it says, also after a redirect', async () => {
    for (const path of ['/report', '/moved']) {
      expect(await read(path)).toEqual({
        kind: 'read',
        page: {
          title: 'Ferry Line Orders Ships',
          outlet: 'The Example',
          url: `${site.url}/report`,
          originalUrl: null,
          publishedAt: Date.parse('2026-11-24T06:15:00Z'),
          imageUrl: null,
          language: null,
          summary: null,
        },
      });
    }
  });

  it('names the outlet as the source of the same host is configured, else by its host', async () => {
    const outletOf = async (path: string, ...outlets: string[]): Promise<string | undefined> => {
      const sources = outlets.map((outlet, index) => ({
        ...{ id: `s${index}`, url: `${site.url}/${index}`, use: 'roundup' as const, outlet },
      })) as Config['sources'];
      const reading = await read(path, config({ sources }));
      return reading.kind === 'read' ? reading.page.outlet : undefined;
    };
    expect(await outletOf('/report', 'Configured', 'Configured')).toBe('Configured');
    expect(await outletOf('/report', 'One', 'Another')).toBe('The Example');
    expect(await outletOf('/untyped')).toBe('127.0.0.1');
  });

  it.each([
    ['/status/404', '/status/404 answered 404: there is no such page; is the address right?'],
    ['/status/401', '/status/401 answered 401: it is behind a login'],
    ['/status/403', '/status/403 answered 403: it refuses programs, or is behind a login'],
    ['/status/429', '/status/429 answered 429: it is busy; try again later'],
    ['/status/500', '/status/500 answered 500'],
    ['/challenge/503', '/challenge/503 answered 503 with a challenge of Cloudflare: it refuses programs'],
    ['/challenge/200', null],
    ['/members', '/members leads to /login: it is behind a login'],
    ['/pdf', '/pdf is no HTML page: it is application/pdf'],
    ['/feed?key=secret', '/feed is no HTML page: it is application/rss+xml'],
    ['/log-in-statistics', null],
    ['/untyped', null],
  ])('says why %s cannot be read', async (path, reason) => {
    expect(await reasonOf(path)).toBe(reason);
  });

  it('refuses private addresses, those of redirects too', async () => {
    expect(await reasonOf('/report', { ...SAMPLE, fetch: { ...SAMPLE.fetch, allow: [] } })).toMatch(
      /^\/report is refused: .*not public.*: if it is yours, name its network in fetch\.allow$/,
    );
    expect(site.requests).toEqual([]);
    expect(await reasonOf('/inside')).toMatch(/^\/inside is refused: .*not public/);
  });

  it('reads no page that is too long', async () => {
    expect(await reasonOf('/long')).toMatch(/^\/long cannot be read: .*(?:longer|more) than/);
  });

  it.each(['', 'report', 'ftp://the-example.com/a', 'https://user:secret@the-example.com/', 'javascript:alert(1)'])(
    'reads no other address: %s',
    async (address) => {
      const reading = await readReportPage(config(), address, { now: NOW });
      expect(reading).toMatchObject({
        kind: 'unreadable',
        reason: expect.stringContaining('must be the http or https'),
      });
    },
  );

  it('says so if nothing answers', async () => {
    const client = { fetch: async () => ({ kind: 'failed' as const, reason: 'it takes longer than 20 s' }) };
    expect(await readReportPage(config(), 'https://the-example.com/a?key=secret', { now: NOW, client })).toEqual({
      kind: 'unreadable',
      reason: 'https://the-example.com/a cannot be read: it takes longer than 20 s',
    });
  });
});
