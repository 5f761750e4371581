import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { connect } from 'node:http2';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { isBrotliInstalled, isNginxInstalled, shippedConfig, startNginx } from '../../scripts/nginx.ts';
import { SECOND } from '../../src/lib/time.ts';
import { openTestDesk, type TestDesk } from '../app/desk/test-desk.ts';
import { NOW } from '../app/test-site.ts';
import { READER_REQUESTS } from '../feeds/pages/reader-requests.ts';
import { openMigrated } from '../support/databases.ts';
import { type Answer, CLIENT, type FrontedSite, HOST, openFrontedSite } from './fronted-site.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const RSS_TYPES = ['application/rdf+xml', 'application/rss+xml'];
const CODINGS = ['identity', 'gzip', ...(isBrotliInstalled() ? ['br'] : [])];

const { promise: released, resolve: release } = Promise.withResolvers<void>();

/** Responses that no page of daywire gives, to test what nginx caches. */
function routes(live: (request: Request) => Response | Promise<Response>): Hono {
  const app = new Hono();
  app.get('/desk/live', (c) => live(c.req.raw));
  const cached = { 'Cache-Control': 'public, max-age=60' };
  app.get('/test/varies', (c) =>
    c.text(`for ${c.req.header('Accept-Language')}`, 200, { ...cached, Vary: 'Accept-Language' }),
  );
  app.get('/test/slow', async (c) => {
    await sleep(100);
    return c.text('one', 200, cached);
  });
  app.get('/test/ranges', (c) => c.body('0123456789', 200, { ...cached, 'Accept-Ranges': 'bytes' }));
  app.get('/test/private', (c) => c.text('one', 200, { 'Cache-Control': 'private, max-age=60' }));
  app.get('/test/cookie', (c) => c.text('one', 200, { ...cached, 'Set-Cookie': 'session=1' }));
  app.get('/account/held', async (c) => {
    await released;
    return c.text('one');
  });
  for (const path of ['/account', '/account/*', '/desk', '/desk/*']) app.get(path, (c) => c.text('one', 200, cached));
  return app;
}

describe.skipIf(!isNginxInstalled())('nginx in front of daywire (skipped where it is not installed)', () => {
  let site: FrontedSite;
  let desk: TestDesk;
  beforeAll(async () => {
    site = await openFrontedSite(routes((request) => desk.site.fetch(request)));
  });
  afterAll(() => site?.close());

  /** Number of requests for the path that reached daywire. */
  const countReceived = (path: string): number => site.received.filter((request) => request.path === path).length;

  describe('conditional requests', () => {
    const TAGS: Record<string, (etag: string) => string | undefined> = {
      'no tag': () => undefined,
      'its tag': (etag) => etag,
      'its weak tag': (etag) => `W/${etag}`,
      'any tag': () => '*',
      'a list with its tag': (etag) => `"x", ${etag}, "y"`,
      'another tag': () => '"x"',
    };
    const DATES: Record<string, (date: number) => string | undefined> = {
      'no date': () => undefined,
      'its date': (date) => new Date(date).toUTCString(),
      'an earlier date': (date) => new Date(date - SECOND).toUTCString(),
      'a later date': (date) => new Date(date + SECOND).toUTCString(),
      'an invalid date': () => 'yesterday',
    };
    const MATCHING = ['its tag', 'its weak tag', 'any tag', 'a list with its tag'];
    /**
     * The cells that nginx answers with 200 and daywire with 304. nginx requires both conditions; daywire ignores
     * If-Modified-Since where there is an If-None-Match (RFC 9110 §13.2.2). Pages have no Last-Modified, so no date
     * matches them in nginx.
     */
    const FEED_DIFFERENCES = pairs(MATCHING, ['an earlier date', 'an invalid date']);
    const PAGE_DIFFERENCES = pairs(MATCHING, ['its date', 'an earlier date', 'a later date', 'an invalid date']);

    it.each([
      ['/feeds/latest.atom', CODINGS, ['*/*', BROWSER], FEED_DIFFERENCES],
      ['/feeds/latest.rss', ['gzip'], ['*/*', BROWSER], FEED_DIFFERENCES],
      ['/feeds/latest.json', CODINGS, ['*/*'], FEED_DIFFERENCES],
      // Passed on to daywire.
      ['/feeds/archive/latest/2026-10.atom', ['identity'], ['*/*', BROWSER], []],
      ['/feeds/', ['identity', 'gzip'], [BROWSER], FEED_DIFFERENCES],
      ['/feeds/feed.css', ['gzip'], [BROWSER], FEED_DIFFERENCES],
      ['/feeds/feeds.opml', ['gzip'], ['*/*'], FEED_DIFFERENCES],
      ['/media/solar-field.jpg', ['identity'], [BROWSER], FEED_DIFFERENCES],
      ['/articles/state-cloud', ['identity'], [BROWSER], PAGE_DIFFERENCES],
    ] as const)(
      'for %s get the answers of daywire, except in the listed cells',
      async (path, codings, accepts, differences) => {
        const differing: string[] = [];
        for (const { coding, accept, tag, date, method } of cells(codings, accepts)) {
          const form = { 'Accept-Encoding': coding, Accept: accept };
          const answerOf = async (
            ask: FrontedSite['nginx'],
          ): Promise<{ full: string; answer: string; status: number }> => {
            const full = await ask(path, { method, headers: form });
            const lastModified = Date.parse(full.headers['last-modified'] ?? '') || NOW;
            const conditions = {
              ...present('If-None-Match', TAGS[tag]?.(full.headers.etag as string)),
              ...present('If-Modified-Since', DATES[date]?.(lastModified)),
            };
            const answer = await ask(path, { method, headers: { ...form, ...conditions } });
            return { full: summary(full, path), answer: summary(answer, path), status: answer.status };
          };
          const [own, fronted] = await Promise.all([answerOf(site.daywire), answerOf(site.nginx)]);
          expect(fronted.full).toBe(own.full);
          if (fronted.answer === own.answer) continue;
          expect([own.status, fronted.answer]).toEqual([304, own.full]);
          differing.push(`${coding}, ${accept}, ${method}: ${tag}, ${date}`);
        }
        const forms = codings.flatMap((coding) => accepts.map((accept) => `${coding}, ${accept}`));
        const listed = forms.flatMap((form) =>
          ['GET', 'HEAD'].flatMap((method) => differences.map((cell) => `${form}, ${method}: ${cell}`)),
        );
        expect(differing.sort()).toEqual(listed.sort());
      },
    );

    function cells(codings: readonly string[], accepts: readonly string[]) {
      const forms = codings.flatMap((coding) => accepts.map((accept) => ({ coding, accept })));
      const conditions = Object.keys(TAGS).flatMap((tag) => Object.keys(DATES).map((date) => ({ tag, date })));
      return forms.flatMap((form) =>
        conditions.flatMap((one) => ['GET', 'HEAD'].map((method) => ({ ...form, ...one, method }))),
      );
    }

    it('match the entity tag of their own coding only, and none that daywire gave', async () => {
      const path = '/feeds/latest.atom';
      const tagOf = async (ask: FrontedSite['nginx'], coding: string): Promise<string> =>
        (await ask(path, { headers: { 'Accept-Encoding': coding } })).headers.etag as string;
      const status = async (ask: FrontedSite['nginx'], coding: string, tag: string): Promise<number> =>
        (await ask(path, { headers: { 'Accept-Encoding': coding, 'If-None-Match': tag } })).status;
      expect(await status(site.daywire, 'gzip', await tagOf(site.daywire, 'identity'))).toBe(304);
      expect(await status(site.nginx, 'gzip', await tagOf(site.nginx, 'identity'))).toBe(200);
      expect(await status(site.nginx, 'gzip', await tagOf(site.daywire, 'gzip'))).toBe(200);
      expect(await status(site.nginx, 'gzip', await tagOf(site.nginx, 'gzip'))).toBe(304);
    });

    it('are compressed and answered with 304 for a private feed', async () => {
      const path = `/feeds/mine/${site.ownFeedToken}.atom`;
      const headers = { 'Accept-Encoding': 'gzip' };
      const [own, fronted] = [await site.daywire(path), await site.nginx(path, { headers })];
      expect(fronted.headers).toMatchObject({ 'content-encoding': 'gzip', 'cache-control': 'private, no-cache' });
      expect(fronted.text).toBe(own.text);
      for (const tag of [own.headers.etag, fronted.headers.etag]) {
        const again = await site.nginx(path, { headers: { ...headers, 'If-None-Match': tag as string } });
        expect(again.status).toBe(304);
      }
    });

    /** Status, hash of the decoded body, and the header fields that clients and caches read. */
    function summary({ status, headers, text }: Answer, path: string): string {
      const names = ['cache-control', 'link', 'access-control-allow-origin', 'access-control-expose-headers'];
      // nginx compresses pages, and knows the length of a cached one for HEAD.
      if (path.startsWith('/feeds/')) names.push('vary', 'content-length');
      // A 304 repeats some of these from nginx, and none from daywire.
      const ofWhole = ['content-type', 'content-encoding', 'last-modified', 'x-content-type-options'];
      if (status !== 304)
        names.push(...ofWhole, 'content-security-policy', 'referrer-policy', 'strict-transport-security');
      const fields = names.map((name) => `${name}: ${headers[name]}`);
      const hash = createHash('sha256').update(text).digest('hex');
      return [status, ...fields, `has an etag: ${headers.etag !== undefined}`, hash].join('\n');
    }
  });

  describe('a feed', () => {
    const fromDisk = /^"[0-9a-f]+-[0-9a-f]+"$/;

    it.each([
      ['no Accept header', []],
      [
        'Chromium',
        ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8'],
      ],
      ['Firefox', ['text/html', 'application/xhtml+xml', 'application/xml;q=0.9', '*/*;q=0.8']],
      ['Lynx', ['text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01']],
      ['curl', ['*/*']],
      ['feedparser', ['application/atom+xml', ...RSS_TYPES, 'application/xml;q=0.9', 'text/xml;q=0.2', '*/*;q=0.1']],
      ['miniflux', ['application/xml', 'application/atom+xml', ...RSS_TYPES, 'text/html', '*/*;q=0.9']],
      ['a reader of feeds and XML', ['application/atom+xml', ...RSS_TYPES, 'application/xml', 'text/xml']],
    ])('comes from the disk, with the media type that daywire gives it, for %s', async (_, accept) => {
      const headers = present('Accept', accept.length === 0 ? undefined : accept.join(','));
      for (const path of ['/feeds/latest.rss', '/feeds/latest.atom']) {
        const [own, fronted] = await Promise.all([site.daywire(path, { headers }), site.nginx(path, { headers })]);
        expect(fronted.headers['content-type']).toBe(own.headers['content-type']);
        expect(fronted.headers.etag).toMatch(fromDisk);
      }
    });

    describe('has the media type that daywire gives it', () => {
      const compare = async (path: string, accept: string): Promise<void> => {
        const headers = { Accept: accept };
        const [own, fronted] = await Promise.all([site.daywire(path, { headers }), site.nginx(path, { headers })]);
        const type = ({ status, headers }: Answer): string => `${accept}: ${status} ${headers['content-type']}`;
        expect(type(fronted)).toBe(type(own));
      };

      it('for the types that matter', async () => {
        const feeds = ['', 'application/rss+xml', 'application/rss+xml;q=0.5'];
        const xml = ['', 'application/xml', 'application/xml;q=0.9', 'text/xml;q=0.9'];
        const rest = ['', 'text/html', '*/*;q=0.8', 'text/html;q=0.7, application/*'];
        for (const one of feeds) {
          for (const two of xml) {
            for (const three of rest) {
              const accept = [one, two, three].filter((part) => part !== '').join(', ');
              await compare('/feeds/latest.rss', accept.replaceAll(', ', ','));
              await compare('/feeds/latest.atom', accept);
            }
          }
        }
      });
    });

    it.each([
      ['the feed of a section', '/feeds/section/world.atom', 200],
      ['the feed of a reporter with a name in Chinese', '/feeds/reporter/%E9%99%88%E6%80%9D.rss', 200],
      ['a combined feed', '/feeds/custom.json?kind=brief&section=world', 200],
      ['an unknown feed', '/feeds/unknown.atom', 404],
      ['the manifest of the mirror', '/feeds/.daywire-feeds', 404],
      ['a compressed file', '/feeds/latest.atom.gz', 404],
      ['a path out of the folder', '/feeds/..%2fdaywire.db', 404],
    ])('that is not on the disk comes from daywire: %s', async (_, path, status) => {
      const [own, fronted] = await Promise.all([site.daywire(path), site.nginx(path)]);
      expect([own.status, fronted.status]).toEqual([status, status]);
      const { date: _own, connection: _ownConnection, 'keep-alive': _keepAlive, ...ownHeaders } = own.headers;
      expect(fronted.headers).toMatchObject(ownHeaders);
      expect(fronted.text).toBe(own.text);
    });

    it.each([
      ['/feeds/latest.rss', '/feeds/latest/view'],
      ['/feeds/latest.atom', '/feeds/latest/view'],
      ['/feeds/latest.json', '/feeds/latest/view'],
      ['/feeds/section/world.json', '/feeds/section/world/view'],
      ['/feeds/custom.atom?kind=brief&section=world', '/feeds/custom/view?kind=brief&section=world'],
    ])('is a page for a browser that navigates to it, and stays a feed for a script: %s', async (path, view) => {
      const navigation = { 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate', Accept: BROWSER };
      const opened = await site.nginx(path, { headers: navigation });
      const { location, 'cache-control': caching } = opened.headers;
      expect([opened.status, location, caching, opened.text]).toEqual([302, view, 'no-store', '']);
      const page = await site.nginx(view, { headers: navigation });
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=UTF-8']);
      const script = { 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors', Accept: '*/*' };
      expect((await site.nginx(path, { headers: script })).status).toBe(200);
    });

    it('is a page for the requests that daywire answers with one', async () => {
      for (const { name, headers, gets } of READER_REQUESTS) {
        for (const path of ['/feeds/latest.atom', '/feeds/latest.json']) {
          const [own, fronted] = await Promise.all([site.daywire(path, { headers }), site.nginx(path, { headers })]);
          const status = gets === 'page' ? 302 : 200;
          expect([name, own.status, fronted.status]).toEqual([name, status, status]);
        }
      }
    });

    it('answers CORS preflight requests and rejects POST as daywire does', async () => {
      for (const method of ['OPTIONS', 'POST']) {
        const [own, fronted] = await Promise.all(
          [site.daywire, site.nginx].map((ask) => ask('/feeds/latest.atom', { method })),
        );
        const fields = ({ status, headers }: Answer) => [
          status,
          headers.allow,
          headers['access-control-allow-headers'],
        ];
        expect(fields(fronted as Answer)).toEqual(fields(own as Answer));
      }
    });
  });

  it('passes requests for the hub on, and appends the address of the client to X-Forwarded-For', async () => {
    const body = new URLSearchParams({
      'hub.mode': 'subscribe',
      'hub.topic': `https://${HOST}/feeds/latest.atom`,
      'hub.callback': 'https://subscriber.example.net/callback',
    }).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'X-Forwarded-For': '203.0.113.9' };
    const answer = await site.nginx('/hub', { method: 'POST', body, headers });
    expect([answer.status, answer.text]).toEqual([202, expect.stringMatching(/subscribe/)]);
    const forwarded = site.received.findLast(({ path }) => path === '/hub')?.headers.get('X-Forwarded-For') ?? null;
    expect(forwarded).toBe(`203.0.113.9, ${CLIENT}`);
  });

  it('tells daywire which address the client used, whatever the client says of it', async () => {
    const post = (origin: string): Promise<Answer> =>
      site.nginx('/subscribe', {
        method: 'POST',
        body: new URLSearchParams({ email: 'new@example.com', newsletter: 'daily-roundup' }).toString(),
        headers: {
          'Content-Type': 'application/x-www-form-urlencoded',
          Origin: origin,
          'X-Forwarded-Host': 'evil.example',
          'X-Forwarded-Proto': 'http',
          Forwarded: 'host=evil.example',
        },
      });
    expect((await post('https://evil.example')).status).toBe(403);
    expect((await post('http://evil.example')).status).toBe(403);
    const own = await post(`https://${HOST}`);
    expect([own.status, own.headers['strict-transport-security']]).toEqual([200, 'max-age=31536000']);
    const { headers } = site.received.findLast(({ path }) => path === '/subscribe') as { headers: Headers };
    const found = ['X-Forwarded-Host', 'X-Forwarded-Proto', 'Forwarded'].map((name) => headers.get(name));
    expect(found).toEqual([HOST, 'https', null]);
  });

  describe('a page', () => {
    it('is requested once from daywire for simultaneous visitors', async () => {
      const path = '/test/slow';
      const answers = await Promise.all(Array.from({ length: 20 }, () => site.nginx(path)));
      expect(answers.map(({ text }) => text)).toEqual(answers.map(() => 'one'));
      expect(countReceived(path)).toBe(1);
    });

    it('is revalidated when it is older than a second', async () => {
      const path = '/articles/solar-third';
      expect((await site.nginx(path)).text).toContain('Solar Passes Wind');
      expect(countReceived(path)).toBe(1);
      await expect.poll(async () => [(await site.nginx(path)).status, countReceived(path)]).toEqual([200, 2]);
      // A conditional request: no body where nothing has changed.
      expect(site.received.findLast((request) => request.path === path)?.headers.get('If-None-Match')).toMatch(/^"/);
    });

    it('of media is sent in parts, from the cache too, as daywire sends them', async () => {
      const path = '/media/solar-field.jpg';
      const { body, headers } = await site.daywire(path);
      for (const range of ['bytes=0-0', 'bytes=100-299', 'bytes=-7', `bytes=${body.length}-`]) {
        const own = await site.daywire(path, { headers: { Range: range } });
        const fronted = await site.nginx(path, { headers: { Range: range } });
        expect([own.status, fronted.headers['content-range']]).toEqual([fronted.status, own.headers['content-range']]);
        if (own.status === 206) expect(fronted.body.equals(own.body)).toBe(true);
      }
      const resumed = { Range: 'bytes=100-', 'If-Range': headers.etag as string };
      expect((await site.nginx(path, { headers: resumed })).body.equals(body.subarray(100))).toBe(true);
      const replaced = await site.nginx(path, { headers: { ...resumed, 'If-Range': '"other"' } });
      expect([replaced.status, replaced.body.length]).toEqual([200, body.length]);
    });

    it('is compressed by nginx and keeps the headers of daywire', async () => {
      const own = await site.daywire('/');
      const fronted = await site.nginx('/', { headers: { 'Accept-Encoding': 'gzip' } });
      expect(fronted.text).toBe(own.text);
      expect(fronted.headers).toMatchObject({
        'content-encoding': 'gzip',
        vary: 'Accept-Encoding',
        etag: `W/${own.headers.etag}`,
        'cache-control': own.headers['cache-control'],
        'content-security-policy': own.headers['content-security-policy'],
        'x-content-type-options': 'nosniff',
        'referrer-policy': own.headers['referrer-policy'],
      });
      const headers = { 'Accept-Encoding': 'gzip', 'If-None-Match': fronted.headers.etag as string };
      expect((await site.nginx('/', { headers })).status).toBe(304);
    });

    it('that can be read in parts is, from its copy', async () => {
      const path = '/test/ranges';
      for (let times = 1; times <= 2; times++) {
        const { status, text, headers } = await site.nginx(path, { headers: { Range: 'bytes=2-4' } });
        expect([status, text, headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
      }
      expect(site.received.findLast((request) => request.path === path)?.headers.get('Range')).toBeNull();
    });

    it.each([
      ['behind a token', 200, () => `/preferences/${site.preferencesToken}`, {}],
      ['behind a token that is not valid', 404, () => '/unsubscribe/a-secret-token', {}],
      ['of the webhook for bounces', 404, () => '/webhooks/bounces', {}],
      ['of the hub', 405, () => '/hub', {}],
      ['of an account', 200, () => '/account/profile', {}],
      ['of the desk', 200, () => '/desk', {}],
      ['of an invitation to the desk', 200, () => '/desk/invitation/a-secret-token', {}],
      ['of a private feed', 200, () => `/feeds/mine/${site.ownFeedToken}.atom`, {}],
      ['that daywire calls private', 200, () => '/test/private', {}],
      ['that sets a cookie', 200, () => '/test/cookie', {}],
      ['requested with a cookie', 200, () => '/articles/vec-t', { Cookie: 'session=1' }],
      ['requested with an Authorization header', 200, () => '/articles/robotaxis', { Authorization: 'Bearer x' }],
      ['of the health of the process', 200, () => '/healthz', {}],
      ['of whether the process can serve', 200, () => '/readyz', {}],
    ])('%s is never cached', async (_, status, path, headers) => {
      const at = path();
      const before = countReceived(at);
      for (let times = 1; times <= 3; times++) {
        expect((await site.nginx(at, { headers })).status).toBe(status);
        expect(countReceived(at)).toBe(before + times);
      }
    });

    it('of metrics is not public', async () => {
      expect((await site.nginx('/metrics', { headers: { Authorization: 'Bearer x' } })).status).toBe(404);
      expect(countReceived('/metrics')).toBe(0);
    });
  });

  it('passes requests for the desk, and no others, to the process that serves it', async () => {
    const paths = ['/desk', '/desk/sign-in', '/desk/audience/import', '/desks', '/account/desk', '/articles/desk'];
    for (const path of paths) await site.nginx(path, { headers: { Cookie: 'not=cached' } });
    const processes = paths.map((path) => site.received.findLast((request) => request.path === path)?.by);
    expect(processes).toEqual(['desk', 'desk', 'desk', 'web', 'web', 'web']);
  });

  it('passes the live stream of the desk on as it comes, without compression', async () => {
    const store = await openMigrated();
    desk = await openTestDesk(store);
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const Cookie = `__Host-daywire-desk=${desk.accounts.operator.token}`;
    const headers = { Host: HOST, Cookie, 'Accept-Encoding': 'gzip' };
    const where = { host: '127.0.0.1', port: site.ports.https, path: '/desk/live', ca: site.certificate };
    https.get({ ...where, servername: HOST, headers }, resolve).once('error', reject);
    const response = await promise;
    onTestFinished(async () => {
      response.destroy();
      await desk.close();
      await store.close();
    });
    expect(response.headers['content-type']).toBe('text/event-stream');
    const [first] = await once(response.setEncoding('utf8'), 'data');
    expect(first).toContain('data: {"topics":{');
    expect(response.complete).toBe(false);
  });

  it('speaks HTTP/2 and redirects http to https', async () => {
    const session = connect(`https://127.0.0.1:${site.ports.https}`, { ca: site.certificate, servername: HOST });
    onTestFinished(() => void session.close());
    const stream = session.request({ ':path': '/feeds/latest.json', ':authority': HOST });
    const status = await new Promise((resolve, reject) => {
      stream.once('response', (headers) => resolve(headers[':status'])).once('error', reject);
    });
    stream.resume();
    expect([session.alpnProtocol, status]).toEqual(['h2', 200]);
    const location = await new Promise((resolve, reject) => {
      const options = { port: site.ports.http, path: '/archive?page=2', headers: { Host: HOST } };
      http.get(options, (response) => resolve(response.resume().headers.location)).once('error', reject);
    });
    expect(location).toBe(`https://${HOST}/archive?page=2`);
  });

  it('works without the brotli module, and without a readable mirror', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'daywire-nginx-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const root = join(folder, 'root');
    mkdirSync(join(root, 'feeds'), { recursive: true });
    const ports = { https: await freePort(), http: await freePort() };
    const place = { ports, tls: null, root, daywire: site.address, brotli: false };
    const server = await startNginx(folder, shippedConfig(folder, place), ports.https);
    onTestFinished(() => server.stop());
    const url = `http://127.0.0.1:${ports.https}/feeds/latest.atom`;
    const read = async (): Promise<(string | null)[]> => {
      const response = await fetch(url, { headers: { 'Accept-Encoding': 'br, gzip' } });
      const text = await response.text();
      return [response.headers.get('Content-Encoding'), text.slice(0, 5)];
    };
    // Not mirrored yet: from daywire.
    expect(await read()).toEqual(['br', '<?xml']);
    writeFileSync(join(root, 'feeds/latest.atom'), '<?xml that nginx may not read', { mode: 0 });
    expect(await read()).toEqual(['br', '<?xml']);
    chmodSync(join(root, 'feeds/latest.atom'), 0o644);
    await expect.poll(read).toEqual([null, '<?xml']);
  });

  describe('limits of a client', () => {
    const statusesOf = async (count: number, path: string, from: string, method: string): Promise<number[]> => {
      const answers = await Promise.all(Array.from({ length: count }, () => site.nginx(path, { method, from })));
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused.every(({ headers }) => Number(headers['retry-after']) > 0)).toBe(true);
      return answers.map(({ status }) => status);
    };

    it.each([
      ['sign-ins', '/desk/sign-in', 60, 100],
      ['requests to the hub', '/hub', 20, 600],
    ])('refuse a flood of %s with 429, and nobody at another address', async (_, path, least, count) => {
      const statuses = await statusesOf(count, path, '127.0.0.7', 'POST');
      expect(statuses.filter((status) => status !== 429).length).toBeGreaterThanOrEqual(least);
      expect(statuses).toContain(429);
      expect(await statusesOf(10, path, '127.0.0.8', 'POST')).not.toContain(429);
      // Nor anything else of the client that sends the flood.
      expect(await statusesOf(10, '/desk/sign-in', '127.0.0.7', 'GET')).not.toContain(429);
      expect(await statusesOf(10, '/feeds/latest.atom', '127.0.0.7', 'GET')).toEqual(Array(10).fill(200));
    });

    it('end at 100 requests in progress for pages, and leave others their own', async () => {
      const before = countReceived('/account/held');
      const held = Array.from({ length: 100 }, () => site.nginx('/account/held', { from: '127.0.0.9' }));
      await expect.poll(() => countReceived('/account/held') - before, { timeout: 10_000 }).toBe(100);
      expect(await statusesOf(3, '/account/held', '127.0.0.9', 'GET')).toEqual([429, 429, 429]);
      for (const [path, from] of [
        ['/account', '127.0.0.10'],
        ['/desk', '127.0.0.9'],
        ['/feeds/latest.rss', '127.0.0.9'],
      ] as const) {
        expect(await statusesOf(1, path, from, 'GET')).toEqual([200]);
      }
      release();
      expect(new Set((await Promise.all(held)).map(({ status }) => status))).toEqual(new Set([200]));
    });

    it('apply wherever a request reaches daywire', () => {
      const locations = readFileSync(new URL('../../deploy/nginx.conf', import.meta.url), 'utf8')
        .split(/^ {4}location /m)
        .slice(1)
        .filter((text) => text.includes('proxy_pass'));
      expect(locations.length).toBeGreaterThan(6);
      for (const text of locations) {
        expect(text).toMatch(/^ {8}limit_conn daywire-/m);
        // Reports of a mail provider, and an upload that only administrators can send, have no limit of their rate.
        if (!/^\S* ?\S*(?:webhooks|import)/.test(text)) expect(text).toMatch(/^ {8}limit_req zone=daywire-/m);
      }
    });
  });

  describe('while daywire is stopped', () => {
    it('serves feeds from the disk and cached pages', async () => {
      const path = '/articles/box-office';
      const before = await site.nginx(path);
      await site.stopDaywire();
      const isStale = (line: string): boolean => line.includes(`"${path}" 200`) && line.includes('cache=STALE');
      await expect
        .poll(async () => {
          const answer = await site.nginx(path);
          expect([answer.status, answer.text]).toEqual([200, before.text]);
          return site.readLog().some(isStale);
        })
        .toBe(true);
      expect((await site.nginx('/feeds/latest.atom')).status).toBe(200);
      expect((await site.nginx('/feeds/section/world.atom')).status).toBe(502);
      expect((await site.nginx('/articles/cable')).status).toBe(502);
    });

    it('asks Brevo, which drops a report answered with 502, to send it again', async () => {
      const post = async (path: string): Promise<number> => (await site.nginx(path, { method: 'POST' })).status;
      expect(await post('/webhooks/brevo')).toBe(429);
      expect(await post('/webhooks/mailgun')).toBe(502);
    });

    it('has written neither client addresses nor tokens to its logs', async () => {
      await site.server.stop();
      const log = site.readAllLogs();
      expect(log).toMatch(/^\S+ GET "\/unsubscribe\/-" \d{3} /m);
      expect(log).toMatch(/^\S+ GET "\/articles\/cable" 502 .* cache=MISS upstream=502$/m);
      expect(log).not.toContain(CLIENT);
      expect(log).not.toContain('127.0.0.1');
      expect(log).not.toContain('a-secret-token');
      expect(log).not.toContain(site.ownFeedToken);
    });
  });
});

function present(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

function pairs(tags: string[], dates: string[]): string[] {
  return tags.flatMap((tag) => dates.map((date) => `${tag}, ${date}`));
}
