import { gunzipSync } from 'node:zlib';
import { html } from 'hono/html';
import { describe, expect, it } from 'vitest';
import { openDesk } from '../../../src/app/desk/routes.ts';
import { createApp } from '../../../src/app/routes/app.ts';
import { createDesk, isOwnRequest } from '../../../src/web/desk/desk-app.ts';
import type { SignedInRequest } from '../../../src/web/desk/desk-request.ts';
import type { DeskRoute } from '../../../src/web/desk/desk-route.ts';
import { LiveHub } from '../../../src/web/desk/live/live-hub.ts';
import { respondAfter, respondPage } from '../../../src/web/desk/page.ts';
import { postButton, textField } from '../../../src/web/desk/parts/form.ts';
import { openTestDesk, PASSWORD } from '../../app/desk/test-desk.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { openTestApp } from '../../support/test-app.ts';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`;

const PAGE: DeskRoute = {
  method: 'GET',
  path: '/page',
  needs: 'desk',
  handle: (request) => respondPage(request, { title: HOSTILE, section: 'today', body: html`<p>text</p>` }),
};

/** A desk with routes of the test, for the accounts of another desk of the same store. */
async function openWithRoutes(routes: readonly DeskRoute[]) {
  const store = await openMigrated();
  const app = openTestApp(store);
  const { accounts } = await openTestDesk(store, { app });
  const { config, templates, clock, log } = app;
  const secrets = await app.keys.signingSecrets();
  const site = createApp(
    { store, config, templates, secrets, clock, log },
    {
      mount: (web) => ({
        path: '/desk',
        pages: createDesk({ app, web, base: '/desk', live: new LiveHub(app), navigation: [] }, routes),
      }),
    },
  );
  const send = (path: string, init: RequestInit & { headers?: Record<string, string> } = {}, cookie = '') =>
    site.request(`/desk${path}`, {
      ...init,
      headers: { Cookie: `__Host-daywire-desk=${accounts.admin.token}${cookie}`, ...init.headers },
    });
  const post = (path: string, fields: Record<string, string>) =>
    send(path, { method: 'POST', body: new URLSearchParams(fields), headers: { 'Sec-Fetch-Site': 'same-origin' } });
  return { app, send, post };
}

describe('a process with the role desk alone', () => {
  it('serves the desk and its own health, and leads to the public pages at the address of the site', async () => {
    const store = await openMigrated();
    const { app, accounts } = await openTestDesk(store);
    const { config, templates, clock, log } = app;
    const secrets = await app.keys.signingSecrets();
    const options = { store, config, templates, secrets, clock, log };
    const site = createApp(options, { isPublic: false, mount: (web) => openDesk(app, web) });
    const headers = { Cookie: `__Host-daywire-desk=${accounts.operator.token}` };
    const statusOf = async (path: string): Promise<number> => (await site.request(path, { headers })).status;
    const paths = ['/desk', '/healthz', '/', '/feeds/latest.rss', '/subscribe'];
    expect(await Promise.all(paths.map(statusOf))).toEqual([200, 200, 404, 404, 404]);
    const feeds = await (await site.request('/desk/feeds', { headers })).text();
    expect(feeds).toContain(`href="${config.publication.url}/feeds/latest.rss"`);
    expect(feeds).not.toContain('href="/feeds');
  });
});

describe('the desk', () => {
  forEachDatabase((open) => {
    it('does not exist until there is an account', async () => {
      const store = await open();
      const app = openTestApp(store);
      const { config, templates, clock, log } = app;
      const secrets = await app.keys.signingSecrets();
      const routes: DeskRoute[] = [{ method: 'GET', path: '/sign-in', needs: null, handle: () => new Response('in') }];
      const site = createApp(
        { store, config, templates, secrets, clock, log },
        {
          mount: (web) => ({
            path: '/desk',
            pages: createDesk({ app, web, base: '/desk', live: new LiveHub(app), navigation: [] }, routes),
          }),
        },
      );
      expect((await site.request('/desk/sign-in')).status).toBe(404);
      await openTestDesk(store, { app });
      expect((await site.request('/desk/sign-in')).status).toBe(200);
    });
  });

  it('shows the outcome of an act once, escaped, with a button that takes it back', async () => {
    const { send, post } = await openWithRoutes([
      {
        method: 'POST',
        path: '/act',
        needs: 'desk',
        handle: (request) =>
          respondAfter(request, '/page', {
            ...{ kind: 'done', text: `dropped ${HOSTILE}` },
            undo: { action: '/undo', fields: { entry: HOSTILE } },
          }),
      },
      PAGE,
    ]);
    const acted = await post('/act', {});
    expect([acted.status, acted.headers.get('Location')]).toEqual([303, '/desk/page']);
    const [cookie = ''] = acted.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-daywire-notice=.*; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    const shown = await send('/page', {}, `; ${cookie.split(';', 1)[0]}`);
    const page = await shown.text();
    expect(page).toContain('dropped &quot;&gt;&lt;script&gt;alert(1)');
    expect(page).toContain('<form class="inline" method="post" action="/desk/undo">');
    expect(page).not.toContain('<script>alert');
    expect(shown.headers.getSetCookie()).toEqual([expect.stringContaining('__Host-daywire-notice=; Max-Age=0')]);
  });

  it('ignores a notice that it did not make', async () => {
    const { send } = await openWithRoutes([PAGE]);
    for (const value of ['x', 'e30', Buffer.from('{"kind":"done","text":1}').toString('base64url')]) {
      expect((await send('/page', {}, `; __Host-daywire-notice=${value}`)).status).toBe(200);
    }
  });

  it('compresses pages, its script and its style, but no page with a secret, nor lets a proxy do so', async () => {
    const { send } = await openWithRoutes([
      PAGE,
      {
        method: 'GET',
        path: '/secret',
        needs: 'desk',
        handle: (request) =>
          respondPage(request, { title: 'Link', section: null, body: html`<p>key</p>`, hasSecret: true }),
      },
      {
        method: 'GET',
        path: '/door',
        needs: null,
        handle: (request) => respondPage({ ...request, account: null }, { title: 'In', section: null, body: html`` }),
      },
    ]);
    const get = (path: string) => send(path, { headers: { 'Accept-Encoding': 'gzip' } });
    const page = await get('/page');
    expect(page.headers.get('Content-Encoding')).toBe('gzip');
    const text = gunzipSync(await page.arrayBuffer()).toString();
    expect(text).toBe(await (await send('/page')).text());
    const [script = ''] = /\/assets\/\w+\/desk\.js/.exec(text) ?? [];
    expect((await get(script)).headers.get('Content-Encoding')).toBe('gzip');
    for (const path of ['/secret', '/door']) {
      const { headers } = await get(path);
      expect([headers.get('Content-Encoding'), headers.get('Cache-Control')]).toEqual([null, 'no-store, no-transform']);
    }
  });

  it('allows no inline code and no other site on its pages, and no cache stores them', async () => {
    const { send } = await openWithRoutes([PAGE]);
    const response = await send('/page');
    const page = await response.text();
    expect(page).not.toContain('<script>');
    expect(page).not.toMatch(/<[^>]*\s(?:on\w+|style)=/);
    const policy = response.headers.get('Content-Security-Policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const assets = [...page.matchAll(/(?:href|src)="(\/desk\/assets\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(assets).toHaveLength(4);
    for (const path of assets) {
      const asset = await send(path.replace('/desk', ''));
      expect([asset.status, asset.headers.get('Cache-Control')]).toEqual([200, expect.stringContaining('immutable')]);
    }
    expect((await send('/assets/0/desk.css')).headers.get('Cache-Control')).toBe('no-store');
    expect((await send('/assets/0/..%2f..%2fpackage.json')).status).toBe(404);
  });

  it('says in a frame that there is no preview, where a page of the desk would stay blank', async () => {
    const { send } = await openWithRoutes([
      PAGE,
      {
        method: 'GET',
        path: '/sign-in',
        needs: null,
        handle: (request) =>
          respondPage({ ...request, account: null }, { title: 'Sign in', section: null, body: html`<form></form>` }),
      },
      {
        ...{ method: 'POST', path: '/preview', needs: 'desk' },
        handle: ({ c }: SignedInRequest) =>
          c.html('A preview with its own policy', 200, { 'Content-Security-Policy': 'sandbox' }),
      },
    ]);
    const frame = { 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Site': 'same-origin', 'Accept-Encoding': 'gzip' };
    const show = (Cookie?: string) =>
      send('/preview', {
        ...{ method: 'POST', body: new URLSearchParams({ text: 'Typed' }) },
        headers: { ...frame, ...(Cookie === undefined ? {} : { Cookie }) },
      });
    expect((await show()).headers.get('Content-Security-Policy')).toBe('sandbox');
    for (const response of [await show(''), await send('/page', { headers: frame })]) {
      expect(response.headers.get('Content-Security-Policy')).toContain("frame-ancestors 'self'");
      expect([response.headers.get('Content-Encoding'), response.headers.get('Cache-Control')]).toEqual([
        null,
        'no-store',
      ]);
      const text = await response.text();
      expect(text).toContain('<p>There is no preview: you may be signed out');
      expect(text).not.toMatch(/<form|Typed|<header/);
    }
  });

  it('asks for the password before an act that needs it again, and keeps the other fields', async () => {
    const done: string[] = [];
    const { post } = await openWithRoutes([
      {
        ...{ method: 'POST', path: '/act', needs: 'accounts', confirms: { act: 'Do it' } },
        handle: (request: SignedInRequest) => {
          done.push(request.form.get('what') ?? '');
          return respondAfter(request, '/page');
        },
      },
    ]);
    const asked = await (await post('/act', { what: HOSTILE })).text();
    expect(asked).toContain('name="what" value="&quot;&gt;&lt;script&gt;');
    expect(asked).toContain('type="password"');
    expect(asked).toContain('<h1>Do it: your password again</h1>');
    expect(asked).toContain('<dt>What</dt><dd dir="auto">&quot;&gt;&lt;script&gt;');
    expect(asked).toContain('<a class="button" href="/desk/act">Back, without doing it</a>');
    const wrong = await post('/act', { what: 'x', password: 'not the password' });
    expect(wrong.status).toBe(422);
    expect(await wrong.text()).not.toContain('not the password');
    expect(done).toEqual([]);
    expect((await post('/act', { what: 'that', password: PASSWORD })).status).toBe(303);
    expect(done).toEqual(['that']);
  });

  it('refuses a form that is too long, or none', async () => {
    const { send, post } = await openWithRoutes([
      { method: 'POST', path: '/act', needs: 'desk', handle: (request) => respondAfter(request, '/page') },
    ]);
    const headers = { 'Sec-Fetch-Site': 'same-origin' };
    const json = { ...headers, 'Content-Type': 'application/json' };
    expect((await send('/act', { method: 'POST', body: '{}', headers: json })).status).toBe(415);
    expect((await post('/act', { text: 'x'.repeat(2 * 1024 * 1024) })).status).toBe(413);
    expect((await post('/act', { text: 'x'.repeat(1024 * 1024) })).status).toBe(303);
  });

  it('leads to the sign-in page without a session, and back to the page afterwards', async () => {
    const { send } = await openWithRoutes([
      { method: 'GET', path: '/page', needs: 'desk', handle: () => new Response('page') },
      { method: 'POST', path: '/act', needs: 'desk', handle: () => new Response('acted') },
    ]);
    const page = await send('/page?a=b%20c', { headers: { Cookie: '' } });
    const next = encodeURIComponent('/desk/page?a=b%20c');
    expect([page.status, page.headers.get('Location')]).toEqual([303, `/desk/sign-in?next=${next}`]);
    const headers = { Cookie: '__Host-daywire-desk=wrong', 'Sec-Fetch-Site': 'same-origin' };
    const act = await send('/act', { method: 'POST', headers, body: new URLSearchParams() });
    expect([act.status, act.headers.get('Location')]).toEqual([303, '/desk/sign-in']);
  });
});

describe('a form of the desk', () => {
  it('escapes what it is given, in attributes and text', async () => {
    const request = { desk: { base: '/desk' } } as Parameters<typeof postButton>[0];
    const button = String(
      await postButton(request, '/act', HOSTILE, { fields: { [HOSTILE]: HOSTILE }, name: HOSTILE }),
    );
    const options = { label: HOSTILE, value: HOSTILE, hint: HOSTILE, error: HOSTILE, language: HOSTILE };
    const field = String(await textField({ name: 'x', ...options }));
    const area = String(await textField({ name: 'x', rows: 3, ...options, value: `</textarea>${HOSTILE}` }));
    for (const text of [button, field, area]) {
      expect(text).not.toMatch(/<script|<img|onerror=alert\(2\)>/);
      expect(text.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(1);
    }
  });

  it('shows an error beneath its field, which names it', async () => {
    const field = String(
      await textField({ name: 'subject', label: 'Subject', value: 'é', error: 'too short', counter: 90 }),
    );
    expect(field).toContain('aria-describedby="subject-error subject-counter"');
    expect(field).toContain('aria-invalid="true"');
    expect(field).toContain('1 of 90');
  });
});

const URL_OF_SITE = 'https://news.example.com/wire';

describe('an unsafe request', () => {
  it.each([
    ['"same-origin"', { site: 'same-origin' }, true],
    ['"same-origin", whatever the name of the host', { site: 'same-origin', origin: 'http://127.0.0.1:8080' }, true],
    ['"same-site"', { site: 'same-site', origin: 'https://news.example.com' }, false],
    ['"cross-site" and its own origin', { site: 'cross-site', origin: 'https://news.example.com' }, false],
    ['"none"', { site: 'none' }, false],
    ['an unknown word', { site: 'Same-Origin' }, false],
    ['nothing', {}, false],
    ['its own origin alone', { origin: 'https://news.example.com' }, true],
    ['the origin "null"', { origin: 'null' }, false],
    ['an empty origin', { origin: '' }, false],
    ['another origin', { origin: 'https://evil.example' }, false],
    ['another scheme', { origin: 'http://news.example.com' }, false],
    ['another port', { origin: 'https://news.example.com:8443' }, false],
    ['a host that begins like its own', { origin: 'https://news.example.com.evil.example' }, false],
  ])('with %s is accepted or refused: %#', (_, source, expected) => {
    expect(isOwnRequest({ site: undefined, origin: undefined, ...source }, URL_OF_SITE)).toBe(expected);
  });
});
