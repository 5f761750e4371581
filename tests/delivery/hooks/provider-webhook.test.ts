import { beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { readLastProviderEvent } from '../../../src/delivery/providers/record-events.ts';
import type { ProviderEvent } from '../../../src/delivery/providers/report-reader.ts';
import { DAY, MINUTE } from '../../../src/lib/time.ts';
import type { WebOptions } from '../../../src/web/server/web-context.ts';
import { NOW, openTestSite, type TestSite } from '../../app/test-site.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { type About, returnToken, submitEditions, subscriberState } from '../bounces/bounce-fixture.ts';
import { deliveriesOf } from '../fixture.ts';
import { COMPLAINT, DELIVERY, PERMANENT, sesRecord } from '../providers/fixtures/ses-records.ts';
import { PROVIDER_FIXTURES } from '../providers/signed-requests.ts';
import {
  bodyOf,
  confirmation,
  notification,
  SNS_CERTIFICATE,
  type SnsFields,
  signed,
  snsClient,
  TOPIC,
} from '../providers/sns-requests.ts';

interface Posted {
  headers?: Headers;
  body: Uint8Array;
}

/** A mail provider: its requests, correctly signed, and what a stranger would change in them. */
interface Case {
  provider: 'ses' | keyof typeof PROVIDER_FIXTURES;
  secret?: string;
  /** The same event and number give the same report. */
  request(kind: 'hard' | 'complaint' | 'delivered', about: About): Posted;
  forge(request: Posted): Posted;
}

const SES_PARTS = {
  hard: ['Bounce', PERMANENT],
  complaint: ['Complaint', COMPLAINT],
  delivered: ['Delivery', DELIVERY],
};

const ses: Case = {
  provider: 'ses',
  request(kind, about) {
    const [type, part] = SES_PARTS[kind] as [string, object];
    return { body: bodyOf(signed(notification(sesRecord(type, part, { token: returnToken(about) }), NOW))) };
  },
  forge: ({ body }) => ({
    body: Buffer.from(Buffer.from(body).toString().replace('mail-events","Message":"{', '$&  ')),
  }),
};

const others = Object.entries(PROVIDER_FIXTURES).map(([provider, fixture]): Case => {
  return {
    provider: provider as keyof typeof PROVIDER_FIXTURES,
    secret: fixture.secret,
    request(kind: ProviderEvent['kind'], about) {
      const report = fixture.report(kind, {
        token: returnToken(about),
        email: 'subscriber1@example.com',
        at: NOW - 1_000,
      });
      return fixture.request(report, NOW);
    },
    forge({ headers = new Headers(), body }) {
      const forged = new Headers(headers);
      if (headers.has('authorization')) forged.set('authorization', `Basic ${btoa('daywire:guessed')}`);
      const text = Buffer.from(body).toString().replace('token000', 'token111');
      // SendGrid signs the body, Mailgun the token that is in it.
      return {
        headers: forged,
        body: Buffer.from(provider === 'sendgrid' ? text.replace('filter0001', 'filter0002') : text),
      };
    },
  };
});

function openSite(
  store: Store,
  { provider, secret }: Pick<Case, 'provider' | 'secret'>,
  options: Partial<WebOptions> = {},
): TestSite {
  const config = sampleConfig();
  const delivery = { ...config.delivery, provider, ...(provider === 'ses' ? { ses: { topics: [TOPIC] } } : {}) };
  const secrets = { ...config.secrets, ...(secret === undefined ? {} : { providerSecret: secret }) };
  return openTestSite(store, { ...config, delivery, secrets }, { serviceClient: snsClient().client, ...options });
}

async function post({ app }: TestSite, provider: string, { headers, body }: Posted): Promise<number> {
  const response = await app.request(`/webhooks/${provider}`, {
    method: 'POST',
    body: new Uint8Array(body),
    ...(headers === undefined ? {} : { headers }),
  });
  return response.status;
}

describe.each([ses, ...others])('the webhook of $provider', (one) => {
  const { provider } = one;
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    let about: About;
    beforeEach(async () => {
      store = await open();
      site = openSite(store, one);
      [about] = (await submitEditions(store, 1)) as [About];
    });
    const written = ({ headers, body }: Posted) => [Buffer.from(body).toString(), headers?.get('authorization')];
    const everything = async () => [await subscriberState(store, about), await deliveriesOf(store)];

    it('records a bounce once, however often it is sent', async () => {
      const bounce = one.request('hard', about);
      expect(await post(site, provider, bounce)).toBe(200);
      const once = await everything();
      expect(once[0]).toMatchObject({ suppressed: 'hard-bounce', bounces: ['hard 5.1.1'] });
      expect(await post(site, provider, bounce)).toBe(200);
      expect(await post(site, provider, one.request('hard', about))).toBe(200);
      expect(await everything()).toEqual(once);
      expect(await readLastProviderEvent(store.db, provider)).toBe(NOW);
    });

    it('records a complaint, and that a message has arrived', async () => {
      expect(await post(site, provider, one.request('delivered', about))).toBe(200);
      const [row] = await deliveriesOf(store);
      expect(row?.delivered_at).toBeGreaterThan(NOW - DAY);
      expect(row?.delivered_at).toBeLessThanOrEqual(NOW);
      expect(await post(site, provider, one.request('complaint', about))).toBe(200);
      const state = await subscriberState(store, about);
      expect(state).toMatchObject({ suppressed: 'complaint', subscription: 'unsubscribed' });
    });

    it('changes nothing with a wrong signature', async () => {
      const before = await everything();
      for (const kind of ['hard', 'complaint', 'delivered'] as const) {
        const genuine = one.request(kind, about);
        const forged = one.forge(genuine);
        expect(written(forged), kind).not.toEqual(written(genuine));
        expect(await post(site, provider, forged), kind).toBe(401);
      }
      expect(await post(site, provider, { body: Buffer.from('{}') })).toBe(401);
      expect(await everything()).toEqual(before);
      expect(await store.db.selectFrom('webhook_events').selectAll().execute()).toEqual([]);
      expect(await readLastProviderEvent(store.db, provider)).toBeNull();
    });
  });
});

describe('the webhook of a mail provider', () => {
  forEachDatabase((open) => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });

    it('is only that of the configured one, takes POST alone, and limits the body', async () => {
      const site = openSite(store, others[0] as Case);
      for (const provider of ['ses', 'mailgun', 'sendgrid', 'brevo', 'none']) {
        expect(await post(site, provider, { body: Buffer.from('{}') }), provider).toBe(404);
      }
      expect((await site.get('/webhooks/postmark')).status).toBe(405);
      expect(await post(site, 'postmark', { body: Buffer.alloc(2 * 1024 * 1024 + 1, ' ') })).toBe(413);
      expect(await post(openTestSite(store), 'postmark', { body: Buffer.from('{}') })).toBe(404);
    });

    it('takes less from strangers where the signature is inside the body, which is parsed first', async () => {
      const mailgun = others.find(({ provider }) => provider === 'mailgun') as Case;
      for (const one of [ses, mailgun]) {
        const site = openSite(store, one);
        expect(await post(site, one.provider, { body: Buffer.alloc(512 * 1024, '[') }), one.provider).toBe(401);
        expect(await post(site, one.provider, { body: Buffer.alloc(512 * 1024 + 1, '[') }), one.provider).toBe(413);
      }
    });

    it.each([
      ['ses', 500, 'request failed'],
      // It drops what is answered with 500 or 503.
      ['brevo', 429, 'reports of the mail provider not recorded'],
    ])(
      'answers %s with %i while the store fails or a secret is missing, and records the request later',
      async (name, status, logged) => {
        const one = [ses, ...others].find(({ provider }) => provider === name) as Case;
        const broken = await open();
        const [about] = (await submitEditions(store, 1)) as [About];
        const request = one.request('hard', about);
        await broken.db.schema.dropTable('webhook_events').execute();
        const lines: string[] = [];
        const add = (_details: object, message: string) => lines.push(message);
        const log = { debug: add, info: add, warn: add, error: add };
        expect(await post(openSite(broken, one, { log }), name, request)).toBe(status);
        expect(lines[0]).toBe(logged);
        if (name === 'brevo') expect(await post(openSite(store, { provider: 'brevo' }), name, request)).toBe(status);
        expect(await post(openSite(store, one), name, request)).toBe(200);
        expect((await subscriberState(store, about)).suppressed).toBe('hard-bounce');
      },
    );

    it('logs what was reported, and refusals once a minute, without address, token and secret', async () => {
      const [about] = (await submitEditions(store, 1)) as [About];
      const one = others[0] as Case;
      const lines: string[] = [];
      const add = (details: object, message: string) => lines.push(JSON.stringify({ ...details, message }));
      const site = openSite(store, one, { log: { debug: add, info: add, warn: add, error: add } });
      const request = one.request('hard', about);
      for (const sent of [request, one.forge(request), one.forge(request)]) await post(site, one.provider, sent);
      expect(lines.map((line) => JSON.parse(line).message)).toEqual([
        'mail provider reported',
        'report of the mail provider refused',
      ]);
      expect(lines[0]).toContain('"hard":1');
      const secrets = [one.secret ?? '', returnToken(about), '@', 'guessed', 'does not exist'];
      for (const secret of secrets) expect(lines.join('\n')).not.toContain(secret);
    });

    it('asks for a password where one is used, and to try again where the secret is missing', async () => {
      const request = { method: 'POST', body: '{}' };
      const challenged = await openSite(store, others[0] as Case).app.request('/webhooks/postmark', request);
      expect(challenged.headers.get('www-authenticate')).toBe('Basic realm="webhook"');
      const response = await openSite(store, { provider: 'postmark' }).app.request('/webhooks/postmark', request);
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '60']);
      expect(await response.text()).toContain('DAYWIRE_PROVIDER_SECRET');
    });
  });
});

describe('the subscription of Amazon SNS', () => {
  forEachDatabase((open) => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    const send = (site: TestSite, fields: SnsFields) => post(site, 'ses', { body: bodyOf(fields) });
    const alerts = async () => (await openAlerts(store.db)).map(({ key }) => key.replace(`:${TOPIC}`, ''));

    it('is confirmed by a request to SNS, and to nobody else', async () => {
      const { client, requested } = snsClient();
      const site = openSite(store, ses, { serviceClient: client });
      const fields = confirmation('SubscriptionConfirmation', NOW);
      expect(await send(site, signed(fields))).toBe(200);
      expect(requested.slice(1)).toEqual([fields.SubscribeURL]);
      const SubscribeURL = fields.SubscribeURL?.replace('amazonaws', 'example') ?? '';
      expect(await send(site, signed({ ...fields, SubscribeURL }))).toBe(400);
      expect(await send(site, { ...signed(fields), Token: 'another' })).toBe(401);
      expect(requested).toHaveLength(2);
      expect(await alerts()).toEqual([]);
    });

    it('raises an alert if it cannot be confirmed, until it is', async () => {
      let status = 403;
      const { client } = snsClient((url) => (url.includes('Action=') ? { status } : { body: SNS_CERTIFICATE }));
      const site = openSite(store, ses, { serviceClient: client });
      expect(await send(site, signed(confirmation('SubscriptionConfirmation', NOW)))).toBe(503);
      expect(await alerts()).toEqual(['mail-provider-unconfirmed']);
      status = 200;
      expect(await send(site, signed(confirmation('SubscriptionConfirmation', NOW)))).toBe(200);
      expect(await alerts()).toEqual([]);
    });

    it('raises an alert when it is ended, once, until it is confirmed again', async () => {
      const site = openSite(store, ses);
      const ended = signed(confirmation('UnsubscribeConfirmation', NOW));
      expect(await send(site, ended)).toBe(200);
      expect(await alerts()).toEqual(['mail-provider-ended']);
      site.at(NOW + MINUTE);
      expect(await send(site, signed(confirmation('SubscriptionConfirmation', NOW)))).toBe(200);
      expect(await send(site, ended)).toBe(200);
      expect(await alerts()).toEqual([]);
    });
  });
});
