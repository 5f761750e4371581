import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readUnsubscribeToken, unsubscribeToken } from '../../src/subscribers/tokens.ts';

const SECRET = 'a secret of the tests, thirty-two characters at least';
const subscription = fc.record({
  subscriberId: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
  newsletter: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/),
});

describe('an unsubscribe token', () => {
  it('reads back as what it was made for', () => {
    fc.assert(
      fc.property(subscription, (key) => {
        expect(readUnsubscribeToken(SECRET, unsubscribeToken(SECRET, key))).toEqual(key);
      }),
    );
  });

  it('is safe in a URL, short enough for a line, and always the same for one subscription', () => {
    fc.assert(
      fc.property(subscription, (key) => {
        const token = unsubscribeToken(SECRET, key);
        expect(token).toMatch(/^v1\.[A-Za-z0-9_-]{30,130}$/);
        expect(unsubscribeToken(SECRET, key)).toBe(token);
      }),
    );
  });

  it('differs for another subscriber, another newsletter and another secret', () => {
    const token = unsubscribeToken(SECRET, { subscriberId: 1, newsletter: 'daily' });
    expect(unsubscribeToken(SECRET, { subscriberId: 2, newsletter: 'daily' })).not.toBe(token);
    expect(unsubscribeToken(SECRET, { subscriberId: 1, newsletter: 'weekly' })).not.toBe(token);
    expect(unsubscribeToken(`${SECRET}!`, { subscriberId: 1, newsletter: 'daily' })).not.toBe(token);
  });

  it('shows neither the subscriber nor the newsletter', () => {
    const token = unsubscribeToken(SECRET, { subscriberId: 0x414243, newsletter: 'daily-roundup' });
    const bytes = Buffer.from(token.slice(3), 'base64url').toString('latin1');
    expect(bytes).not.toContain('daily');
    expect(bytes).not.toContain('ABC');
  });

  it('is nothing once any one character of it is changed', () => {
    fc.assert(
      fc.property(subscription, fc.nat(), fc.stringMatching(/^[A-Za-z0-9_.-]$/), (key, place, character) => {
        const token = unsubscribeToken(SECRET, key);
        const at = place % token.length;
        fc.pre(token[at] !== character);
        expect(readUnsubscribeToken(SECRET, token.slice(0, at) + character + token.slice(at + 1))).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it('is nothing cut short, made longer, or under another secret', () => {
    fc.assert(
      fc.property(subscription, fc.nat(), fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/), (key, place, more) => {
        const token = unsubscribeToken(SECRET, key);
        expect(readUnsubscribeToken(SECRET, token.slice(0, place % token.length))).toBeNull();
        expect(readUnsubscribeToken(SECRET, token + more)).toBeNull();
        expect(readUnsubscribeToken(`${SECRET}!`, token)).toBeNull();
      }),
    );
  });

  it('is nothing where it is garbage', () => {
    const garbage = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^v1\.[A-Za-z0-9_-]{30,200}$/),
      fc.constantFrom('', 'v1.', 'v2.AAAA', '__proto__', `v1.${'A'.repeat(100_000)}`),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        expect(readUnsubscribeToken(SECRET, text)).toBeNull();
      }),
    );
  });
});
