import { describe, expect, it } from 'vitest';
import { PROVIDER_FIXTURES } from './signed-requests.ts';

const NOW = Date.parse('2026-11-24T07:31:00Z');
const ABOUT = { token: `b${'2'.repeat(39)}`, email: 'ada@example.com', at: NOW };
const { postmark, mailgun, sendgrid, brevo } = PROVIDER_FIXTURES;

function kindOf(provider: (typeof PROVIDER_FIXTURES)['postmark'], changes: object): string | null {
  const report = { ...provider.report('hard', ABOUT), ...changes };
  const checked = provider.check(provider.request(report, NOW), provider);
  if (checked.kind !== 'events') return checked.kind;
  return checked.events[0]?.kind ?? null;
}

describe('the kind of a report of Postmark', () => {
  it.each<[Record<string, unknown>, string | null]>([
    [{ Type: 'BadEmailAddress' }, 'hard'],
    [{ Type: 'DnsError' }, 'soft'],
    [{ Type: 'Blocked' }, 'soft'],
    [{ Type: 'SpamNotification' }, 'soft'],
    [{ Type: 'SpamComplaint' }, 'complaint'],
    [{ Type: 'Unsubscribe' }, 'unsubscribe'],
    [{ Type: 'ManuallyDeactivated' }, 'unsubscribe'],
    [{ Type: 'Unknown', Details: 'smtp;550 5.1.1 no such user' }, 'hard'],
    [{ Type: 'Unknown', Details: 'smtp;550 5.7.1 blocked' }, 'soft'],
    [{ Type: 'Transient' }, null],
    [{ Type: 'AutoResponder' }, null],
    [{ Type: 'ChallengeVerification' }, null],
    [{ Type: 'Subscribe' }, null],
    [{ Type: 'constructor' }, null],
    [{ Type: 'SMTPApiError', Details: 'Error 406: You tried to send to a recipient that is inactive.' }, 'hard'],
    [{ Type: 'SMTPApiError', Details: 'Error 300: Invalid email request.' }, null],
    [{ RecordType: 'SubscriptionChange', SuppressSending: true, SuppressionReason: 'HardBounce' }, 'hard'],
    [{ RecordType: 'SubscriptionChange', SuppressSending: true, SuppressionReason: 'SpamComplaint' }, 'complaint'],
    [{ RecordType: 'SubscriptionChange', SuppressSending: false, SuppressionReason: null }, null],
    [{ RecordType: 'SubscriptionChange', SuppressSending: true, SuppressionReason: 'toString' }, null],
    [{ RecordType: 'Click' }, null],
  ])('%j is %s', (changes, kind) => {
    expect(kindOf(postmark, changes)).toBe(kind);
  });
});

describe('the kind of an event of Mailgun', () => {
  const status = (code: number, message = '') => ({ 'delivery-status': { code, message, description: '' } });
  it.each<[Record<string, unknown>, string | null]>([
    [{ reason: 'suppress-bounce', ...status(605, 'Not delivering to previously bounced address') }, 'hard'],
    [{ reason: 'suppress-complaint', ...status(607) }, 'complaint'],
    [{ reason: 'suppress-unsubscribe', ...status(606) }, 'unsubscribe'],
    [{ reason: 'generic', ...status(605) }, 'hard'],
    [{ 'delivery-status': { code: 550, message: 'blocked', 'bounce-type': 'soft' } }, 'soft'],
    [{ 'delivery-status': { code: 550, message: 'gone', 'bounce-type': 'hard' } }, 'hard'],
    [{ ...status(550, 'no such user here') }, 'hard'],
    [{ ...status(550, '5.7.1 message looks like spam') }, 'soft'],
    [{ ...status(498, 'No MX for example.com') }, 'soft'],
    [{ 'delivery-status': 'none' }, 'soft'],
    [{ severity: 'temporary', reason: 'generic' }, null],
    [{ event: 'rejected', reject: { reason: 'Sandbox subdomains are for test purposes only' } }, null],
    [{ event: 'accepted' }, null],
    [{ event: 'clicked' }, null],
  ])('%j is %s', (changes, kind) => {
    expect(kindOf(mailgun, changes)).toBe(kind);
  });
});

describe('the kind of an event of SendGrid', () => {
  it.each<[Record<string, unknown>, string | null]>([
    [{ type: 'bounce', status: '5.2.2', reason: '552 5.2.2 over quota and inactive' }, 'hard'],
    [{ type: 'blocked', status: undefined, reason: 'unable to get mx info' }, 'soft'],
    [{ type: undefined, status: '', reason: '550 5.1.1 unknown user' }, 'hard'],
    [{ type: undefined, status: '5.7.1', reason: '550 5.7.1 policy' }, 'soft'],
    [{ event: 'blocked' }, 'soft'],
    [{ event: 'dropped', reason: 'Bounced Address' }, 'hard'],
    [{ event: 'dropped', reason: 'Invalid' }, 'hard'],
    [{ event: 'dropped', reason: 'Spam Reporting Address' }, 'complaint'],
    [{ event: 'dropped', reason: 'Unsubscribed Address' }, 'unsubscribe'],
    [{ event: 'dropped', reason: 'Spam Content' }, null],
    [{ event: 'dropped', reason: 'Invalid SMTPAPI header' }, null],
    [{ event: 'dropped', reason: 'Recipient List over Package Quota' }, null],
    [{ event: 'unsubscribe' }, 'unsubscribe'],
    [{ event: 'group_resubscribe' }, null],
    [{ event: 'deferred', response: '400 try again later', attempt: '5' }, null],
    [{ event: 'processed' }, null],
  ])('%j is %s', (changes, kind) => {
    expect(kindOf(sendgrid, changes)).toBe(kind);
  });
});

describe('the kind of an event of Brevo', () => {
  it.each<[Record<string, unknown>, string | null]>([
    [{ event: 'invalid_email', reason: '' }, 'hard'],
    [{ event: 'complaint' }, 'complaint'],
    [{ event: 'unsubscribe' }, 'unsubscribe'],
    [{ event: 'blocked', reason: 'blocked : due to blacklist user' }, 'hard'],
    [{ event: 'blocked', reason: 'blocked: contact unsubscribed' }, 'unsubscribe'],
    [{ event: 'blocked', reason: 'blocked: complained before' }, 'complaint'],
    [{ event: 'blocked', reason: 'blocked: sender is blacklisted' }, null],
    [{ event: 'blocked', reason: '' }, null],
    [{ event: 'deferred', reason: '550 RecipientError: 550 5.1.1 <ada@example.com>: User unknown' }, 'hard'],
    [{ event: 'deferred', reason: '451 4.7.1 greylisted' }, null],
    [{ event: 'error', reason: 'an error occurred' }, null],
    [{ event: 'request' }, null],
    [{ event: 'unique_opened' }, null],
  ])('%j is %s', (changes, kind) => {
    expect(kindOf(brevo, changes)).toBe(kind);
  });

  it('is dated by seconds, too', () => {
    const at = (changes: object): number | undefined => {
      const report = { ...brevo.report('hard', ABOUT), ...changes };
      const checked = brevo.check(brevo.request(report, NOW), brevo);
      return checked.kind === 'events' ? checked.events[0]?.at : undefined;
    };
    const seconds = NOW / 1_000 - 60;
    expect([at({ ts_epoch: seconds }), at({ ts_epoch: seconds * 1_000 })]).toEqual([NOW - 60_000, NOW - 60_000]);
    expect(at({ ts_epoch: undefined, ts_event: seconds })).toBe(NOW - 60_000);
  });
});
