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

describe('a retry delay', () => {
  it('grows with every attempt until it has reached four hours, whatever the jitter', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), firstWait, random, random, (attempts, first, r1, r2) => {
        const [wait, next] = [retryDelay(attempts, first, r1), retryDelay(attempts + 1, first, r2)];
        if (first * 2 ** attempts <= 4 * HOUR) expect(next).toBeGreaterThan(wait);
      }),
    );
  });

  it('is never longer than four hours, and never shorter than three quarters of the first wait or of three hours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), firstWait, random, (attempts, first, r) => {
        const wait = retryDelay(attempts, first, r);
        expect(wait).toBeLessThanOrEqual(4 * HOUR);
        expect(wait).toBeGreaterThanOrEqual(Math.min(first * 0.75, 3 * HOUR));
        expect(Number.isInteger(wait)).toBe(true);
      }),
    );
  });

  it('doubles', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((attempts) => retryDelay(attempts, 5 * MINUTE, 0) / MINUTE);
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 240, 240]);
  });
});

describe('a failure', () => {
  it.each<[string, Partial<SubmissionFailure>, string]>([
    ['a greylisting server', { code: 'EENVELOPE', replyCode: 451, command: 'RCPT TO' }, 'transient'],
    ['a full mailbox', { code: 'EENVELOPE', replyCode: 452, command: 'RCPT TO' }, 'transient'],
    ['a message deferred after DATA', { code: 'EMESSAGE', replyCode: 421, command: 'DATA' }, 'transient'],
    ['a server that closes', { code: 'ECONNECTION', replyCode: 421, command: 'CONN' }, 'transient'],
    ['a connection that drops', { code: 'ECONNECTION', command: 'CONN' }, 'transient'],
    ['silence', { code: 'ETIMEDOUT', command: 'CONN' }, 'transient'],
    ['garbage', { code: 'EPROTOCOL', command: 'CONN' }, 'transient'],
    ['a session in the wrong state', { code: 'EENVELOPE', replyCode: 503, command: 'RCPT TO' }, 'transient'],
    ['an unknown recipient', { code: 'EENVELOPE', replyCode: 550, command: 'RCPT TO' }, 'permanent'],
    ['a refused message', { code: 'EMESSAGE', replyCode: 554, command: 'DATA' }, 'permanent'],
    ['an address that nodemailer refuses', { code: 'EENVELOPE', command: 'API' }, 'permanent'],
    ['garbage for a reply', { code: 'EENVELOPE', command: 'RCPT TO', reply: 'what?' }, 'transient'],
    ['garbage for the last reply', { code: 'EMESSAGE', command: 'DATA', reply: 'what?' }, 'transient'],
    ['a refused sender', { code: 'EENVELOPE', replyCode: 553, command: 'MAIL FROM' }, 'refuses-us'],
    ['a message larger than the server takes', { code: 'EMESSAGE', command: 'MAIL FROM' }, 'refuses-us'],
    ['a wrong password', { code: 'EAUTH', replyCode: 535, command: 'AUTH PLAIN' }, 'refuses-us'],
    ['a login that cannot be checked now', { code: 'EAUTH', replyCode: 454, command: 'AUTH PLAIN' }, 'refuses-us'],
    ['a login that is required', { code: 'EENVELOPE', replyCode: 530, command: 'RCPT TO' }, 'refuses-us'],
    ['TLS that fails', { code: 'ETLS', command: 'CONN' }, 'refuses-us'],
    ['a full disk', { code: 'ENOSPC' }, 'refuses-us'],
    ['a failed disk', { code: 'EIO' }, 'transient'],
  ])('of %s is sorted by its codes', (_name, parts, expected) => {
    expect(classifyFailure(failure(parts))).toBe(expected);
  });

  it('is never sorted by its words', () => {
    const reply = '550 5.1.1 no such user, try again later';
    fc.assert(
      fc.property(fc.string(), fc.option(fc.integer({ min: 200, max: 599 })), (words, replyCode) => {
        const parts = { replyCode, command: 'RCPT TO' };
        expect(classifyFailure(failure({ ...parts, message: words, reply }))).toBe(classifyFailure(failure(parts)));
      }),
    );
  });

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
  ])('reads the enhanced status of %j as %j', (reply, status) => {
    expect(enhancedStatus(reply)).toBe(status);
  });

  const policy = { attempts: 3, firstWait: 5 * MINUTE };
  const transient = failure({ replyCode: 451, command: 'RCPT TO' });

  it('that may pass is tried again, until the attempts are used up', () => {
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

  it('that will not pass fails at once, and one that concerns everybody stops', () => {
    expect(decideRetry(failure({ replyCode: 550, command: 'RCPT TO' }), 1, policy, 0, 0)).toEqual({
      kind: 'fail',
      reason: 'it failed',
    });
    expect(decideRetry(failure({ code: 'EAUTH' }), 3, policy, 0, 0)).toEqual({ kind: 'stop', reason: 'it failed' });
  });
});
