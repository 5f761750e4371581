import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  classifyFailure,
  decideRetry,
  enhancedStatus,
  retryDelay,
  type SubmissionFailure,
} from '../../../src/delivery/transport/retry.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const firstWait = fc.integer({ min: 1, max: 10_080 }).map((minutes) => minutes * MINUTE);

function failure(changes: Partial<SubmissionFailure>): SubmissionFailure {
  return { code: null, replyCode: null, command: null, reply: null, message: 'it failed', ...changes };
}

describe('retryDelay', () => {
  it('grows with each attempt up to four hours, whatever the jitter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), firstWait, random, random, (attempts, first, r1, r2) => {
        const [wait, next] = [retryDelay(attempts, first, r1), retryDelay(attempts + 1, first, r2)];
        if (first * 2 ** attempts <= 4 * HOUR) expect(next).toBeGreaterThan(wait);
      }),
    );
  });

  it('is at most four hours, and at least three quarters of the first delay or three hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), firstWait, random, (attempts, first, r) => {
        const wait = retryDelay(attempts, first, r);
        expect(wait).toBeLessThanOrEqual(4 * HOUR);
        expect(wait).toBeGreaterThanOrEqual(Math.min(first * 0.75, 3 * HOUR));
        expect(Number.isInteger(wait)).toBe(true);
      }),
    );
  });

  it('doubles with each attempt', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((attempts) => retryDelay(attempts, 5 * MINUTE, 0) / MINUTE);
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 240, 240]);
  });
});

describe('classifyFailure', () => {
  it.each<[string, Partial<SubmissionFailure>, string]>([
    ['a greylisting server', { code: 'EENVELOPE', replyCode: 451, command: 'RCPT TO' }, 'transient'],
    ['a full mailbox', { code: 'EENVELOPE', replyCode: 452, command: 'RCPT TO' }, 'transient'],
    ['a message deferred after DATA', { code: 'EMESSAGE', replyCode: 421, command: 'DATA' }, 'transient'],
    ['a server that closes', { code: 'ECONNECTION', replyCode: 421, command: 'CONN' }, 'transient'],
    ['a connection that drops', { code: 'ECONNECTION', command: 'CONN' }, 'transient'],
    ['a timeout', { code: 'ETIMEDOUT', command: 'CONN' }, 'transient'],
    ['a reply that is not SMTP', { code: 'EPROTOCOL', command: 'CONN' }, 'transient'],
    ['a session in the wrong state', { code: 'EENVELOPE', replyCode: 503, command: 'RCPT TO' }, 'transient'],
    ['an unknown recipient', { code: 'EENVELOPE', replyCode: 550, command: 'RCPT TO' }, 'permanent'],
    ['a refused message', { code: 'EMESSAGE', replyCode: 554, command: 'DATA' }, 'permanent'],
    ['an address that nodemailer rejects', { code: 'EENVELOPE', command: 'API' }, 'permanent'],
    ['a reply to RCPT without a code', { code: 'EENVELOPE', command: 'RCPT TO', reply: 'what?' }, 'transient'],
    ['a reply to DATA without a code', { code: 'EMESSAGE', command: 'DATA', reply: 'what?' }, 'transient'],
    ['a refused sender', { code: 'EENVELOPE', replyCode: 553, command: 'MAIL FROM' }, 'systemic'],
    ["a message above the server's size limit", { code: 'EMESSAGE', command: 'MAIL FROM' }, 'systemic'],
    ['a wrong password', { code: 'EAUTH', replyCode: 535, command: 'AUTH PLAIN' }, 'systemic'],
    ['a login that cannot be checked now', { code: 'EAUTH', replyCode: 454, command: 'AUTH PLAIN' }, 'unavailable'],
    ['a throttled sender', { code: 'EENVELOPE', replyCode: 421, command: 'MAIL FROM' }, 'unavailable'],
    ['a full server', { code: 'EENVELOPE', replyCode: 452, command: 'MAIL FROM' }, 'unavailable'],
    ['a login that is required', { code: 'EENVELOPE', replyCode: 530, command: 'RCPT TO' }, 'systemic'],
    ['TLS that fails', { code: 'ETLS', command: 'CONN' }, 'systemic'],
    ['a full disk', { code: 'ENOSPC' }, 'systemic'],
    ['a failed disk', { code: 'EIO' }, 'transient'],
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

describe('decideRetry', () => {
  const policy = { attempts: 3, firstWait: 5 * MINUTE };
  const transient = failure({ replyCode: 451, command: 'RCPT TO' });

  it('retries a transient failure until the attempts are used up', () => {
    expect(decideRetry(transient, 1, policy, 1_000, 0)).toEqual({
      kind: 'retry',
      dueAt: 1_000 + 5 * MINUTE,
      reason: 'it failed',
    });
    expect(decideRetry(transient, 2, policy, 1_000, 0)).toMatchObject({ kind: 'retry', dueAt: 1_000 + 10 * MINUTE });
    expect(decideRetry(transient, 3, policy, 1_000, 0)).toEqual({
      kind: 'fail',
      reason: 'given up after 3 attempts: it failed',
    });
  });

  it('fails after a permanent failure and stops after a systemic one', () => {
    expect(decideRetry(failure({ replyCode: 550, command: 'RCPT TO' }), 1, policy, 0, 0)).toEqual({
      kind: 'fail',
      reason: 'it failed',
    });
    expect(decideRetry(failure({ code: 'EAUTH' }), 3, policy, 0, 0)).toEqual({
      kind: 'stop',
      cause: 'configuration',
      reason: 'it failed',
    });
    expect(decideRetry(failure({ replyCode: 421, command: 'MAIL FROM' }), 3, policy, 0, 0)).toEqual({
      kind: 'stop',
      cause: 'temporary',
      reason: 'it failed',
    });
  });
});
