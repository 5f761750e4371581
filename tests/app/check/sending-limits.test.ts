import { describe, expect, it } from 'vitest';
import { checkSendingLimits } from '../../../src/app/check/sending-limits.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { testConfig } from '../../delivery/fixture.ts';

function findings(delivery: Partial<Config['delivery']>): string[] {
  return checkSendingLimits(testConfig({ delivery })).map(({ kind, message }) => `${kind}: ${message}`);
}

describe('the check of the limits of delivery', () => {
  it('says nothing without a mail provider', () => {
    expect(findings({ provider: 'none' })).toEqual([]);
  });

  it('names the documented limits beside those in use', () => {
    expect(findings({ provider: 'sendgrid', perSecond: 20 })).toEqual([
      'ok: delivery: 5 connections of each process, 20 messages a second; SendGrid documents: 30 MB a message, ' +
        '10000 connections, 5000 messages a connection',
    ]);
    expect(findings({ provider: 'brevo' })).toEqual([
      'ok: delivery: 5 connections of each process; Brevo documents: no limits',
    ]);
  });

  it('asks for the quotas of an account of Amazon SES', () => {
    const ses: Partial<Config['delivery']> = { provider: 'ses', ses: { topics: [] } };
    expect(findings(ses)).toContainEqual(
      'warning: delivery.perSecond and delivery.perDay: not set, although Amazon SES refuses what exceeds the quotas ' +
        'of your account (its console shows them; in the sandbox, 1 message a second and 200 in 24 hours). Set them ' +
        'to your quota',
    );
    expect(findings({ ...ses, perSecond: 14, perDay: 50_000 })).toEqual([
      'ok: delivery: 5 connections of each process, 14 messages a second, 50000 messages in 24 hours; Amazon SES ' +
        'documents: 40 MB a message',
    ]);
  });

  it('warns of more connections than Postmark asks for, and of keys that are not used', () => {
    const dkim = [{ domain: 'example.com', selector: 'a', keyFile: '/key.pem' }];
    expect(findings({ provider: 'postmark', connections: 20, dkim }).slice(1)).toEqual([
      'warning: delivery.connections is 20: Postmark asks for at most 10 from one address',
      expect.stringContaining('warning: delivery.dkim is not used: Postmark assembles each message anew'),
    ]);
    expect(findings({ provider: 'postmark', connections: 10 })).toHaveLength(1);
  });
});
