import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classifyFailure,
  enhancedStatus,
  retryDelay,
  type SubmissionFailure,
} from '../../../src/delivery/transport/retry.ts';
import { MINUTE } from '../../../src/lib/time.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

function failure(changes: Partial<SubmissionFailure>): SubmissionFailure {
  return { code: null, replyCode: null, command: null, reply: null, message: 'it failed', ...changes };
}

describe('retryDelay', () => {
  it('doubles with each attempt, up to an hour, and is shortened by at most a quarter', () => {
    const waits = [1, 2, 3, 4, 5, 6, 1_000].map((attempts) => retryDelay(attempts, 0) / MINUTE);
    expect(waits).toEqual([5, 10, 20, 40, 60, 60, 60]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), random, (attempts, r) => {
        const wait = retryDelay(attempts, r);
        expect(wait).toBeLessThanOrEqual(retryDelay(attempts, 0));
        expect(wait).toBeGreaterThanOrEqual(0.75 * retryDelay(attempts, 0));
        expect(Number.isInteger(wait)).toBe(true);
      }),
    );
  });
});

describe('classifyFailure', () => {
  it.each<[string, Partial<SubmissionFailure>, string]>([
    ['a greylisting server', { code: 'EENVELOPE', replyCode: 451, command: 'RCPT TO' }, 'temporary'],
    ['a full mailbox', { code: 'EENVELOPE', replyCode: 452, command: 'RCPT TO' }, 'temporary'],
    ['a message deferred after DATA', { code: 'EMESSAGE', replyCode: 421, command: 'DATA' }, 'temporary'],
    ['a server that closes', { code: 'ECONNECTION', replyCode: 421, command: 'CONN' }, 'temporary'],
    ['a connection that drops', { code: 'ECONNECTION', command: 'CONN' }, 'temporary'],
    ['a timeout', { code: 'ETIMEDOUT', command: 'CONN' }, 'temporary'],
    ['a reply that is not SMTP', { code: 'EPROTOCOL', command: 'CONN' }, 'temporary'],
    ['a session in the wrong state', { code: 'EENVELOPE', replyCode: 503, command: 'RCPT TO' }, 'temporary'],
    ['an unknown recipient', { code: 'EENVELOPE', replyCode: 550, command: 'RCPT TO' }, 'permanent'],
    ['a refused message', { code: 'EMESSAGE', replyCode: 554, command: 'DATA' }, 'permanent'],
    ['an address that nodemailer rejects', { code: 'EENVELOPE', command: 'API' }, 'permanent'],
    ['a reply to RCPT without a code', { code: 'EENVELOPE', command: 'RCPT TO', reply: 'what?' }, 'temporary'],
    ['a reply to DATA without a code', { code: 'EMESSAGE', command: 'DATA', reply: 'what?' }, 'temporary'],
    ['a refused sender', { code: 'EENVELOPE', replyCode: 553, command: 'MAIL FROM' }, 'systemic'],
    ["a message above the server's size limit", { code: 'EMESSAGE', command: 'MAIL FROM' }, 'systemic'],
    ['a wrong password', { code: 'EAUTH', replyCode: 535, command: 'AUTH PLAIN' }, 'systemic'],
    ['a login that cannot be checked now', { code: 'EAUTH', replyCode: 454, command: 'AUTH PLAIN' }, 'unavailable'],
    ['a throttled sender', { code: 'EENVELOPE', replyCode: 421, command: 'MAIL FROM' }, 'unavailable'],
    ['a full server', { code: 'EENVELOPE', replyCode: 452, command: 'MAIL FROM' }, 'unavailable'],
    ['a login that is required', { code: 'EENVELOPE', replyCode: 530, command: 'RCPT TO' }, 'systemic'],
    ['TLS that fails', { code: 'ETLS', command: 'CONN' }, 'systemic'],
    ['a full disk', { code: 'ENOSPC' }, 'systemic'],
    ['a failed disk', { code: 'EIO' }, 'temporary'],
    ['no reply to a complete message', { code: 'ECONNECTION', mayHaveArrived: true }, 'uncertain'],
    ['421 to RCPT on a new connection', { code: 'EENVELOPE', replyCode: 421, command: 'RCPT TO' }, 'temporary'],
    ['421 after another message', { replyCode: 421, command: 'MAIL FROM', isConnectionUsed: true }, 'connection'],
    ['421 to RCPT after another', { replyCode: 421, command: 'RCPT TO', isConnectionUsed: true }, 'connection'],
  ])('classifies %s by its codes', (_name, parts, expected) => {
    expect(classifyFailure(failure(parts))).toBe(expected);
  });

  it('does not depend on texts', () => {
    const reply = '550 5.1.1 no such user, try again later';
    fc.assert(
      fc.property(fc.string(), fc.option(fc.integer({ min: 200, max: 599 })), (message, replyCode) => {
        const parts = { replyCode, command: 'RCPT TO' };
        expect(classifyFailure(failure({ ...parts, message, reply }))).toBe(classifyFailure(failure(parts)));
      }),
    );
  });
});

describe('enhancedStatus', () => {
  it.each([
    ['550 5.7.1 refused', '5.7.1'],
    ['550-5.7.26 refused 550 5.7.26 indeed', '5.7.26'],
    ['250 2.1.5', '2.1.5'],
    ['550 5.7 refused', null],
    ['550 5.7.1refused', null],
    ['550 10.0.0.1 is listed', null],
    ['550 5.7.1.9 refused', null],
    ['550 4.7.1 refused', null],
    ['550 mail from 5.7.1 refused', null],
    ['', null],
    [null, null],
  ])('of %j is %j', (reply, status) => {
    expect(enhancedStatus(reply)).toBe(status);
  });
});
