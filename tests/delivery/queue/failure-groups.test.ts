import { describe, expect, it } from 'vitest';
import { EXPIRED, expiredReason, OVER_LIMITS } from '../../../src/delivery/queue/delivery-outcome.ts';
import { FailureGroups, readFailureReason } from '../../../src/delivery/queue/failure-groups.ts';

describe('a failure', () => {
  it.each([
    [
      'failed',
      'mx.example:25 answered: 550 5.1.1 <ada@example.com>: User unknown (#5.1.1) in queue 4RzK2M5xqGz1Xy',
      '550 5.1.1 <address>: User unknown (#5.1.1) in queue #',
    ],
    ['failed', 'mx.example:25 answered: 450 4.2.1 [203.0.113.9] is slow for 300s', '450 4.2.1 [#] is slow for #'],
    ['failed', 'mx.example:25 closed the connection: 421 4.3.2 2001:db8::1 x12-20020a05.123', undefined],
    ['expired', EXPIRED, 'never tried'],
    ['expired', expiredReason('mx.example:25 did not answer in time'), 'mx.example:# did not answer in time'],
    ['over limits', expiredReason(`${OVER_LIMITS}: checked again at 2026-11-24T07:30:00Z`), OVER_LIMITS],
    ['failed', null, 'no reason recorded'],
  ])('is read as %s, without what differs between recipients: %s', (kind, reason, words) => {
    expect(readFailureReason(reason)).toEqual({ kind, words: words ?? 'closed the connection: 421 4.3.2 # #' });
  });
});

describe('groups of failures', () => {
  it('count each cause once, the largest first, in bounded memory', () => {
    const groups = new FailureGroups();
    for (let n = 0; n < 1_000; n++) groups.add(`mx.example:25 answered: 550 5.7.1 refused, see ticket ${n}${n}`);
    expect(groups.list()).toEqual([{ kind: 'failed', words: '550 5.7.1 refused, see ticket #', count: 1_000 }]);
    const letters = [...'abcdefghij'];
    for (const a of letters) for (const b of letters) groups.add(`word ${a}${b}`);
    const list = groups.list();
    expect(list.length).toBeLessThan(60);
    expect(list[1]).toEqual({ kind: 'failed', words: 'other reasons', count: expect.any(Number) });
    expect(list.reduce((sum, { count }) => sum + count, 0)).toBe(1_100);
  });
});
