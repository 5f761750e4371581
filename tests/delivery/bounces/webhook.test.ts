import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NOW } from '../../../scripts/test-edition.ts';
import { unsubscribeToken } from '../../../src/audience/tokens.ts';
import { type BounceReport, recordBounceReports, verifyBounceWebhook } from '../../../src/delivery/bounces/webhook.ts';
import { MINUTE, SECOND } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { testConfig } from '../fixture.ts';
import { type About, leaveToken, NEWSLETTER, returnToken, submitEditions, subscriberState } from './bounce-fixture.ts';

const SECRET = 'a webhook secret for the tests';
const BODY = JSON.stringify({ reports: [{ kind: 'hard', email: 'reader@example.com', status: '5.1.1' }] });

function signatureOf(id: string, seconds: number, body: string, key: string | Buffer = SECRET): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
}

function headersOf(changes: { id?: string; seconds?: number; signature?: string } = {}, body = BODY): Headers {
  const { id = 'msg_1', seconds = NOW / SECOND } = changes;
  return new Headers({
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': changes.signature ?? signatureOf(id, seconds, body),
  });
}

function verify(headers: Headers, body = BODY, secret = SECRET) {
  return verifyBounceWebhook(headers, Buffer.from(body), secret, NOW);
}

describe('verifyBounceWebhook', () => {
  it('parses a signed body', () => {
    expect(verify(headersOf())).toEqual({
      kind: 'valid',
      reports: [{ kind: 'hard', email: 'reader@example.com', status: '5.1.1' }],
    });
  });

  it('accepts the signature of the example in Standard Webhooks', () => {
    // From the specification. Its body is not a report, hence malformed.
    const body = '{"test": 2432232314}';
    const headers = new Headers({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    expect(verifyBounceWebhook(headers, Buffer.from(body), secret, 1_614_265_330 * SECOND).kind).toBe('malformed');
    expect(verifyBounceWebhook(headers, Buffer.from(`${body} `), secret, 1_614_265_330 * SECOND).kind).toBe('unsigned');
  });

  it('accepts one valid signature among several', () => {
    const right = signatureOf('msg_1', NOW / SECOND, BODY);
    expect(verify(headersOf({ signature: `v1a,xyz v1,AAAA ${right}` })).kind).toBe('valid');
  });

  it.each([
    ['another secret', { signature: signatureOf('msg_1', NOW / SECOND, BODY, 'another') }],
    ['another id', { signature: signatureOf('msg_2', NOW / SECOND, BODY) }],
    ['another time', { signature: signatureOf('msg_1', NOW / SECOND - 1, BODY) }],
    ['another body', { signature: signatureOf('msg_1', NOW / SECOND, `${BODY} `) }],
    ['another version', { signature: signatureOf('msg_1', NOW / SECOND, BODY).replace('v1,', 'v2,') }],
    ['a shorter signature', { signature: 'v1,AAAA' }],
  ])('rejects a body that is signed with %s', (_, changes) => {
    expect(verify(headersOf(changes)).kind).toBe('unsigned');
  });

  it('accepts a timestamp that is up to five minutes off', () => {
    for (const off of [-5 * MINUTE, 5 * MINUTE]) {
      expect(verify(headersOf({ seconds: (NOW + off) / SECOND })).kind).toBe('valid');
      expect(verify(headersOf({ seconds: (NOW + off) / SECOND + Math.sign(off) })).kind).toBe('unsigned');
    }
    expect(verify(headersOf({ seconds: Number.NaN })).kind).toBe('unsigned');
  });

  it('rejects a request without signature, id or timestamp', () => {
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      const headers = headersOf();
      headers.delete(name);
      expect(verify(headers).kind).toBe('unsigned');
    }
  });

  it.each([
    ['not json', 'the body must be JSON'],
    ['{}', 'reports'],
    ['{"reports":[]}', 'reports'],
    ['{"reports":[{"kind":"hard"}]}', 'must have exactly one of returnPath, token and email'],
    ['{"reports":[{"kind":"hard","email":"a@example.com","token":"x"}]}', 'must have exactly one of'],
    ['{"reports":[{"kind":"dropped","email":"a@example.com"}]}', 'reports.0.kind'],
    ['{"reports":[{"kind":"soft","email":"a@example.com","status":"failed"}]}', 'must be a status such as 5.1.1'],
    ['{"reports":[{"kind":"soft","email":"a@example.com","at":"yesterday"}]}', 'must be an instant such as'],
    ['{"reports":[{"kind":"soft","email":"a@example.com","provider":"x"}]}', 'reports.0'],
  ])('names the problem of the body %s', (body, reason) => {
    const checked = verify(headersOf({}, body), body);
    expect(checked).toMatchObject({ kind: 'malformed', reason: expect.stringContaining(reason) });
  });
});

const config = testConfig();
const NONE = { hard: 0, soft: 0, complaint: 0, unsubscribed: 0, ignored: 0, forged: 0 };

forEachDatabase((open) => {
  describe('recordBounceReports', () => {
    it.each([
      ['return path', (about: About) => ({ returnPath: `<bounces+${returnToken(about)}@news.example>` })],
      ['token', (about: About) => ({ token: returnToken(about) })],
      ['address', () => ({ email: 'Subscriber1@EXAMPLE.com' })],
    ])('records a bounce once by its %s', async (_, nameFor) => {
      const store = await open();
      const [first, about] = (await submitEditions(store, 2)) as [About, About];
      const reports: BounceReport[] = [
        { kind: 'hard', status: '5.1.1', detail: 'no such user', at: '2026-11-24T07:31:00Z', ...nameFor(about) },
      ];
      expect(await recordBounceReports(store, config, SECRETS, reports, NOW)).toEqual({ ...NONE, hard: 1 });
      expect(await recordBounceReports(store, config, SECRETS, reports, NOW)).toEqual({ ...NONE, ignored: 1 });
      expect(await subscriberState(store, first)).toMatchObject({
        suppressed: 'hard-bounce',
        bounces: ['hard 5.1.1'],
        events: ['suppressed bounce'],
      });
      const row = await store.db.selectFrom('bounces').selectAll().executeTakeFirstOrThrow();
      // Never dated into the future.
      expect(row).toMatchObject({ edition_id: about.editionId, detail: 'no such user', at: NOW });
    });

    it.each([
      ['a return path', (about: About) => ({ returnPath: `bounces+${returnToken(about)}@news.example` })],
      ['a mailto: address', (about: About) => ({ token: leaveToken(about) })],
      ['a link', (about: About) => ({ token: unsubscribeToken(SECRETS, { ...about, newsletter: NEWSLETTER }) })],
      ['an address', () => ({ email: 'subscriber1@example.com' })],
    ])('unsubscribes by %s', async (_, nameFor) => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const reports = [{ kind: 'unsubscribe' as const, ...nameFor(about) }];
      expect(await recordBounceReports(store, config, SECRETS, reports, NOW)).toEqual({ ...NONE, unsubscribed: 1 });
      expect((await subscriberState(store, about)).subscription).toBe('unsubscribed');
    });

    it.each([
      ['hard', 'unsubscribed'],
      ['complaint', 'unsubscribed'],
      ['soft', 'ignored'],
    ] as const)('never suppresses for a %s report with an unsubscribe token', async (kind, counted) => {
      const store = await open();
      const submitted = (await submitEditions(store, config.bounces.softLimit)) as [About, ...About[]];
      const tokens = [
        unsubscribeToken(SECRETS, { ...submitted[0], newsletter: NEWSLETTER }),
        ...submitted.map(leaveToken),
      ];
      const counts = await recordBounceReports(
        store,
        config,
        SECRETS,
        tokens.map((token) => ({ kind, token })),
        NOW,
      );
      expect(counts).toEqual({
        ...NONE,
        ...(counted === 'ignored' ? { ignored: tokens.length } : { unsubscribed: 1, ignored: tokens.length - 1 }),
      });
      expect(await subscriberState(store, submitted[0])).toMatchObject({
        suppressed: null,
        listed: [],
        bounces: [],
        subscription: kind === 'soft' ? 'confirmed' : 'unsubscribed',
      });
    });

    it('changes nothing for a forged token or an unknown address', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const forged = `${returnToken(about).slice(0, -3)}aaa`;
      const reports: BounceReport[] = [
        { kind: 'hard', token: forged },
        { kind: 'hard', returnPath: `bounces+${forged}@news.example` },
        { kind: 'hard', returnPath: 'bounces@news.example' },
        { kind: 'hard', email: 'stranger@example.com' },
        { kind: 'hard', email: 'no address' },
      ];
      expect(await recordBounceReports(store, config, SECRETS, reports, NOW)).toEqual({
        ...NONE,
        forged: 3,
        ignored: 2,
      });
      expect(await subscriberState(store, about)).toMatchObject({ suppressed: null, bounces: [], events: [] });
    });
  });
});
