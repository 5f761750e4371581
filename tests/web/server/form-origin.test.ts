import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { isForeignForm } from '../../../src/web/server/form-origin.ts';
import { openTestSite, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';

const OWN = 'https://news.example.com';
const OTHER = 'https://evil.example';

type Fields = Record<string, string>;

describe('a form', () => {
  it.each([
    ['nothing, as programs send it', {}, false],
    ['its own origin', { origin: OWN }, false],
    ['another origin', { origin: OTHER }, true],
    ['its own origin, from a browser that says "same-origin"', { site: 'same-origin', origin: OWN }, false],
    ['another origin, from a browser that says "same-origin"', { site: 'same-origin', origin: OTHER }, true],
    ['its own origin, from a browser that says "cross-site"', { site: 'cross-site', origin: OWN }, true],
    ['"cross-site" alone', { site: 'cross-site' }, true],
    ['the origin of a neighbour', { site: 'same-site', origin: 'https://shop.example.com' }, true],
    ['"same-site" alone', { site: 'same-site' }, true],
    ['its own host over http', { origin: 'http://news.example.com' }, true],
    ['its own host on another port', { origin: `${OWN}:8443` }, true],
    ['a host that begins like its own', { origin: `${OWN}.evil.example` }, true],
    ['the host that the client used', { origin: 'http://127.0.0.1:8080', host: '127.0.0.1:8080' }, false],
    ['that host, in capitals and with its port', { origin: 'https://a.example', host: 'A.example:443' }, false],
    ['that host over the forwarded protocol', { origin: 'http://a.b', host: 'a.b', protocol: 'http' }, false],
    ['that host over another protocol', { origin: 'http://a.b', host: 'a.b', protocol: 'https' }, true],
    ['no origin at all', { origin: 'about:blank', host: 'a.b' }, true],
    ['an origin that is none', { origin: '"><script>', host: 'a b' }, true],
  ])('with %s is foreign: %#', (_, headers, expected) => {
    const form = { site: undefined, origin: undefined, host: undefined, protocol: undefined, ...headers };
    for (const acceptsNull of [true, false]) expect(isForeignForm(form, OWN, acceptsNull)).toBe(expected);
  });

  it('with the origin "null" is foreign unless the browser says "same-origin", or the page has no referrer', () => {
    const decide = (site: string | undefined, acceptsNull: boolean): boolean =>
      isForeignForm({ site, origin: 'null', host: undefined, protocol: undefined }, OWN, acceptsNull);
    expect(['same-origin', 'same-site', 'cross-site', undefined].map((site) => decide(site, false))).toEqual([
      ...[false, true, true, true],
    ]);
    expect(['same-origin', 'same-site', 'cross-site', undefined].map((site) => decide(site, true))).toEqual([
      ...[false, true, true, false],
    ]);
  });
});

forEachDatabase((open) => {
  describe('a form of the site', () => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      const config = sampleConfig((yaml) => yaml.replace('url: http://127.0.0.1:8080', `url: ${OWN}`));
      site = openTestSite(store, config);
    });
    const signUp: [string, string][] = [
      ['email', 'ada@example.com'],
      ['newsletter', 'daily-roundup'],
    ];

    it('to subscribe is refused from another origin, and accepted from its own', async () => {
      const post = (headers: Fields, from?: string): Promise<Response> =>
        site.post('/subscribe', signUp, { headers, ...(from === undefined ? {} : { from }) });
      for (const headers of [{ Origin: OTHER }, { Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' }] as Fields[]) {
        const response = await post(headers);
        expect([headers, response.status]).toEqual([headers, 403]);
        expect(await response.text()).toContain('Request from another site');
      }
      expect(await store.db.selectFrom('service_messages').selectAll().execute()).toEqual([]);
      for (const headers of [{}, { Origin: OWN }, { Origin: 'http://localhost:1', Host: 'localhost:1' }] as Fields[]) {
        expect([headers, (await post(headers)).status]).toEqual([headers, 200]);
      }
      // Only a trusted proxy says which host the client used.
      const forwarded = { Origin: OTHER, 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' };
      expect((await post(forwarded, '192.0.2.7')).status).toBe(403);
      expect((await post(forwarded, '127.0.0.1')).status).toBe(200);
    });

    it('is refused from another origin, whatever its address, and programs may send it', async () => {
      const posts = new Set(site.app.routes.filter(({ method }) => method === 'POST').map(({ path }) => path));
      // Programs post to these from anywhere; the form of the unsubscribe page has tests of its own.
      for (const path of ['/hub', '/unsubscribe/:token']) expect(posts.delete(path)).toBe(true);
      expect(posts.size).toBeGreaterThanOrEqual(7);
      for (const path of posts) {
        const statuses = [];
        for (const headers of [
          { Origin: OTHER },
          { 'Sec-Fetch-Site': 'cross-site' },
          { Origin: OWN },
          {},
        ] as Fields[]) {
          statuses.push((await site.post(path.replace(':token', 'x'), [], { headers })).status);
        }
        const accepted = path.endsWith('/subscribe') ? 422 : 404;
        // The form on other sites is for browsers, which always name their origin.
        const fromProgram = path === '/api/subscribe' ? 403 : accepted;
        expect([path, ...statuses]).toEqual([path, 403, 403, accepted, fromProgram]);
      }
    });

    it('tells browsers to use https for a year, where the public address is https', async () => {
      const hsts = async (at: TestSite, proto: string | null, from: string): Promise<string | null> => {
        const headers = proto === null ? {} : { 'X-Forwarded-Proto': proto };
        const env = { incoming: { socket: { remoteAddress: from } } };
        return (await at.app.request('/', { headers }, env)).headers.get('Strict-Transport-Security');
      };
      expect(await hsts(site, null, '192.0.2.7')).toBe('max-age=31536000');
      expect(await hsts(site, 'https', '127.0.0.1')).toBe('max-age=31536000');
      // A trusted proxy says that the client uses http (RFC 6797 §7.2); another one may say anything.
      expect(await hsts(site, 'http', '127.0.0.1')).toBeNull();
      expect(await hsts(site, 'http', '192.0.2.7')).toBe('max-age=31536000');
      expect(await hsts(openTestSite(store), null, '192.0.2.7')).toBeNull();
      expect(await hsts(openTestSite(store), 'https', '127.0.0.1')).toBeNull();
    });
  });
});
