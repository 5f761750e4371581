import { describe, expect, it } from 'vitest';
import { bulkRules, type ComplaintsKnown } from '../../../src/delivery/sending-domain/bulk-rules.ts';
import { judgeSetup } from '../../../src/delivery/sending-domain/judge-setup.ts';
import { MAIL_PROVIDERS } from '../../../src/delivery/sending-domain/mail-provider-dns.ts';
import type { SendingSetup } from '../../../src/delivery/sending-domain/sending-setup.ts';
import { NO_NETWORK } from '../../support/no-network.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';
import { OWN_SERVER, RIGHT_ZONE } from './sending-zone.ts';

async function rulesOf(setup: Partial<SendingSetup>, zone = RIGHT_ZONE, counts: ComplaintsKnown = null) {
  const whole = { ...OWN_SERVER, ...setup };
  const report = await judgeSetup(whole, { ...NO_NETWORK, dns: zoneResolver(zone) }, 0);
  return bulkRules(report, whole, counts);
}

async function verdicts(...args: Parameters<typeof rulesOf>): Promise<Record<string, string>> {
  return Object.fromEntries((await rulesOf(...args)).map(({ id, verdict }) => [id, verdict]));
}

describe('the rules of Gmail and Yahoo', () => {
  it('pass in a zone that is right, except for what cannot be known', async () => {
    const found = await verdicts({});
    expect(Object.keys(found).filter((id) => found[id] !== 'pass')).toEqual(['tls', 'spam-rate']);
    expect(Object.keys(found)).toHaveLength(11);
  });

  it('fail where nothing is in the DNS', async () => {
    const found = await verdicts({ publicUrl: 'http://example.com', senders: ['gmail.com'] }, {});
    expect(Object.keys(found).filter((id) => found[id] === 'fail')).toEqual([
      ...['spf', 'dmarc', 'ptr', 'one-click', 'from'],
    ]);
  });

  it('need one key that is right, since every message has the signatures of all', async () => {
    const { 'ed._domainkey.example.com': _, ...zone } = RIGHT_ZONE;
    expect(await verdicts({}, zone)).toMatchObject({ dkim: 'pass', alignment: 'pass' });
    const { 'rsa._domainkey.example.com': __, ...neither } = zone;
    expect(await verdicts({}, neither)).toMatchObject({ dkim: 'fail', alignment: 'pass' });
  });

  it('are unknown where only a key of Ed25519 is right, which few verify', async () => {
    const { 'rsa._domainkey.example.com': _, ...zone } = RIGHT_ZONE;
    const rules = await rulesOf({}, zone);
    expect(rules.find(({ id }) => id === 'dkim')).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringMatching(/^only an Ed25519 key is right, which few mailbox providers verify/),
    });
  });

  it('leave the IP addresses of a mail provider unknown', async () => {
    const rules = await rulesOf({ provider: MAIL_PROVIDERS.postmark, addresses: [] });
    expect(rules.find(({ id }) => id === 'ptr')).toMatchObject({
      verdict: 'unknown',
      reason: 'Postmark sends from IP addresses of its own, which are not checked',
    });
  });

  it.each([
    [null, 'unknown', /^nothing is known of deliveries/],
    [{ delivered: 0, complaints: 0 }, 'unknown', /^nothing is known of deliveries/],
    [{ delivered: 5_000, complaints: 0 }, 'unknown', /^0 complaints about 5000 messages in 30 days, 0 %; Gmail shows/],
    [{ delivered: 2_001, complaints: 6 }, 'unknown', /0\.3 %/],
    [{ delivered: 2_000, complaints: 6 }, 'fail', /^6 complaints about 2000 messages in 30 days, 0\.3 %$/],
    // One complaint more or less is chance.
    [{ delivered: 100, complaints: 5 }, 'unknown', /5 %/],
  ])('judge the spam rate of %o as %s', async (counts, verdict, reason) => {
    const rules = await rulesOf({}, RIGHT_ZONE, counts);
    const rule = rules.find(({ id }) => id === 'spam-rate');
    expect(rule?.verdict).toBe(verdict);
    expect(rule?.reason).toMatch(reason);
  });
});
