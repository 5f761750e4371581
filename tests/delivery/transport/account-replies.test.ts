import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, pipelining, startScripted } from '../../../scripts/smtp-servers.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { classifyFailure } from '../../../src/delivery/transport/retry.ts';
import { openSmtpTransport } from '../../../src/delivery/transport/smtp-transport.ts';
import { failureOf, outgoing, PATIENT } from './outgoing.ts';

afterEach(closeServers);

type Provider = Config['delivery']['provider'];

async function failureWith(provider: Provider, replies: Record<string, string>) {
  const { url } = await startScripted(pipelining({ EHLO: '250 scripted', ...replies }));
  return failureOf(
    (async () => {
      const connection = await openSmtpTransport(url, 1, PATIENT, provider).connect();
      try {
        return await connection.submit(outgoing());
      } finally {
        connection.close();
      }
    })(),
  );
}

describe('a documented reply about the account', () => {
  it.each<[Provider, Record<string, string>, string]>([
    ['ses', { 'DATA-END': '454 Throttling failure: Maximum sending rate exceeded.' }, 'unavailable'],
    ['ses', { 'DATA-END': '454 Throttling failure: Daily message quota exceeded.' }, 'unavailable'],
    [
      'ses',
      {
        'DATA-END':
          '554 Message rejected: Email address is not verified. The following identities failed the check in region ' +
          'EU-WEST-1: ada@example.com',
      },
      'systemic',
    ],
    [
      'ses',
      { 'DATA-END': '554 Access denied: User is not authorized to perform ses:SendRawEmail on the identity' },
      'systemic',
    ],
    ['ses', { 'DATA-END': '554 Message rejected: Sending suspended for this account.' }, 'systemic'],
    ['ses', { 'DATA-END': '554 Transaction failed: Configuration set news does not exist.' }, 'systemic'],
    ['sendgrid', { RCPT: '452 Too many recipients received this hour (throttled)' }, 'unavailable'],
    ['sendgrid', { 'DATA-END': '403 You are not authorized to send from that email address' }, 'systemic'],
    [
      'sendgrid',
      { 'DATA-END': '550 The from address does not match a verified Sender Identity. Mail cannot be sent.' },
      'systemic',
    ],
    ['mailgun', { 'DATA-END': '421 Domain news.example is not allowed to send: hourly limit exceeded' }, 'unavailable'],
    ['mailgun', { 'DATA-END': '550 Domain news.example is not allowed to send: Account disabled' }, 'systemic'],
    ['postmark', { 'DATA-END': '554 The From address is not a Sender Signature on your account' }, 'systemic'],
    ['brevo', { 'DATA-END': '550 5.7.0 Your SMTP account is not yet activated' }, 'systemic'],
  ])('of %s, %j, concerns every message', async (provider, replies, expected) => {
    const failure = await failureWith(provider, replies);
    expect(classifyFailure(failure)).toBe(expected);
    expect(classifyFailure(await failureWith('none', replies))).toMatch(/^(temporary|permanent)$/);
  });

  it.each<[Provider, string]>([
    ['ses', '554 Message rejected: the message has a virus'],
    ['sendgrid', '550 5.1.1 user unknown'],
    ['mailgun', '550 5.7.1 spam'],
  ])('is none of %s in "%s", which is about the message', async (provider, reply) => {
    expect(classifyFailure(await failureWith(provider, { 'DATA-END': reply }))).toBe('permanent');
  });
});
