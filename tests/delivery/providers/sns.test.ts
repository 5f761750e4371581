import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkSns, SigningCertificates, type SnsCheck } from '../../../src/delivery/providers/sns.ts';
import type { FetchClient, FetchResult } from '../../../src/lib/guarded-fetch/fetch-client.ts';
import { DAY, MINUTE } from '../../../src/lib/time.ts';
import { PERMANENT, sesRecord } from './fixtures/ses-records.ts';
import {
  bodyOf,
  CERTIFICATE_URL,
  confirmation,
  notification,
  SNS_CERTIFICATE,
  SNS_HOST,
  type SnsFields,
  signed,
  snsClient,
  TOPIC,
  WEAK_CERTIFICATE,
} from './sns-requests.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 32);
const BOUNCE = sesRecord('Bounce', PERMANENT);

describe('the check of requests of Amazon SNS', () => {
  let requested: string[];
  let certificates: SigningCertificates;
  beforeEach(() => {
    const sns = snsClient();
    requested = sns.requested;
    certificates = new SigningCertificates(sns.client);
  });
  const check = (fields: SnsFields | Uint8Array, options: { now?: number; headers?: Headers } = {}) => {
    const { now = NOW, headers = new Headers() } = options;
    const body = fields instanceof Uint8Array ? fields : bodyOf(fields);
    return checkSns({ headers, body, now }, { topics: [TOPIC], certificates });
  };
  const reason = async (...args: Parameters<typeof check>): Promise<string> => {
    const checked = await check(...args);
    return checked.kind === 'unsigned' ? checked.reason : `not refused, but ${checked.kind}`;
  };

  it('gives the events of a notification that is signed', async () => {
    for (const SignatureVersion of ['1', '2']) {
      const checked = await check(signed(notification(BOUNCE, NOW, { SignatureVersion })));
      expect(checked).toMatchObject({ kind: 'events', nonce: null, events: [{ kind: 'hard', status: '5.1.1' }] });
    }
    expect(requested).toEqual([CERTIFICATE_URL]);
  });

  it('refuses a topic that is not configured without a request, although its signature is valid', async () => {
    const TopicArn = 'arn:aws:sns:eu-west-1:210987654321:mail-events';
    expect(await reason(signed(notification(BOUNCE, NOW, { TopicArn })))).toContain('delivery.ses.topics');
    expect(requested).toEqual([]);
  });

  it('refuses an altered body, an unknown version, and a request without a signature', async () => {
    const fields = signed(notification(BOUNCE, NOW));
    expect(await reason({ ...fields, Message: '{}' })).toContain('signature is not valid');
    expect(await reason({ ...fields, SignatureVersion: '9' })).toContain('signature is not valid');
    const { Signature: _, ...without } = fields;
    expect(await reason(without)).toContain('not a message of Amazon SNS');
  });

  it('refuses what is dated seven days ago, and asks to repeat what is dated in the future', async () => {
    const fields = signed(notification(BOUNCE, NOW));
    expect((await check(fields, { now: NOW + 7 * DAY })).kind).toBe('events');
    expect(await reason(fields, { now: NOW + 7 * DAY + 1 })).toContain('older than seven days');
    // SNS drops what is refused, and a machine may start with a slow clock.
    expect(await check(fields, { now: NOW - 6 * MINUTE })).toEqual({
      kind: 'unavailable',
      reason: expect.stringMatching(/in the future: set the clock/),
    });
    expect(await reason(signed(notification(BOUNCE, NOW, { Timestamp: 'soon' })))).not.toContain('not refused');
  });

  it('says how raw message delivery is switched off', async () => {
    const headers = new Headers({ 'x-amz-sns-rawdelivery': 'true' });
    expect(await reason(Buffer.from(JSON.stringify(BOUNCE)), { headers })).toContain('Enable raw message delivery');
  });

  it('confirms a subscription on the host of SNS only', async () => {
    const fields = confirmation('SubscriptionConfirmation', NOW);
    const expected = { kind: 'subscription', topic: TOPIC, address: fields.SubscribeURL };
    expect(await check(signed(fields))).toMatchObject(expected);
    for (const SubscribeURL of ['https://example.com/', fields.SubscribeURL?.replace(SNS_HOST, 'example.com') ?? '']) {
      const foreign = signed(confirmation('SubscriptionConfirmation', NOW, { SubscribeURL }));
      expect(await check(foreign)).toMatchObject({ kind: 'malformed', reason: expect.stringContaining(SNS_HOST) });
    }
    expect(await check(signed(confirmation('UnsubscribeConfirmation', NOW)))).toMatchObject({
      kind: 'ended',
      topic: TOPIC,
    });
  });

  it('refuses a certificate that is expired or weak', async () => {
    const weak = snsClient(() => ({ body: WEAK_CERTIFICATE }));
    const settings = { topics: [TOPIC], certificates: new SigningCertificates(weak.client) };
    const request = { headers: new Headers(), body: bodyOf(signed(notification(BOUNCE, NOW))), now: NOW };
    expect(await checkSns(request, settings)).toMatchObject({
      kind: 'unsigned',
      reason: expect.stringContaining('RSA'),
    });
    const later = Date.UTC(2126, 0, 2);
    expect(await reason(signed(notification(BOUNCE, later)), { now: later })).toContain('has expired');
  });

  it('never throws, whatever the body', async () => {
    const known = fc.constantFrom(...Object.keys(signed(confirmation('SubscriptionConfirmation', NOW))));
    const altered = fc.dictionary(known, fc.oneof(fc.string(), fc.jsonValue())).map((changes) => {
      return Buffer.from(JSON.stringify({ ...signed(notification(BOUNCE, NOW)), ...changes }));
    });
    const json = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)));
    const accepted: SnsCheck['kind'][] = ['unsigned', 'events'];
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array(), json, altered), async (body) => {
        expect(accepted).toContain((await check(body)).kind);
      }),
      { numRuns: 60 },
    );
    expect(new Set(requested)).toEqual(new Set(requested.length > 0 ? [CERTIFICATE_URL] : []));
  });
});

describe('the signing certificates of Amazon SNS', () => {
  const address = (n: number): string => CERTIFICATE_URL.replace('0123', String(n).padStart(4, '0'));

  it('are requested once a day', async () => {
    const { client, requested } = snsClient();
    const certificates = new SigningCertificates(client);
    const together = await Promise.all([
      certificates.find(CERTIFICATE_URL, NOW),
      certificates.find(CERTIFICATE_URL, NOW),
    ]);
    expect(together).toEqual(Array(2).fill({ kind: 'found', pem: SNS_CERTIFICATE }));
    await certificates.find(CERTIFICATE_URL, NOW + DAY - 1);
    expect(requested).toHaveLength(1);
    await certificates.find(CERTIFICATE_URL, NOW + DAY);
    expect(requested).toHaveLength(2);
  });

  it('are not requested again within a minute after a failure', async () => {
    const { client, requested } = snsClient(() => ({ status: 404 }));
    const certificates = new SigningCertificates(client);
    for (const now of [NOW, NOW + MINUTE - 1]) {
      const reason = 'the certificate of Amazon SNS cannot be read: status 404';
      expect(await certificates.find(CERTIFICATE_URL, now)).toEqual({ kind: 'unavailable', reason });
    }
    expect(requested).toHaveLength(1);
    await certificates.find(CERTIFICATE_URL, NOW + MINUTE);
    expect(requested).toHaveLength(2);
  });

  it('are requested ten times a minute at most, whatever strangers send, and known ones stay known', async () => {
    const { client, requested } = snsClient((url) =>
      url === CERTIFICATE_URL ? { body: SNS_CERTIFICATE } : { status: 403 },
    );
    const certificates = new SigningCertificates(client);
    await certificates.find(CERTIFICATE_URL, NOW);
    for (let n = 1_000; n < 2_000; n++) expect((await certificates.find(address(n), NOW + 1)).kind).toBe('unavailable');
    expect(requested).toHaveLength(10);
    expect((await certificates.find(CERTIFICATE_URL, NOW + 2)).kind).toBe('found');
    await certificates.find(address(5_000), NOW + MINUTE);
    expect(requested).toHaveLength(11);
  });

  it('are waited for by fifty requests at most', async () => {
    const { promise, resolve } = Promise.withResolvers<FetchResult>();
    const client: FetchClient = { fetch: () => promise };
    const certificates = new SigningCertificates(client);
    const waiting = Array.from({ length: 60 }, () => certificates.find(CERTIFICATE_URL, NOW));
    const refused = await Promise.all(waiting.slice(50));
    expect(refused.map(({ kind }) => kind)).toEqual(Array(10).fill('unavailable'));
    resolve({ kind: 'failed', reason: 'no connection' });
    const reason = 'the certificate of Amazon SNS cannot be read: no connection';
    expect(await waiting[0]).toEqual({ kind: 'unavailable', reason });
  });
});
