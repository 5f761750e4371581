import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { consentTextOf } from '../../../src/audience/consent/consent-text.ts';
import { renderOwnSiteForm } from '../../../src/audience/own-site-form.ts';
import { suppressAddress } from '../../../src/audience/suppression.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { NOW, openTestSite, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { htmlFaults } from '../../support/html-faults.ts';
import { ROOT, SECRETS, sampleConfig } from '../../support/sample.ts';
import { addConfirmed } from '../fixtures.ts';
import { type Fields, listed, OWN, ROBOTS, TIMES } from './robots.ts';

const THANKS = `${TIMES}/thanks#roundup`;
const ADA: Fields = [
  ['email', 'ada@example.com'],
  ['newsletter', 'daily-roundup'],
];

describe('the form on another site', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store, listed());
    });
    const post = (fields: Fields, headers: Record<string, string> = {}, from?: string, to = site) =>
      to.post('/api/subscribe', fields, { headers: { Origin: TIMES, ...headers }, ...(from && { from }) });
    const ask = (fields: Fields, from?: string, to = site) => post(fields, { Accept: 'application/json' }, from, to);
    const queued = async (): Promise<number> =>
      (await store.db.selectFrom('service_messages').select('id').execute()).length;

    it('queues a confirmation, and records site, wording, client and channel', async () => {
      const consent = consentTextOf(sampleConfig());
      const response = await ask([...ADA, ['consent', consent.id], ['elapsed', '1500']]);
      expect(response.status).toBe(200);
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe(TIMES);
      expect(response.headers.get('Access-Control-Allow-Credentials')).toBeNull();
      expect(response.headers.get('Vary')).toBe('Origin');
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(await response.json()).toEqual({
        status: 'check-inbox',
        message:
          'We are sending an email to ada@example.com. Open the link in it within 72 hours, and press the button there ' +
          'to subscribe to The Daily Roundup.',
      });
      expect(await queued()).toBe(1);
      expect(await store.db.selectFrom('subscriptions').select('state').execute()).toEqual([{ state: 'unconfirmed' }]);
      const events = store.db
        .selectFrom('consent_events')
        .select(['change', 'channel', 'source', 'detail', 'consent_text']);
      expect(await events.execute()).toEqual([
        { change: 'requested', channel: 'form', source: '192.0.2.7', detail: TIMES, consent_text: consent.id },
      ]);
    });

    it('gets the same answer for a new, a known, a suppressed and a rate-limited address', async () => {
      const expected = await (await ask(ADA)).text();
      await addConfirmed(store, 'known@example.com', ['daily-roundup'], NOW - HOUR);
      const gone = await addConfirmed(store, 'gone@example.com', ['daily-roundup'], NOW - HOUR);
      await suppressAddress(store.db, SECRETS, gone, 'hard-bounce', { channel: 'bounce' }, NOW - HOUR);
      for (const [n, name] of ['known', 'gone', 'known', 'known', 'known'].entries()) {
        site.at(NOW + n * MINUTE);
        const answer = await ask([['email', `${name}@example.com`], ...ADA.slice(1)], `198.51.100.${n}`);
        expect([answer.status, await answer.text()]).toEqual([200, expected.replaceAll('ada@', `${name}@`)]);
      }
      expect(await queued()).toBe(1 + 3 + 1);
    });

    it('gets the errors of its fields by their names, as plain text', async () => {
      const response = await ask([['email', '"<b>"@example.com']]);
      expect(response.status).toBe(422);
      const { status, message, errors } = (await response.json()) as Record<string, unknown>;
      expect(status).toBe('invalid');
      expect(response.headers.get('Access-Control-Allow-Origin')).toBe(TIMES);
      expect(errors).toEqual({
        email: expect.stringContaining('This address cannot be used: it must be only the address'),
        newsletter: 'Choose a newsletter.',
      });
      expect(message).toBe(Object.values(errors as object).join(' '));
      const isolated = openTestSite(
        store,
        listed({}, (yaml) => yaml.replace('language: en', 'language: ar')),
      );
      const messageFor = async (fields: Fields): Promise<string> =>
        ((await (await ask(fields, undefined, isolated)).json()) as { message: string }).message;
      const wrong = await messageFor([['email', 'ada@localhost']]);
      expect(wrong).toContain('\u2068localhost\u2069');
      expect(wrong).not.toMatch(/&lt;|<bdi>/);
      const two = await messageFor([...ADA, ['newsletter', 'weekly-roundup']]);
      expect(two).toContain('\u2068The Daily Roundup\u2069');
    });

    it('shares the limits of the page: by client', async () => {
      const some = (n: number): Fields => [['email', `a${n}@gmail.com`], ...ADA.slice(1)];
      for (let n = 0; n < 9; n++) expect((await ask(some(n))).status).toBe(200);
      expect((await site.post('/subscribe', some(9))).status).toBe(200);
      const refused = await ask(some(10));
      expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '360']);
      expect(refused.headers.get('Access-Control-Allow-Origin')).toBe(TIMES);
      expect(await refused.json()).toEqual({
        status: 'too-many',
        message: expect.stringContaining('from your network. Please try again in 6 minutes.'),
      });
      const page = await post(some(11));
      expect([page.status, page.headers.get('Retry-After')]).toEqual([429, '360']);
      expect(await page.text()).toContain('<h1 class="title">Too many requests</h1>');
      expect(await queued()).toBe(10);
    });

    it('says "try again later" when there are too many requests in all', async () => {
      const busy = openTestSite(store, listed({ perHour: 1 }));
      expect((await ask(ADA, '198.51.100.1', busy)).status).toBe(200);
      const refused = await ask([['email', 'b@gmail.com'], ...ADA.slice(1)], '198.51.100.2', busy);
      expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '3600']);
      expect(await refused.json()).toEqual({ status: 'too-many', message: expect.stringContaining('at the moment') });
      expect(await queued()).toBe(1);
    });

    it('mails nobody for a robot, and does not tell it so (robots.slow.test.ts sends 1,000)', async () => {
      expect(ROBOTS.length).toBeGreaterThan(20);
      const texts: [headers: Record<string, string>, text: string][] = [];
      for (const [fields, headers, status] of ROBOTS) {
        const response = await site.post('/api/subscribe', [...ADA, ...fields], { headers });
        expect([headers, fields, response.status]).toEqual([headers, fields, status]);
        // A page of a site that is not listed cannot even read the refusal.
        const reader = status === 200 ? headers.Origin : null;
        expect(response.headers.get('Access-Control-Allow-Origin')).toBe(reader);
        if (status === 200) texts.push([headers, await response.text()]);
      }
      for (const table of ['service_messages', 'subscribers', 'consent_events', 'rate_limits'] as const) {
        expect([table, await store.db.selectFrom(table).selectAll().execute()]).toEqual([table, []]);
      }
      for (const [headers, text] of texts.slice(0, 3)) expect(await (await post(ADA, headers)).text()).toBe(text);
      // They are repetitions of one request.
      expect(await queued()).toBe(1);
    });
  });

  it('without a script leads to the page of thanks of the configuration, and to no other', async () => {
    const store = await openMigrated();
    const headers = {
      Origin: TIMES,
      Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
      'Sec-Fetch-Site': 'cross-site',
    };
    const thankful = openTestSite(store, listed({ thanks: THANKS }));
    const evil: Fields = ['thanks', 'next', 'redirect'].map((name) => [name, 'https://evil.example/']);
    const thanked = await thankful.post('/api/subscribe', [...ADA, ...evil], { headers });
    expect([thanked.status, thanked.headers.get('Location')]).toEqual([303, THANKS]);
    const trapped = await thankful.post('/api/subscribe', [...ADA, ['website', 'x']], { headers });
    expect([trapped.status, trapped.headers.get('Location')]).toEqual([303, THANKS]);
    const wrong = await thankful.post(
      '/api/subscribe',
      [
        ['email', 'ada@'],
        ['newsletter', 'daily-roundup'],
      ],
      { headers },
    );
    const html = await wrong.text();
    expect(wrong.status).toBe(422);
    expect(html).toContain('action="/subscribe"');
    expect(html).toMatch(/value="ada@" aria-invalid="true"/);
    const plain = await openTestSite(store, listed()).post('/api/subscribe', ADA, { headers });
    expect([plain.status, plain.headers.get('Location')]).toEqual([200, null]);
    expect(await plain.text()).toContain('<h1 class="title">Check your inbox</h1>');
  });

  it('is refused from every other origin while signup.origins is empty, and while signup is closed', async () => {
    const store = await openMigrated();
    const status = async (site: TestSite, origin: string): Promise<number> =>
      (await site.post('/api/subscribe', ADA, { headers: { Origin: origin } })).status;
    const closedToOthers = openTestSite(store);
    expect([await status(closedToOthers, TIMES), await status(closedToOthers, OWN)]).toEqual([403, 200]);
    const closed = openTestSite(store, listed({ enabled: false }));
    expect([await status(closed, TIMES), await status(closed, OWN)]).toEqual([404, 404]);
    const headers = { Origin: TIMES, Accept: 'application/json' };
    const answer = await closed.post('/api/subscribe', ADA, { headers });
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { status: 'closed', message: expect.stringMatching(/^New subscriptions are not possible/) },
    ]);
  });

  it('must be short and of the type of forms', async () => {
    const { app } = openTestSite(await openMigrated(), listed());
    const headers = { Origin: TIMES, 'Content-Type': 'application/json', Accept: 'application/json' };
    const posted = (body: string, more = {}) =>
      app.request('/api/subscribe', { method: 'POST', body, headers: { ...headers, ...more } });
    expect((await posted('{"email":"ada@example.com"}')).status).toBe(415);
    const long = `email=${'a'.repeat(70_000)}`;
    expect((await posted(long, { 'Content-Type': 'application/x-www-form-urlencoded' })).status).toBe(413);
    const preflight = await app.request('/api/subscribe', { method: 'OPTIONS', headers });
    expect([preflight.status, preflight.headers.get('Access-Control-Allow-Origin')]).toEqual([204, null]);
  });
});

describe('the form to copy', () => {
  const render = (config: Config, ids = config.newsletters.map(({ id }) => id)) => {
    const { paths, publication, ownMessages } = config;
    return renderOwnSiteForm({ config, templates: openTemplates(paths.templates, publication.zone, ownMessages) }, ids);
  };

  it('is valid, escapes what it shows, and posts to the public address with the wording of consent', async () => {
    const config = sampleConfig((yaml) =>
      yaml
        .replace('url: http://127.0.0.1:8080', 'url: https://news.example/daywire')
        .replace('title: The Daily Roundup', 'title: "The <Daily> & Roundup"')
        .replace('signup:\n', 'signup:\n  consent: { text: "I <agree>.", version: "--><x>" }\n'),
    );
    const html = await render(config);
    expect(html).toContain('<form method="post" action="https://news.example/daywire/api/subscribe" data-daywire');
    expect(html).toContain('<script src="https://news.example/daywire/subscribe.js" defer></script>');
    expect(html).toContain('> The &lt;Daily&gt; &amp; Roundup</label>');
    expect(html).toContain(
      `<input type="hidden" name="consent" value="${consentTextOf(config).id}">\n<p>I &lt;agree&gt;.`,
    );
    expect(html).toContain('wording --&gt;&lt;x&gt;.');
    expect(html).not.toMatch(/style=|<style|\sid=| checked/);
    const page = `<!doctype html><html lang="en"><head><title>T</title></head><body><main>${html}</main></body></html>`;
    expect(await htmlFaults(page)).toEqual([]);
  });

  it('has no checkbox for a single newsletter, and is in the language and direction of the publication', async () => {
    const config = sampleConfig((yaml) => yaml.replace('language: en', 'language: he'));
    const html = await render(config, ['daily-roundup']);
    expect(html).toContain('data-daywire lang="he" dir="rtl">');
    expect(html).toContain('<input type="hidden" name="newsletter" value="daily-roundup">');
    expect(html).not.toMatch(/checkbox|weekly-roundup/);
  });
});

describe('/subscribe.js', () => {
  it('is small, may be loaded by any site, and is kept for an hour', async () => {
    const site = openTestSite(await openMigrated());
    const response = await site.get('/subscribe.js');
    const script = await response.text();
    expect(script).toBe(readFileSync(join(ROOT, 'templates/pages/subscribe.js'), 'utf8'));
    expect(Buffer.byteLength(script)).toBeLessThanOrEqual(3_072);
    expect(script).not.toMatch(/\.cookie|localStorage|innerHTML|eval\(/);
    const names = ['Content-Type', 'Cache-Control', 'Cross-Origin-Resource-Policy', 'X-Content-Type-Options'];
    expect(names.map((name) => response.headers.get(name))).toEqual([
      ...['text/javascript; charset=utf-8', 'public, max-age=3600', 'cross-origin', 'nosniff'],
    ]);
    const again = await site.get('/subscribe.js', { 'If-None-Match': response.headers.get('ETag') as string });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });
});
