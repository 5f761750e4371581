import { describe, expect, it } from 'vitest';
import { bulkRules } from '../../../src/delivery/sending-domain/bulk-rules.ts';
import { judgeSetup, type SendingSetup } from '../../../src/delivery/sending-domain/judge-setup.ts';
import { MAIL_PROVIDERS } from '../../../src/delivery/sending-domain/mail-provider-dns.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';
import { OWN_SERVER, RIGHT_ZONE } from './sending-zone.ts';

async function rulesOf(setup: Partial<SendingSetup>, zone = RIGHT_ZONE) {
  const whole = { ...OWN_SERVER, ...setup };
  return bulkRules(await judgeSetup(whole, zoneResolver(zone)), whole);
}

async function verdicts(...args: Parameters<typeof rulesOf>): Promise<Record<string, string>> {
  return Object.fromEntries((await rulesOf(...args)).map(({ id, verdict }) => [id, verdict]));
}

describe('the rules of Gmail, Yahoo and Microsoft', () => {
  it('pass in a zone that is right, except for what cannot be known', async () => {
    const found = await verdicts({});
    expect(Object.keys(found).filter((id) => found[id] !== 'pass')).toEqual(['tls', 'spam-rate']);
    expect(Object.keys(found)).toHaveLength(9);
  });

  it('fail where nothing is in the DNS', async () => {
    const found = await verdicts({ publicUrl: 'http://example.com', senders: ['gmail.com'] }, {});
    expect(Object.keys(found).filter((id) => found[id] === 'fail')).toEqual([
      ...['spf', 'dmarc', 'from', 'ptr', 'one-click'],
    ]);
  });

  it('are unknown where only keys of Ed25519 sign, which few verify', async () => {
    const rules = await rulesOf({ signers: OWN_SERVER.signers.slice(1) });
    expect(rules.find(({ id }) => id === 'dkim')).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringMatching(/^only keys of Ed25519 sign, which few mailbox providers verify/),
    });
  });

  it('leave the IP addresses of a mail provider unknown', async () => {
    const rules = await rulesOf({ provider: MAIL_PROVIDERS.postmark, addresses: [] });
    expect(rules.find(({ id }) => id === 'ptr')).toMatchObject({
      verdict: 'unknown',
      reason: 'Postmark sends from IP addresses of its own, which are not checked',
    });
  });
});
