import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EVENT_IDS_KEPT,
  type ProviderEvent,
  type ProviderRequest,
  REPLAY_WINDOW,
  whyUntimely,
} from '../../../src/delivery/providers/report-reader.ts';
import { DAY, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { mailgunSignature, PROVIDER_FIXTURES, sendGridHeaders } from './signed-requests.ts';

const NOW = Date.parse('2026-11-24T07:31:00Z');
const TOKEN = `b${'abcdefghijklmnopqrstuvwxyz234567abcdefg'}`;
const ABOUT = { token: TOKEN, email: 'ada@example.com', at: NOW - 20 * SECOND };
const KINDS: ProviderEvent['kind'][] = ['delivered', 'hard', 'soft', 'complaint', 'unsubscribe'];

describe.each(Object.entries(PROVIDER_FIXTURES))('the check of requests of %s', (_name, provider) => {
  const { secret, report, request } = provider;
  const check = (one: ProviderRequest) => provider.check(one, { secret });
  const eventsOf = (one: ProviderRequest): ProviderEvent[] => {
    const checked = check(one);
    return checked.kind === 'events' ? checked.events : [];
  };

  it.each(KINDS)('reads a report of kind "%s" with its token, address and time', (kind) => {
    const [event, ...others] = eventsOf(request(report(kind, ABOUT), NOW));
    expect(others).toEqual([]);
    expect(event).toMatchObject({ kind, token: TOKEN, email: 'ada@example.com', at: ABOUT.at });
    expect(event?.id).toMatch(/^.{10,200}$/);
    if (kind === 'hard') expect(event).toMatchObject({ status: '5.1.1', detail: expect.stringContaining('not exist') });
    if (kind === 'soft') expect(event).toMatchObject({ status: '4.2.2', detail: expect.stringContaining('full') });
  });

  it('gives a repeated report the same id, and another report another one', () => {
    const ids = (kind: ProviderEvent['kind'], number: number): string[] =>
      eventsOf(request(report(kind, { ...ABOUT, number }), NOW)).map(({ id }) => id);
    const first = KINDS.flatMap((kind) => ids(kind, 1));
    expect(first).toHaveLength(5);
    expect(KINDS.flatMap((kind) => ids(kind, 1))).toEqual(first);
    expect(new Set([...first, ...KINDS.flatMap((kind) => ids(kind, 2))]).size).toBe(10);
  });

  it('refuses a request with another secret, and one without any', () => {
    const one = request(report('hard', ABOUT), NOW);
    const key = secret.startsWith('MF') ? Buffer.alloc(91, 4).toString('base64') : `${secret}x`;
    expect(provider.check(one, { secret: key }).kind).toBe('unsigned');
    expect(provider.check(one, { secret: '' }).kind).toBe('unsigned');
    expect(check({ ...one, headers: new Headers(), body: Buffer.from('{}') }).kind).toBe('unsigned');
  });

  it('ignores reports of other types', () => {
    const one = { ...report('delivered', ABOUT), event: 'opened', RecordType: 'Open' };
    expect(check(request(one, NOW))).toMatchObject({ kind: 'events', events: [] });
  });

  it('refuses a body that is no report, once it is signed', () => {
    for (const body of [[1], 'text', { other: true }]) expect(check(request(body, NOW)).kind).toBe('malformed');
  });

  it('dates nothing into the future, and keeps a report without a time', () => {
    expect(eventsOf(request(report('hard', { ...ABOUT, at: NOW + DAY }), NOW))).toMatchObject([{ at: NOW }]);
    const undated = { ...report('hard', ABOUT), timestamp: 'soon', BouncedAt: 'soon', ts_epoch: null, ts_event: null };
    expect(eventsOf(request(undated, NOW))).toMatchObject([{ kind: 'hard', at: NOW }]);
  });

  it('cleans and bounds every text of a report', () => {
    const hostile = `\u0000\u202e<script>\ud800\r\n${'x'.repeat(100_000)}`;
    const fill = (value: unknown, key = ''): unknown => {
      if (Array.isArray(value)) return value.map((one) => fill(one));
      if (typeof value === 'object' && value !== null) {
        return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, fill(one, name)]));
      }
      return typeof value === 'string' && !['event', 'RecordType', 'severity', 'Type'].includes(key) ? hostile : value;
    };
    const [event] = eventsOf(request(fill(report('hard', ABOUT)), NOW));
    if (_name === 'mailgun') expect(event?.kind).toBe('soft');
    else expect(event?.kind).toBe(_name === 'sendgrid' ? 'soft' : 'hard');
    expect(event?.token).toBeNull();
    for (const text of [event?.id, event?.detail, event?.email, event?.status ?? '']) {
      expect(text?.length).toBeLessThanOrEqual(500);
      expect(text).not.toMatch(/[\u0000-\u001f]|\ud800/);
      expect(text?.isWellFormed()).toBe(true);
    }
  });

  it('throws for no report, whatever its fields contain', () => {
    const about = { ...ABOUT, number: 3 };
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.array(fc.tuple(fc.nat(30), fc.jsonValue({ maxDepth: 2 })), { minLength: 1, maxLength: 5 }),
        (kind, changes) => {
          const one = report(kind, about);
          const keys = Object.keys(one);
          for (const [index, value] of changes) one[keys[index % keys.length] as string] = value;
          for (const event of eventsOf(request(one, NOW))) {
            expect(KINDS).toContain(event.kind);
            expect(event.at).toBeLessThanOrEqual(NOW);
            expect(event.id.length).toBeLessThanOrEqual(200);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('throws for no request, whatever its bytes and headers are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
    );
    const text = fc.string({ maxLength: 100 });
    fc.assert(
      fc.property(bytes, text, text, (body, field, timestamp) => {
        const get = (name: string): string => (name.includes('timestamp') ? timestamp : field);
        expect(check({ headers: { get }, body, now: NOW }).kind).toBe('unsigned');
      }),
      { numRuns: 60 },
    );
  });
});

describe('the check of requests of a mail provider that signs a time', () => {
  const { mailgun, sendgrid } = PROVIDER_FIXTURES;

  it.each([
    ['mailgun', mailgun],
    ['sendgrid', sendgrid],
  ])(
    'refuses a request of %s that is too old to be known, or from the future',
    (_name, { report, request, ...one }) => {
      const checkAt = (signedAt: number) =>
        one.check({ ...request(report('hard', ABOUT), signedAt), now: NOW }, { secret: one.secret });
      expect(checkAt(NOW - 7 * DAY).kind).toBe('events');
      expect(checkAt(NOW + 5 * MINUTE).kind).toBe('events');
      expect(checkAt(NOW - 7 * DAY - SECOND)).toMatchObject({
        kind: 'unsigned',
        reason: expect.stringContaining('replay'),
      });
      expect(checkAt(NOW + 5 * MINUTE + SECOND)).toMatchObject({
        kind: 'unsigned',
        reason: expect.stringContaining('future'),
      });
    },
  );

  it('refuses what it cannot know any more before it deletes the ids of its events', () => {
    // Clocks may differ by five minutes.
    expect(REPLAY_WINDOW + 5 * MINUTE).toBeLessThan(EVENT_IDS_KEPT);
    expect(whyUntimely(Number.NaN, NOW)).not.toBeNull();
  });

  it('refuses an altered body of SendGrid', () => {
    const { headers, body } = sendgrid.request(sendgrid.report('delivered', ABOUT), NOW);
    const altered = Buffer.from(Buffer.from(body).toString().replace('delivered', 'spamreport'));
    expect(sendgrid.check({ headers, body: altered, now: NOW }, sendgrid).kind).toBe('unsigned');
    const later = new Headers(headers);
    later.set('x-twilio-email-event-webhook-timestamp', String(NOW / 1_000 + 1));
    expect(sendgrid.check({ headers: later, body, now: NOW }, sendgrid).kind).toBe('unsigned');
    expect(sendgrid.check({ headers, body, now: NOW }, sendgrid).kind).toBe('events');
  });

  it('gives the token of Mailgun, whose signature does not cover the event, to be used once', () => {
    const signature = mailgunSignature(NOW, 'a1b2c3');
    const body = { signature, 'event-data': mailgun.report('delivered', ABOUT) };
    const checkBody = (value: unknown) =>
      mailgun.check({ headers: new Headers(), body: Buffer.from(JSON.stringify(value)), now: NOW }, mailgun);
    expect(checkBody(body)).toMatchObject({ kind: 'events', nonce: 'a1b2c3', events: [{ kind: 'delivered' }] });
    const replayed = { ...body, 'event-data': mailgun.report('complaint', ABOUT) };
    expect(checkBody(replayed)).toMatchObject({ nonce: 'a1b2c3' });
    for (const altered of [
      { ...signature, token: 'a1b2c4' },
      { ...signature, timestamp: String(NOW / 1_000 + 1) },
      { ...signature, timestamp: `${signature.timestamp}a`, token: '1b2c3' },
      { ...signature, signature: signature.signature.slice(2) },
    ]) {
      expect(checkBody({ ...body, signature: altered }).kind).toBe('unsigned');
    }
  });

  it('needs a verification key of SendGrid for P-256', () => {
    const body = Buffer.from('[]');
    const request = { headers: sendGridHeaders(body, NOW), body, now: NOW };
    expect(sendgrid.check(request, { secret: 'not a key' })).toMatchObject({
      kind: 'unsigned',
      reason: expect.stringContaining('verification key'),
    });
    expect(sendgrid.check(request, sendgrid)).toEqual({ kind: 'events', events: [], nonce: null });
  });
});

const BATCHING = [
  ['postmark', PROVIDER_FIXTURES.postmark],
  ['sendgrid', PROVIDER_FIXTURES.sendgrid],
  ['brevo', PROVIDER_FIXTURES.brevo],
] as const;

describe('a batch of more than 10,000 reports', () => {
  it.each(BATCHING)('is refused for %s, before it takes seconds', (_name, provider) => {
    const batch = (length: number): unknown[] => [provider.report('hard', ABOUT), ...Array(length - 1).fill(0)];
    expect(provider.check(provider.request(batch(10_001), NOW), provider)).toEqual({
      kind: 'malformed',
      reason: expect.stringContaining('up to 10,000'),
    });
    expect(provider.check(provider.request(batch(1_000), NOW), provider).kind).toBe('events');
  });
});

describe('a batch with a malformed report', () => {
  it.each(BATCHING)('keeps the others of %s', (_name, provider) => {
    const batch = [
      null,
      { RecordType: 7, event: [] },
      provider.report('hard', ABOUT),
      'x',
      provider.report('soft', ABOUT),
    ];
    const checked = provider.check(provider.request(batch, NOW), provider);
    expect(checked).toMatchObject({ kind: 'events', events: [{ kind: 'hard' }, { kind: 'soft' }] });
  });
});

describe('a bearer token', () => {
  it('authenticates requests of Brevo, and none of Postmark', () => {
    for (const [provider, kind] of [
      [PROVIDER_FIXTURES.brevo, 'events'],
      [PROVIDER_FIXTURES.postmark, 'unsigned'],
    ] as const) {
      const request = provider.request(provider.report('hard', ABOUT), NOW);
      const headers = new Headers({ authorization: `Bearer ${provider.secret}` });
      expect(provider.check({ ...request, headers }, provider).kind).toBe(kind);
    }
  });
});
