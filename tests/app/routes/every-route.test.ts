import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestLink } from '../../../src/audience/account-links.ts';
import { messageToken, unsubscribeToken } from '../../../src/audience/tokens.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { publishFeeds } from '../../../src/feeds/publish/publish-feeds.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { DAY } from '../../../src/lib/time.ts';
import { addConfirmed, requestNewsletters } from '../../audience/fixtures.ts';
import { openMigrated } from '../../support/databases.ts';
import { publishDocuments } from '../../support/documents.ts';
import { expectGolden } from '../../support/golden.ts';
import { htmlFaults } from '../../support/html-faults.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';
import { article, NOW, openTestSite, preferencesPath, save, saveDay, type TestSite } from '../test-site.ts';

const TOKEN = unsubscribeToken(SECRETS, { subscriberId: 1, newsletter: 'daily-roundup' });
const PREFERENCES = preferencesPath(1);
const REVOKED = preferencesPath(1, { version: 9 });
const EXPORT = `/account/export/${messageToken(SECRETS, 'export', { messageId: 2, subscriberId: 1 })}`;
const ERASE = `/account/erase/${messageToken(SECRETS, 'erase', { messageId: 3, subscriberId: 1 })}`;
const CONFIRM = `/confirm/${messageToken(SECRETS, 'confirm', { messageId: 1, subscriberId: 2 })}`;
/** Every route with its status. */
const PAGES: [path: string, status: number][] = [
  ['/', 200],
  ['/?page=2', 200],
  ['/articles/vec-t', 200],
  ['/articles/smartphones-march', 200],
  ['/articles/state-cloud', 200],
  ['/articles/new-energy', 200],
  ['/articles/zh-stations', 200],
  ['/articles/withdrawn', 410],
  ['/articles/embargoed', 404],
  ['/sections/business-tech', 200],
  ['/sections/trending', 200],
  ['/reporters/mei-tan', 200],
  ['/reporters/nobody', 404],
  ['/archive', 200],
  ['/archive/2026-11', 200],
  ['/editions', 200],
  ['/editions/daily-roundup', 200],
  ['/newsletters', 200],
  ['/feeds/section/world/view', 200],
  ['/feeds/custom/view?kind=brief', 200],
  ['/feeds/none/view', 404],
  ['/imprint', 200],
  ['/privacy', 200],
  [`/unsubscribe/${TOKEN}`, 200],
  ['/unsubscribe/forged', 404],
  [CONFIRM, 200],
  [`/confirm/${messageToken(SECRETS, 'confirm', { messageId: 9, subscriberId: 2 })}`, 410],
  ['/confirm/forged', 404],
  [PREFERENCES, 200],
  [REVOKED, 410],
  [preferencesPath(9), 410],
  [EXPORT, 200],
  [`/account/export/${messageToken(SECRETS, 'export', { messageId: 9, subscriberId: 1 })}`, 410],
  ['/account/export/forged', 404],
  [ERASE, 200],
  ['/account/erase/forged', 404],
  ['/preferences/forged', 404],
  ['/no-such-page', 404],
  // Without a token.
  ['/metrics', 404],
];
const OTHERS: [path: string, status: number][] = [
  ['/articles/daily-roundup-2026-11-24', 301],
  ['/editions/daily-roundup/2026-11-24', 200],
  ['/subscribe', 303],
  ['/subscribe.js', 200],
  ['/api/subscribe', 405],
  ['/imprint/daily-roundup', 302],
  ...['link', 'export', 'erase', 'revoke'].map((form): [string, number] => [`${PREFERENCES}/${form}`, 303]),
  ['/feeds', 301],
  ['/feeds/', 404],
  ['/feeds/latest.rss', 200],
  ['/feeds/latest.atom', 503],
  ['/feeds/none.atom', 404],
  ['/hub', 405],
  ['/media/none.png', 404],
  ['/media/r/800/none.png', 404],
  ['/media/r/801/none.png', 404],
  ['/style.css', 200],
  ['/favicon.svg', 200],
  ['/favicon.ico', 200],
  ['/apple-touch-icon.png', 200],
  ['/icons/48.png', 200],
  ['/robots.txt', 200],
  ['/sitemap.xml', 200],
  ['/sitemap-pages.xml', 200],
  ['/sitemap-2026-11.xml', 200],
  ['/sitemap-2019-01.xml', 404],
  ['/news-sitemap.xml', 200],
  ...['/feed', '/feed/', '/rss', '/atom.xml', '/feed.json'].map((path): [string, number] => [path, 308]),
  ['/healthz', 200],
  ['/livez', 200],
  ['/readyz', 200],
];
/** Neither caches nor search engines store them, and links from them do not tell where they were. */
const OF_ONE_SUBSCRIBER = /^\/(?:account|unsubscribe|confirm|preferences)\//;
const PRIVATE = ['no-store', 'no-referrer', 'noindex', null];
const privacyOf = ({ headers }: Response): (string | null)[] =>
  ['Cache-Control', 'Referrer-Policy', 'X-Robots-Tag', 'ETag'].map((name) => headers.get(name));
const ALL = [...PAGES, ...OTHERS];
/** Endpoints for programs, without a page. */
const ENDPOINTS = ['/hub', '/api/subscribe'];
/** Routes that accept a form as well. */
const FORMS = /^\/(?:account|unsubscribe|confirm|preferences|subscribe)(?![\w.])/;
/** The pages after a form. */
const ANSWERS: [path: string, form: string, status: number][] = [
  ['/subscribe', 'email=new@example.com&newsletter=daily-roundup', 200],
  ['/subscribe', 'email=no "address"&zone=Mars/Olympus', 422],
  [CONFIRM, '', 200],
  [PREFERENCES, 'newsletter=daily-roundup&zone=&paused=2026-12-24', 200],
  [PREFERENCES, 'zone=Mars/Olympus&paused=tomorrow', 422],
  [PREFERENCES, '', 400],
  [`${PREFERENCES}/link`, '', 200],
  [`${PREFERENCES}/export`, '', 200],
  [`${PREFERENCES}/erase`, '', 200],
  [`${PREFERENCES}/revoke`, '', 200],
  [PREFERENCES, '', 410],
  [`/unsubscribe/${TOKEN}`, '', 400],
  [`/unsubscribe/${TOKEN}`, 'pause=yes', 200],
  [`/unsubscribe/${TOKEN}`, 'unsubscribe=yes', 200],
];

describe('every route', () => {
  let store: Store;
  let site: TestSite;
  beforeAll(async () => {
    store = await openMigrated();
    await saveDay(store);
    // A second page of the front page.
    await save(store, ...Array.from({ length: 20 }, (_, n) => article(`old-${n}`, { publishedAt: NOW - 9 * DAY - n })));
    await addConfirmed(store, 'ada@example.com', ['daily-roundup'], NOW);
    await requestNewsletters(store, ['daily-roundup'], { email: 'grace@example.com', now: NOW });
    for (const act of ['export', 'erase'] as const) await requestLink(store.db, SECRETS, 1, act, NOW);
    await publishDocuments(store, [{ path: 'latest.rss', mediaType: 'application/rss+xml', body: '<rss/>' }], NOW);
    site = openTestSite(store);
  });
  afterAll(() => store.close());

  it.each(ALL)('%s responds with %i and a content security policy, and sets no cookie', async (path, status) => {
    const response = await site.get(path);
    expect(response.status).toBe(status);
    const policy = response.headers.get('Content-Security-Policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('script-src');
    // Feeds and files have stricter policies.
    if (!/^\/(?:media|feeds\/latest|favicon\.svg)/.test(path)) {
      expect(policy).toBe(
        [
          "default-src 'none'",
          "img-src 'self' https: http: data:",
          "style-src 'unsafe-inline' 'self'",
          "form-action 'self'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
        ].join('; '),
      );
    }
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(response.headers.get('Referrer-Policy')).not.toBeNull();
    expect(response.headers.get('Set-Cookie')).toBeNull();
    if (OF_ONE_SUBSCRIBER.test(path)) expect(privacyOf(response)).toEqual(PRIVATE);
  });

  it('responds to an invalid token as to an unknown address, whatever the method', async () => {
    const notFound = await (await site.get('/no-such-page')).text();
    const key = { subscriberId: 1, newsletter: 'daily-roundup' };
    const paths = [`/unsubscribe/${TOKEN}`, CONFIRM, EXPORT, ERASE].map((path) => `${path}A`);
    const others = [
      ...['/unsubscribe', '/confirm', '/preferences'].flatMap((page) => [`${page}/x`, `${page}/%00`]),
      `/unsubscribe/${unsubscribeToken(['another secret, as long as the first one'], key)}`,
      `/confirm/${preferencesPath(1).slice('/preferences/'.length)}`,
      ...['', '/link', '/export', '/erase', '/revoke'].map((form) => `${PREFERENCES}A${form}`),
    ];
    for (const path of [...paths, ...others]) {
      for (const method of ['GET', 'POST']) {
        const response = await site.app.request(path, { method });
        expect([path, response.status, await response.text()]).toEqual([path, 404, notFound]);
      }
    }
    expect(site.logged).toEqual([]);
  });

  it('responds to HEAD as to GET, without a body', async () => {
    for (const [path, status] of ALL) {
      const head = await site.app.request(path, { method: 'HEAD' });
      expect([path, head.status, await head.text()]).toEqual([path, status, '']);
    }
  });

  it('responds to other methods with 405 and the methods that it allows', async () => {
    for (const [path] of ALL.filter(
      ([known]) => !['/no-such-page', '/metrics'].includes(known) && !ENDPOINTS.includes(known),
    )) {
      const allow = FORMS.test(path) ? 'GET, HEAD, POST, OPTIONS' : 'GET, HEAD, OPTIONS';
      for (const method of ['PUT', 'DELETE', 'PATCH', ...(FORMS.test(path) ? [] : ['POST'])]) {
        const response = await site.app.request(path, { method });
        expect([method, path, response.status, response.headers.get('Allow')]).toEqual([method, path, 405, allow]);
      }
      const options = await site.app.request(path, { method: 'OPTIONS' });
      expect([path, options.status, options.headers.get('Allow')]).toEqual([path, 204, allow]);
    }
  });

  it('changes nothing in the store by GET, HEAD and PUT', async () => {
    const before = await everything(store);
    for (const [path] of ALL) {
      await site.get(path);
      await site.app.request(path, { method: 'HEAD' });
      await site.app.request(path, { method: 'PUT' });
    }
    expect(await everything(store)).toEqual(before);
  });

  it.each(PAGES.filter(([, status]) => status < 500))('%s is valid and accessible HTML', async (path) => {
    const html = await (await site.get(path)).text();
    expect(await htmlFaults(html)).toEqual([]);
    expect(html.match(/<h1\b/g)).toHaveLength(1);
    expect(html.match(/<main\b/g)).toHaveLength(1);
    expect(html).not.toMatch(/<script(?! type="application\/ld\+json">)|<table|\son\w+=/i);
    expect(html.match(/<link rel="alternate"/g)?.length).toBeGreaterThanOrEqual(11);
    expect(html).toContain('<a class="skip" href="#content"');
  });

  it.each(ANSWERS)('POST %s responds with valid and accessible HTML (%#)', async (path, form, status) => {
    const response = await site.post(path, [...new URLSearchParams(form)]);
    const html = await response.text();
    expect(response.status).toBe(status);
    expect(await htmlFaults(html)).toEqual([]);
    expect(html.match(/<h1\b/g)).toHaveLength(1);
    expect(html).not.toMatch(/<script(?! type="application\/ld\+json">)|<table|\son\w+=/i);
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    if (OF_ONE_SUBSCRIBER.test(path)) expect(privacyOf(response)).toEqual(PRIVATE);
    expect(response.headers.get('Location')).toBeNull();
    expect(html).toMatch(status === 422 ? /<title>Error: / : /<title>(?!Error: )/);
  });

  it('shows a valid and accessible notice above an edition', async () => {
    const html = await site.read('/editions/daily-roundup/2026-11-24');
    const notice = html.slice(html.indexOf('<aside'), html.indexOf('</aside>') + '</aside>'.length);
    expect(notice).toContain('Voice Group’s Stock');
    expect(await htmlFaults(`<!doctype html>${notice}`)).toEqual([]);
  });

  it('responds with 304 to a client that has the page', async () => {
    const { headers } = await site.get('/sections/world');
    const again = await site.get('/sections/world', { 'If-None-Match': headers.get('ETag') as string });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  it('redirects from a superfluous slash to the page, and never to another site', async () => {
    const redirected = await site.get('/archive/');
    expect([redirected.status, redirected.headers.get('Location')]).toEqual([301, '/archive']);
    const head = await site.app.request('/archive/', { method: 'HEAD' });
    expect([head.status, head.headers.get('Location')]).toEqual([301, '/archive']);
    const listed = await site.get('/archive/2026-11/?page=2&x=%2F%2Fevil.example');
    expect(listed.headers.get('Location')).toBe('/archive/2026-11?page=2&x=%2F%2Fevil.example');
    for (const path of ['//evil.example/', '/\\evil.example/', '/%2Fevil.example/', '///', '/a//']) {
      expect([path, (await site.get(path)).headers.get('Location')]).toEqual([path, null]);
    }
  });

  it('lets caches store a versioned stylesheet forever, with the accent colours of the configuration', async () => {
    const path = /href="(\/style\.css\?v=\w+)"/.exec(await site.read('/'))?.[1] as string;
    const response = await site.get(path);
    expect(response.headers.get('Content-Type')).toBe('text/css; charset=utf-8');
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable');
    expect((await site.get('/style.css?v=old')).headers.get('Cache-Control')).toBe('public, max-age=300');
    const css = await response.text();
    expect(css).toContain('--accent:#9b1c1f');
    expect(css).toContain('--accent:#f08a80');
  });

  it('closes the pages of one subscriber and of searches to crawlers, and names the sitemaps', async () => {
    expectGolden('sitemaps/robots.txt', await site.read('/robots.txt'));
  });

  it('reports that the database is reachable', async () => {
    expect(await (await site.get('/healthz')).json()).toEqual({ ok: true, database: 'reachable', stopped: [] });
  });
});

describe('without the database', () => {
  it('the process lives, but is not ready', async () => {
    const store = await openMigrated();
    const site = openTestSite(store);
    await store.close();
    for (const path of ['/healthz', '/readyz']) {
      const response = await site.get(path);
      expect([path, response.status]).toEqual([path, 503]);
      expect(await response.json()).toEqual({ ok: false, database: 'unreachable', stopped: [] });
    }
    expect((await site.get('/livez')).status).toBe(200);
  });

  it('a page responds with an error page, and only the log has the cause', async () => {
    const store = await openMigrated();
    const site = openTestSite(store);
    await store.close();
    const response = await site.get(`/unsubscribe/${TOKEN}`);
    const html = await response.text();
    expect(response.status).toBe(500);
    expect(html).toMatch(/<h1[^>]*>Something went wrong<\/h1>/);
    expect(html).not.toMatch(/destroyed|Error:|\.ts:\d+/);
    expect(response.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(site.logged).toEqual([
      { method: 'GET', route: '/unsubscribe/:token', error: expect.stringMatching(/destroyed/) },
    ]);
    expect(JSON.stringify(site.logged)).not.toContain(TOKEN);
  });
});

describe('every page', () => {
  it('links to existing feeds, those of its subject first', async () => {
    const store = await openMigrated();
    const site = openTestSite(store);
    await saveDay(store);
    const config = sampleConfig();
    await publishFeeds(store, config, openTemplates(config.paths.templates, config.publication.zone), { now: NOW });
    const found = new Map<string, string>();
    const firstOf: Record<string, string[]> = {};
    for (const path of [...PAGES.map(([page]) => page), '/editions/daily-roundup/2026-11-24', '/feeds/']) {
      const html = await (await site.get(path)).text();
      const links = [...html.matchAll(/<link rel="alternate" type="([^"]+)" title="([^"]+)" href="([^"]+)">/g)];
      expect([path, links.length]).toEqual([path, html.match(/<link rel="alternate"/g)?.length]);
      expect([path, links.length >= 11]).toEqual([path, true]);
      for (const [, type = '', title = '', href = ''] of links) {
        expect(title).toMatch(/^The Meridian Wire: .+ \((?:RSS|Atom|JSON Feed|OPML)\)$/);
        found.set(href.replace('http://127.0.0.1:8080', ''), type);
      }
      firstOf[path] = links.map(([, , , href = '']) => href).filter((href) => href.endsWith('.rss'));
    }
    for (const [href, type] of found) {
      const response = await site.get(href, { Accept: type });
      expect([href, response.status, response.headers.get('Content-Type')?.split(';')[0]]).toEqual([href, 200, type]);
    }
    expect(firstOf['/articles/vec-t']?.slice(0, 4)).toEqual([
      '/feeds/business-tech.rss',
      '/feeds/kicker/in-depth.rss',
      '/feeds/reporter/jonas-weld.rss',
      '/feeds/latest.rss',
    ]);
    expect(firstOf['/articles/zh-stations']?.[1]).toBe('/feeds/reporter/%E9%99%88%E6%80%9D.rss');
    expect(firstOf['/sections/trending']?.[0]).toBe('/feeds/trending.rss');
    expect(firstOf['/editions/daily-roundup/2026-11-24']?.[0]).toBe('/feeds/roundups.rss');
    expect(found.has('/feeds/section/world.atom')).toBe(true);
  });

  it('links to the derived feed of a section that has no configured feed', async () => {
    const store = await openMigrated();
    const site = openTestSite(
      store,
      sampleConfig((yaml) => yaml.replace(/ {2}- id: world\n.*\n.*\n/, '')),
    );
    await saveDay(store);
    const html = await site.read('/sections/world');
    expect(/<link rel="alternate"[^>]*>/.exec(html)?.[0]).toContain('href="/feeds/section/world.rss"');
    expect(html).toContain('<a href="/feeds/section/world.atom">Atom</a>');
    expect((await site.get('/feeds/section/world.json')).status).toBe(200);
  });
});

const TABLES = [
  'articles',
  'pending_changes',
  'documents',
  'editions',
  'subscribers',
  'subscriptions',
  'consent_events',
  'suppressions',
  'service_messages',
  'rate_limits',
  'deliveries',
  'runs',
] as const;

async function everything(store: Store): Promise<object> {
  const rows = await Promise.all(TABLES.map((table) => store.db.selectFrom(table).selectAll().execute()));
  return Object.fromEntries(TABLES.map((table, index) => [table, rows[index]]));
}
