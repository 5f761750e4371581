import { describe, expect, it } from 'vitest';
import {
  isPolicyRefusal,
  openPolicyRefusalCounter,
  type PolicyRefusalCounter,
} from '../../../src/delivery/transport/policy-refusals.ts';
import type { SubmissionFailure } from '../../../src/delivery/transport/retry.ts';

function refuse(watch: PolicyRefusalCounter, times: number, domainOf: (n: number) => string): string[] {
  return Array.from({ length: times }, (_, n) => watch.note('policy', domainOf(n)));
}
const mixed = (n: number): string => (n % 2 === 0 ? 'example.com' : 'example.org');
const one = (): string => 'example.com';

describe('a policy watch', () => {
  it('takes the third refusal for one of everybody where nothing has gone through yet, whatever the domains', () => {
    expect(refuse(openPolicyRefusalCounter(), 4, one)).toEqual(['go-on', 'go-on', 'refuses-us', 'refuses-us']);
  });

  it('takes five in a row of several domains for that where something has', () => {
    const watch = openPolicyRefusalCounter();
    watch.note('submitted', 'example.com');
    expect(refuse(watch, 5, mixed)).toEqual(['go-on', 'go-on', 'go-on', 'go-on', 'refuses-us']);
  });

  it('does not let one domain that blocks us stop the others', () => {
    const watch = openPolicyRefusalCounter();
    for (let round = 0; round < 10; round++) {
      watch.note('submitted', 'example.org');
      expect(refuse(watch, 10, one)).not.toContain('refuses-us');
    }
    expect(refuse(watch, 10, one).at(-1)).toBe('refuses-us');
  });

  it('begins anew with every success, and not with another failure', () => {
    const watch = openPolicyRefusalCounter();
    watch.note('submitted', 'example.com');
    refuse(watch, 4, mixed);
    watch.note('submitted', 'example.com');
    expect(refuse(watch, 4, mixed)).not.toContain('refuses-us');
    expect(watch.note('other', 'example.net')).toBe('go-on');
    expect(watch.note('policy', 'example.net')).toBe('refuses-us');
  });
});

describe('a refusal that may be meant for everybody', () => {
  it.each<[string, Partial<SubmissionFailure>, boolean]>([
    ['parts with 421', { replyCode: 421, reply: '421 4.7.0 slow down', command: 'MAIL FROM' }, true],
    ['shuts down', { replyCode: 421, reply: '421 4.3.2 shutting down', command: 'MAIL FROM' }, false],
    ['waited too long', { replyCode: 421, reply: '421 4.4.2 timeout', command: 'CONN' }, false],
    ['defers by policy', { replyCode: 450, reply: '450 4.7.1 greylisted', command: 'RCPT TO' }, false],
    ['knows no such recipient', { replyCode: 550, reply: '550 no such user', command: 'RCPT TO' }, false],
    ['refuses by policy', { replyCode: 554, reply: '554 5.7.1 relay denied', command: 'RCPT TO' }, true],
    ['contradicts itself', { replyCode: 554, reply: '554 4.7.1 hm', command: 'RCPT TO' }, false],
    ['answers nothing', { code: 'ETIMEDOUT' }, false],
  ])('by a server that %s is told by its codes', (_name, parts, expected) => {
    expect(isPolicyRefusal({ replyCode: null, reply: null, command: null, ...parts })).toBe(expected);
  });
});
