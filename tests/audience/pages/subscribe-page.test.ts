import { beforeEach, describe, expect, it } from 'vitest';
import { raiseSignupAlert, resolveSignupAlert } from '../../../src/audience/consent/signup-limits.ts';
import { suppressAddress } from '../../../src/audience/suppression.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { parseAddress } from '../../../src/lib/address.ts';
import { escapeHtml } from '../../../src/lib/text/html.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { closedConfig, NOW, openTestSite, type TestSite } from '../../app/test-site.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';
import { addConfirmed } from '../fixtures.ts';

const ADA: [string, string][] = [
  ['email', 'ada@example.com'],
  ['newsletter', 'daily-roundup'],
];

function withTwo(config: Config): Config {
  const [first] = config.newsletters;
  if (first === undefined) throw new Error('the sample has no newsletter');
  return {
    ...config,
    newsletters: [first, { ...first, id: 'weekly', title: 'The Weekly <Review>', deliverAt: '07:00' }],
  };
}

describe('the form to subscribe', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    beforeEach(async () => {
      store = await open();
      site = openTestSite(store);
    });
    const messages = (): Promise<{ kind: string; newsletters: string }[]> =>
      store.db.selectFrom('service_messages').select(['kind', 'newsletters']).orderBy('id').execute();

    it('queues a confirmation email, records the source, and subscribes nobody yet', async () => {
      const response = await site.post('/subscribe', [...ADA, ['zone', 'Europe/Paris']]);
      const html = await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(html).toContain('<h1 class="title">Check your inbox</h1>');
      expect(html).toContain('ada@example.com');
      expect(html).toContain('The Daily Roundup');
      expect(await messages()).toEqual([{ kind: 'confirm', newsletters: '["daily-roundup"]' }]);
      const subscriptions = await store.db.selectFrom('subscriptions').select('state').execute();
      expect(subscriptions).toEqual([{ state: 'unconfirmed' }]);
      const events = await store.db.selectFrom('consent_events').select(['change', 'channel', 'source']).execute();
      expect(events).toEqual([{ change: 'requested', channel: 'form', source: '192.0.2.7' }]);
    });

    it('responds alike to a new, a subscribed, a suppressed and a rate-limited address', async () => {
      const expected = await (await site.post('/subscribe', ADA)).text();
      await addConfirmed(store, 'known@example.com', ['daily-roundup'], NOW - HOUR);
      const gone = await addConfirmed(store, 'gone@example.com', ['daily-roundup'], NOW - HOUR);
      await suppressAddress(store.db, SECRETS, gone, 'hard-bounce', { channel: 'bounce' }, NOW - HOUR);
      const again = ['known', 'gone', 'known', 'known', 'known', 'known'].entries();
      for (const [n, name] of again) {
        site.at(NOW + n * MINUTE);
        const fields: [string, string][] = [['email', `${name}@example.com`], ...ADA.slice(1)];
        const response = await site.post('/subscribe', fields, { from: `192.0.2.${n + 10}` });
        expect(response.status).toBe(200);
        expect(await response.text()).toBe(expected.replaceAll('ada@', `${name}@`));
      }
      // At most three emails a day to one address.
      expect(await messages()).toHaveLength(1 + 3 + 1);
    });

    it('limits the requests of a client per hour, and says when to try again', async () => {
      const ask = (n: number, from: string): Promise<Response> =>
        site.post('/subscribe', [['email', `a${n}@example.com`], ...ADA.slice(1)], { from });
      for (let n = 0; n < 10; n++) expect((await ask(n, `2001:db8:0:7::${n + 1}`)).status).toBe(200);
      const refused = await ask(10, '2001:db8:0:7:ffff::1');
      expect(refused.status).toBe(429);
      expect(refused.headers.get('Retry-After')).toBe('360');
      expect(await refused.text()).toContain('Please try again in 6 minutes.');
      expect((await ask(11, '2001:db8:0:8::1')).status).toBe(200);
      site.at(NOW + HOUR / 10);
      expect((await ask(12, '2001:db8:0:7::1')).status).toBe(200);
      expect(await messages()).toHaveLength(12);
      const keys = await store.db.selectFrom('rate_limits').select('key').execute();
      expect(JSON.stringify(keys)).not.toMatch(/2001:db8|example\.com/);
    });

    it('limits the requests from an IPv6 /48 or an IPv4 /24 to twice those of a client', async () => {
      const ask = async (n: number, from: string): Promise<number> =>
        (await site.post('/subscribe', [['email', `a${n}@gmail.com`], ...ADA.slice(1)], { from })).status;
      for (const [block, other] of [
        [(n: number) => `2001:db8:7:${n}::1`, '2001:db8:8::1'],
        [(n: number) => `192.0.2.${n}`, '192.0.3.1'],
      ] as const) {
        const statuses = [];
        for (let n = 0; n < 21; n++) statuses.push(await ask(n, block(n)));
        expect(statuses).toEqual([...Array(20).fill(200), 429]);
        expect(await ask(99, other)).toBe(200);
      }
    });

    it('says "try again later" when there are too many requests in all, and alerts until an hour after', async () => {
      const config = sampleConfig();
      const busy = openTestSite(store, { ...config, signup: { ...config.signup, perHour: 2 } });
      const ask = (name: string): Promise<Response> =>
        busy.post('/subscribe', [['email', `${name}@example.com`], ...ADA.slice(1)]);
      for (const name of ['a', 'b']) expect((await ask(name)).status).toBe(200);
      expect(await openAlerts(store.db)).toEqual([]);
      const refused = await ask('c');
      expect(refused.status).toBe(429);
      expect(refused.headers.get('Retry-After')).toBe('1800');
      expect(await refused.text()).toContain(
        'too many requests to subscribe at the moment. Please try again in 30 minutes.',
      );
      expect(await openAlerts(store.db)).toMatchObject([
        { key: 'signup-limit', message: expect.stringContaining('more than 2 in an hour (signup.perHour)') },
      ]);
      await resolveSignupAlert(store.db, NOW + HOUR - 1);
      expect(await openAlerts(store.db)).toHaveLength(1);
      await resolveSignupAlert(store.db, NOW + HOUR);
      expect(await openAlerts(store.db)).toEqual([]);
      // A clock that is set back limits nobody for longer, so nothing is left to alert of.
      await raiseSignupAlert(store.db, 2, NOW);
      await resolveSignupAlert(store.db, NOW - 5 * HOUR);
      expect(await openAlerts(store.db)).toEqual([]);
    });

    it('ignores a program that fills in the hidden field, with the usual page', async () => {
      const expected = await (await site.post('/subscribe', [...ADA, ['website', 'https://spam.example/']])).text();
      expect(await messages()).toEqual([]);
      expect(await store.db.selectFrom('subscribers').selectAll().execute()).toEqual([]);
      expect(await (await site.post('/subscribe', ADA)).text()).toBe(expected);
      expect(await messages()).toHaveLength(1);
    });

    it('shows what was entered, with each error beside its field', async () => {
      const response = await site.post('/subscribe', [
        ['email', ' "ada"@example <b> '],
        ['newsletter', 'no-such-letter'],
        ['zone', 'Mars/Olympus'],
      ]);
      const html = await response.text();
      expect(response.status).toBe(422);
      expect(html).toMatch(/<title>Error: Newsletters — /);
      expect(html).toMatch(
        /<input id="email"[^>]* value="&#34;ada&#34;@example &lt;b&gt;" aria-invalid="true" aria-describedby="email-/,
      );
      expect(html).toMatch(
        /id="email-wrong"><span class="unseen">Error: <\/span>This address cannot be used: it must be/,
      );
      expect(html).toMatch(/id="newsletters-wrong">.*Choose a newsletter\./);
      expect(html).toMatch(/id="zone-wrong">.*Choose a time zone from the list\./);
      expect(await messages()).toEqual([]);
    });

    it('says about each unusable address what is wrong with it', async () => {
      const unusable = ['ada', '@b.example', 'ä@b.example', 'a..b@c.example', 'a@b', `${'a'.repeat(65)}@b.example`];
      const long = `${'a'.repeat(64)}@${`${'b'.repeat(60)}.`.repeat(3)}example`;
      for (const email of [...unusable, long, 'a\u0007@b.example', '<a@b.example>']) {
        const address = parseAddress(email);
        const html = await (await site.post('/subscribe', [['email', email]])).text();
        const reason = address.kind === 'invalid' ? address.reason : '';
        expect(html).toContain(`</span>This address cannot be used: ${escapeHtml(reason)}.</p>`);
      }
      expect(await (await site.post('/subscribe')).text()).toContain('Enter your email address, such as name@');
    });

    it("shows errors in the publication's language, and isolates what runs in the other direction", async () => {
      const config = sampleConfig((yaml) => yaml.replace('language: en', 'language: ar'));
      const ar = {
        'form.wrongAddress': '{problem, select, domain {"{part}" ليس نطاقا كاملا.} other {عنوان خاطئ.}}',
        'form.newsletterMissing': 'اختر نشرة.',
        'signup.errorTitle': 'خطأ: النشرات',
      };
      const arabic = openTestSite(store, { ...config, ownMessages: { ar } });
      const html = await (await arabic.post('/subscribe', [['email', 'ada@localhost']])).text();
      expect(html).toMatch(/<html lang="ar" dir="rtl">/);
      expect(html).toContain('<title>خطأ: النشرات – ');
      expect(html).toContain('</span>&quot;<bdi>localhost</bdi>&quot; ليس نطاقا كاملا.</p>');
      expect(html).toMatch(/id="newsletters-wrong">.*اختر نشرة\./);
      expect(html).toContain('<bdi>The Daily Roundup</bdi></label>');
    });

    it('accepts only a short form of the same site', async () => {
      const post = (body: string, type: string): Promise<Response> | Response =>
        site.app.request('/subscribe', { method: 'POST', body, headers: { 'Content-Type': type } });
      const good = 'email=ada%40example.com&newsletter=daily-roundup';
      const form = 'application/x-www-form-urlencoded';
      expect((await post(good, 'text/plain')).status).toBe(415);
      expect((await post('{}', 'application/json')).status).toBe(415);
      expect((await post(`${good}&x=${'y'.repeat(70_000)}`, form)).status).toBe(413);
      const endless = new ReadableStream({
        pull: (controller) => controller.enqueue(new TextEncoder().encode('y'.repeat(1_000))),
      });
      const streamed = { method: 'POST', body: endless, duplex: 'half', headers: { 'Content-Type': form } };
      expect((await site.app.request('/subscribe', streamed as RequestInit)).status).toBe(413);
      expect((await site.post('/subscribe', ADA, { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(403);
      expect(await messages()).toEqual([]);
      expect((await site.post('/subscribe', ADA, { headers: { 'Sec-Fetch-Site': 'same-origin' } })).status).toBe(200);
      expect((await post(good, `${form}; charset=UTF-8`)).status).toBe(200);
      expect(site.logged).toEqual([]);
    });
  });
});

describe('the page with the form', () => {
  it('has a single newsletter checked, but none of several', async () => {
    const store = await openMigrated();
    const config = sampleConfig();
    const one = { ...config, newsletters: config.newsletters.slice(0, 1) };
    expect(await openTestSite(store, one).read('/newsletters')).toMatch(/value="daily-roundup" checked /);
    const two = await openTestSite(store, withTwo(sampleConfig())).read('/newsletters');
    expect(two).not.toMatch(/ checked/);
    expect(two).toContain('The Weekly &lt;Review&gt;');
    expect(two).toContain('Every day at 7:30 AM, Shanghai time; delivered at 7:00 AM in your time zone.');
  });

  it('is the target of GET, and has no form while signup is closed', async () => {
    const store = await openMigrated();
    const open = openTestSite(store);
    const redirect = await open.get('/subscribe?to=https://evil.example/');
    expect([redirect.status, redirect.headers.get('Location')]).toEqual([303, '/newsletters']);
    expect(await open.read('/')).toContain('action="/subscribe"');
    const closed = openTestSite(store, closedConfig());
    for (const path of ['/', '/newsletters']) expect(await closed.read(path)).not.toContain('<form');
    expect(await closed.read('/newsletters')).toContain('To subscribe, write to');
    for (const response of [await closed.get('/subscribe'), await closed.post('/subscribe', ADA)]) {
      expect(response.status).toBe(404);
      expect(await response.text()).toContain('Signup is closed');
    }
    expect(await store.db.selectFrom('subscribers').selectAll().execute()).toEqual([]);
  });
});
