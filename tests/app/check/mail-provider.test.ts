import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NOW } from '../../../scripts/test-edition.ts';
import { checkMailProvider, checkProviderReports } from '../../../src/app/check/mail-provider.ts';
import type { Config, MailProvider } from '../../../src/core/config/config.ts';
import { noteProviderEvent } from '../../../src/delivery/providers/last-event.ts';
import { DAY } from '../../../src/lib/time.ts';
import { submitEditions } from '../../delivery/bounces/bounce-fixture.ts';
import { testConfig } from '../../delivery/fixture.ts';
import { forEachDatabase } from '../../support/databases.ts';

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
