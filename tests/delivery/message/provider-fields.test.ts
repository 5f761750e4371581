import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ed25519Signer, rsaSigner, verify } from '../../../scripts/dkim-verifier.ts';
import { closeServers, startServer, type TestServer } from '../../../scripts/smtp-servers.ts';
import { NOW } from '../../../scripts/test-edition.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { readTargetToken } from '../../../src/delivery/bounces/record.ts';
import { prepareServiceMessage } from '../../../src/delivery/message/service-message.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { expectGolden } from '../../support/golden.ts';
import { SECRETS } from '../../support/sample.ts';
import { testConfig } from '../fixture.ts';
import { PROVIDER_FIXTURES } from '../providers/signed-requests.ts';
import { submitOnce } from '../transport/outgoing.ts';
import { ADA, headersOf, makerOf, rawMessage, rawOf } from './messages.ts';

type Provider = Exclude<Config['delivery']['provider'], 'none'>;

const DELIVERY: Record<Provider, Partial<Config['delivery']>> = {
  ses: { provider: 'ses', ses: { topics: [], configurationSet: 'news' } },
  postmark: { provider: 'postmark', postmark: { stream: 'broadcasts', serviceStream: 'outbound' } },
  mailgun: { provider: 'mailgun' },
  sendgrid: { provider: 'sendgrid' },
  brevo: { provider: 'brevo' },
};
const PROVIDERS = Object.keys(DELIVERY) as Provider[];
const signers = [rsaSigner(), ed25519Signer()];

/** The values of header fields, by name in lower case. */
function fieldsOf(raw: Buffer): Map<string, string> {
  return new Map(
    headersOf(raw).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

/** The token that a mail provider finds in its field, as it returns it. */
function echoOf(provider: Provider, fields: Map<string, string>): string {
  switch (provider) {
    case 'ses':
      return /(?:^|, )daywire=([^,]+)/.exec(fields.get('x-ses-message-tags') ?? '')?.[1] ?? '';
    case 'postmark':
      return fields.get('x-pm-metadata-daywire') ?? '';
    case 'mailgun':
      return JSON.parse(fields.get('x-mailgun-variables') ?? '{}').daywire;
    case 'sendgrid':
      return JSON.parse(fields.get('x-smtpapi') ?? '{}').unique_args?.daywire;
    case 'brevo':
      return fields.get('x-mailin-custom')?.slice('daywire:'.length) ?? '';
  }
}

/** What a mail provider does to the header: removes its own fields, adds or replaces others. */
function passThrough(provider: Provider, raw: Buffer): Buffer {
  let text = raw
    .toString('latin1')
    .replace(/^(X-SES|X-PM|X-Mailgun|X-SMTPAPI|X-Mailin)[^:]*:.*\r\n(?:[ \t].*\r\n)*/gim, '')
    .replace(/^Message-ID:.*\r\n/im, 'Message-ID: <1@mail.example.net>\r\n');
  if (provider === 'ses') text = text.replace(/^Date:.*\r\n/im, 'Date: Tue, 24 Nov 2026 09:00:00 +0000\r\n');
  return Buffer.from(`Feedback-ID: 1:2:3:other\r\nReceived: by mx.example.net\r\n${text}`, 'latin1');
}

describe('a copy of an edition that goes through a mail provider', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(closeServers);

  it.each(PROVIDERS)('carries the token of the delivery for %s, in short lines', async (provider) => {
    const raw = await rawMessage({ delivery: DELIVERY[provider], signers });
    const token = echoOf(provider, fieldsOf(raw));
    expect(readTargetToken(SECRETS, token)).toMatchObject({ editionId: 1, subscriberId: 7, isUnsubscribe: false });
    const [head = ''] = raw.toString('latin1').split('\r\n\r\n', 1);
    expect(Math.max(...head.split('\r\n').map((line) => line.length))).toBeLessThan(998);
    if (provider === 'ses') return;
    const fixture = PROVIDER_FIXTURES[provider];
    const report = fixture.report('hard', { token, email: ADA.email, at: NOW });
    expect(fixture.check(fixture.request(report, NOW), fixture)).toMatchObject({ events: [{ token }] });
  });

  it.each(PROVIDERS)('keeps a valid signature when %s changes its header', async (provider) => {
    const copy = await makerOf({ delivery: DELIVERY[provider], signers })(ADA);
    await submitOnce(server.url, copy);
    const received = server.received.at(-1)?.raw as Buffer;
    expect(received.equals(rawOf(copy))).toBe(true);
    const changed = passThrough(provider, received);
    expect(changed.toString('latin1')).not.toMatch(/^X-(SES|PM|Mailgun|SMTPAPI|Mailin)/im);
    const results = await verify(changed);
    // Postmark makes a new body, so there is none of ours.
    expect(results.map(({ result }) => result)).toEqual(provider === 'postmark' ? ['none'] : ['pass', 'pass']);
    for (const { covers } of provider === 'postmark' ? [] : results) {
      expect(covers).toEqual(
        expect.arrayContaining(['from', 'to', 'subject', 'list-unsubscribe', 'list-unsubscribe-post']),
      );
      expect(covers.includes('date')).toBe(provider !== 'ses');
      expect(covers.filter((name) => /^x-(ses|pm|mailgun|smtpapi|mailin)|feedback|message-id/.test(name))).toEqual([]);
    }
  });

  it('has the fields of the golden file, which turn tracking off, and none without a mail provider', async () => {
    const variants: Record<string, Partial<Config['delivery']>> = {
      none: {},
      ...DELIVERY,
      'ses without a configuration set': { provider: 'ses', ses: { topics: [] } },
      'postmark without a stream': { provider: 'postmark' },
    };
    let golden = '';
    for (const [name, delivery] of Object.entries(variants)) {
      const fields = headersOf(await rawMessage({ delivery })).filter((line) => /^(X-|Feedback-ID)/.test(line));
      golden += `${name}\n${fields.map((line) => `  ${line}\n`).join('')}\n`;
    }
    expectGolden('delivery/provider-fields.txt', golden);
  });
});

describe('other messages that go through a mail provider', () => {
  const templates = openTemplates(BUILT_IN_TEMPLATES, 'UTC');
  const message = {
    id: 5,
    kind: 'confirm' as const,
    subscriberId: 9,
    email: 'ada@example.com',
    tokenVersion: 0,
    newsletters: ['daily-roundup'],
    createdAt: NOW,
    expiresAt: NOW + 72 * HOUR,
    consent: null,
  };

  it.each(PROVIDERS)('are service messages with a token of their own for %s', async (provider) => {
    const config = testConfig({ delivery: DELIVERY[provider] });
    const made = await prepareServiceMessage(message, { config, templates, secrets: SECRETS, signers });
    const fields = fieldsOf(rawOf(made));
    expect(readTargetToken(SECRETS, echoOf(provider, fields))).toMatchObject({ serviceMessageId: 5, subscriberId: 9 });
    if (provider === 'postmark') {
      expect(fields.get('x-pm-message-stream')).toBe('outbound');
      return;
    }
    const results = await verify(passThrough(provider, rawOf(made)));
    expect(results.map(({ result }) => result)).toEqual(['pass', 'pass']);
  });
});
