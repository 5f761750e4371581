import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NOW } from '../../scripts/test-edition.ts';
import type { Config } from '../../src/core/config/config.ts';
import type { MailProvider } from '../../src/core/config/schema.ts';
import {
  checkMailProvider,
  checkProviderReports,
  checkSendingDomain,
  checkSendingLimits,
} from '../../src/delivery/checks.ts';
import { noteProviderEvent } from '../../src/delivery/providers/record-events.ts';
import { DAY } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import type { Zone } from '../support/name-server.ts';
import { sampleConfig } from '../support/sample.ts';
import { zoneResolver } from '../support/zone-resolver.ts';
import { submitEditions } from './bounces/bounce-fixture.ts';
import { testConfig } from './fixture.ts';

function configOf(provider: MailProvider, providerSecret?: string): Config {
  const config = testConfig({ delivery: { provider } });
  return { ...config, secrets: { ...config.secrets, ...(providerSecret === undefined ? {} : { providerSecret }) } };
}

describe('the check of the mail provider', () => {
  it('asks for the secret that verifies its reports, except of Amazon SES', () => {
    for (const provider of ['postmark', 'mailgun', 'sendgrid', 'brevo'] as const) {
      const [finding] = checkMailProvider(configOf(provider));
      expect(finding).toMatchObject({ kind: 'problem', message: expect.stringContaining('DAYWIRE_PROVIDER_SECRET') });
    }
    const expected = { kind: 'ok', message: 'delivery: ses reports to https://news.example/webhooks/ses' };
    expect(checkMailProvider(configOf('ses'))).toEqual([expected]);
    expect(checkMailProvider(configOf('none'))).toEqual([]);
  });

  it('refuses a secret of another form', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    const kinds = (provider: MailProvider, secret: string) => checkMailProvider(configOf(provider, secret))[0]?.kind;
    expect([kinds('sendgrid', key), kinds('sendgrid', 'SG.an-api-key-of-sendgrid')]).toEqual(['ok', 'problem']);
    expect([kinds('postmark', 'daywire:a-password'), kinds('postmark', 'a-server-token-1')]).toEqual(['ok', 'problem']);
    expect(kinds('mailgun', 'a-signing-key-of-mailgun')).toBe('ok');
  });

  forEachDatabase((open) => {
    it('warns if nothing was ever reported of messages that were submitted more than a day ago', async () => {
      const store = await open();
      const check = async (provider: MailProvider, now: number) =>
        (await checkProviderReports(store, configOf(provider), now)).map(({ message }) => message);
      expect(await check('mailgun', NOW + 2 * DAY)).toEqual([]);
      await submitEditions(store, 1);
      expect(await check('mailgun', NOW + DAY)).toEqual([]);
      const [warning] = await check('mailgun', NOW + DAY + 1);
      expect(warning).toContain('nothing was ever reported by mailgun');
      expect(warning).toContain('https://news.example/webhooks/mailgun');
      expect(await check('none', NOW + 2 * DAY)).toEqual([]);
      await noteProviderEvent(store.db, 'postmark', NOW);
      expect(await check('mailgun', NOW + 2 * DAY)).toHaveLength(1);
      await noteProviderEvent(store.db, 'mailgun', NOW);
      expect(await check('mailgun', NOW + 2 * DAY)).toEqual([]);
    });
  });
});

function findings(delivery: Partial<Config['delivery']>): string[] {
  return checkSendingLimits(testConfig({ delivery })).map(({ kind, message }) => `${kind}: ${message}`);
}

describe('the check of the limits of delivery', () => {
  it('says nothing without a mail provider', () => {
    expect(findings({ provider: 'none' })).toEqual([]);
  });

  it('asks for the quotas of an account of Amazon SES', () => {
    const ses: Partial<Config['delivery']> = { provider: 'ses', ses: { topics: [] }, perSecond: 14 };
    expect(findings(ses)).toEqual([
      expect.stringMatching(/^warning: delivery\.perSecond and .* quotas of your account/),
    ]);
    expect(findings({ ...ses, perDay: 50_000 })).toEqual([]);
  });

  it('warns of keys that Postmark does not use', () => {
    const dkim = [{ domain: 'example.com', selector: 'a', keyFile: '/key.pem' }];
    expect(findings({ provider: 'postmark', dkim })).toEqual([
      expect.stringContaining('warning: delivery.dkim is not used: Postmark rebuilds each message'),
    ]);
    expect(findings({ provider: 'postmark' })).toEqual([]);
  });
});

/** Both newsletters of the sample are from example.com. */
const ZONE: Zone = {
  'example.com': { MX: ['10 mx.example.com'], TXT: ['v=spf1 ip4:198.51.100.1 -all'] },
  'mx.example.com': { A: ['192.0.2.25'] },
  '_dmarc.example.com': 'SERVFAIL',
  '10.2.0.192.in-addr.arpa': { PTR: ['mail.example.com'] },
};

function sendingConfig(dkim = ''): Config {
  return sampleConfig((yaml) =>
    yaml.replace('transport: file', `transport: smtp\n  smtpUrl: smtp://127.0.0.1:1\n  addresses: [192.0.2.10]${dkim}`),
  );
}

const open = () => zoneResolver(ZONE);

describe('the check of the sending domain', () => {
  it('warns of each record that is wrong, and names in few lines what is right and what is not known', async () => {
    expect(await checkSendingDomain(sendingConfig(), open)).toEqual([
      {
        kind: 'warning',
        message: expect.stringMatching(/^sending domain: spf-senders: .* not authorise 192\.0\.2\.10/),
      },
      { kind: 'warning', message: expect.stringMatching(/^sending domain: ptr: 192\.0\.2\.10 is named mail\.example/) },
      { kind: 'ok', message: 'sending domain: right: sender, spf' },
      { kind: 'ok', message: 'sending domain: not known: dkim, dmarc, alignment; "daywire domain" says why' },
    ]);
  });

  it('looks nothing up while messages are written to files, or a key for DKIM cannot be read', async () => {
    const neverOpened = (): never => {
      throw new Error('looked up');
    };
    expect(await checkSendingDomain(sampleConfig(), neverOpened)).toEqual([]);
    const keys = '\n  dkim: [{ domain: example.com, selector: a, keyFile: no-such.pem }]';
    expect(await checkSendingDomain(sendingConfig(keys), neverOpened)).toEqual([]);
  });
});
