import { describe, expect, it } from 'vitest';
import {
  isPolicyRefusal,
  openPolicyRefusalCounter,
  type PolicyRefusalCounter,
} from '../../../src/delivery/transport/policy-refusals.ts';
import type { SubmissionFailure } from '../../../src/delivery/transport/retry.ts';

function refuse(counter: PolicyRefusalCounter, times: number, domainOf: (n: number) => string): boolean[] {
  return Array.from({ length: times }, (_, n) => counter.record('policy', domainOf(n)));
}
const mixed = (n: number): string => (n % 2 === 0 ? 'example.com' : 'example.org');
const single = (): string => 'example.com';

describe('the counter of policy refusals', () => {
  it('reaches its limit with the third refusal before any success, whatever the domains', () => {
    expect(refuse(openPolicyRefusalCounter(), 4, single)).toEqual([false, false, true, true]);
  });

  it('reaches its limit with the fifth refusal by several domains after a success', () => {
    const counter = openPolicyRefusalCounter();
    counter.record('submitted', 'example.com');
    expect(refuse(counter, 5, mixed)).toEqual([false, false, false, false, true]);
  });

  it('has a higher limit for refusals by one domain', () => {
    const counter = openPolicyRefusalCounter();
    for (let round = 0; round < 10; round++) {
      counter.record('submitted', 'example.org');
      expect(refuse(counter, 10, single)).not.toContain(true);
    }
    expect(refuse(counter, 10, single).at(-1)).toBe(true);
  });

  it('starts again with each success, but not with another failure', () => {
    const counter = openPolicyRefusalCounter();
    counter.record('submitted', 'example.com');
    refuse(counter, 4, mixed);
    counter.record('submitted', 'example.com');
    expect(refuse(counter, 4, mixed)).not.toContain(true);
    expect(counter.record('other', 'example.net')).toBe(false);
    expect(counter.record('policy', 'example.net')).toBe(true);
  });
});

describe('isPolicyRefusal', () => {
  it.each<[string, Partial<SubmissionFailure>, boolean]>([
    ['closes with 421', { replyCode: 421, reply: '421 4.7.0 slow down', command: 'MAIL FROM' }, true],
    ['shuts down', { replyCode: 421, reply: '421 4.3.2 shutting down', command: 'MAIL FROM' }, false],
    ['timed out', { replyCode: 421, reply: '421 4.4.2 timeout', command: 'CONN' }, false],
    ['defers by policy', { replyCode: 450, reply: '450 4.7.1 greylisted', command: 'RCPT TO' }, false],
    ['knows no such recipient', { replyCode: 550, reply: '550 no such user', command: 'RCPT TO' }, false],
    ['refuses by policy', { replyCode: 554, reply: '554 5.7.1 relay denied', command: 'RCPT TO' }, true],
    ['contradicts itself', { replyCode: 554, reply: '554 4.7.1 hm', command: 'RCPT TO' }, false],
    ['answers nothing', { code: 'ETIMEDOUT' }, false],
  ])('decides by codes for a server that %s', (_name, parts, expected) => {
    expect(isPolicyRefusal({ replyCode: null, reply: null, command: null, ...parts })).toBe(expected);
  });
});
