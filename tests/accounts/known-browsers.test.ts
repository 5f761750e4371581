import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BROWSER_LIFETIME, findKnownBrowser, issueBrowserToken } from '../../src/accounts/known-browsers.ts';
import type { SigningSecrets } from '../../src/core/config/signing-secrets.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { anyText } from '../support/any-text.ts';
import { NOW } from '../support/clock.ts';
import { SECRETS } from '../support/sample.ts';

const EMAIL = 'mei@example.com';
const issue = (before: string[] = [], email = EMAIL) => issueBrowserToken(SECRETS, before, email, NOW);
const find = (tokens: string[], typed = EMAIL, now = NOW, secrets: SigningSecrets = SECRETS) =>
  findKnownBrowser(secrets, tokens, typed, now);

describe('a browser', () => {
  it('is known for the account that has signed in, however its address is typed, for a year', () => {
    const tokens = issue();
    const id = find(tokens);
    expect(id).toMatch(/^[\w-]{22}$/);
    expect(find(tokens, ' MEI@Example.com')).toBe(id);
    expect(find(tokens, EMAIL, NOW + BROWSER_LIFETIME - 1)).toBe(id);
    expect(find(tokens, EMAIL, NOW + BROWSER_LIFETIME)).toBeNull();
    expect(find(tokens, 'ivo@example.com')).toBeNull();
    expect(find(issue())).not.toBe(id);
    expect(JSON.stringify(tokens)).not.toContain('mei');
  });

  it('remains known when the clock is a little behind, and when the secret is replaced', () => {
    const tokens = issue();
    expect(find(tokens, EMAIL, NOW - 1)).not.toBeNull();
    expect(find(tokens, EMAIL, NOW - 60 * MINUTE)).toBeNull();
    const next = 'n'.repeat(40);
    expect(find(tokens, EMAIL, NOW, [next, ...SECRETS])).not.toBeNull();
    expect(find(tokens, EMAIL, NOW, [next])).toBeNull();
  });

  it('is known for the last five accounts that have signed in, once for each', () => {
    let tokens: string[] = ['not a token'];
    const addresses = Array.from({ length: 6 }, (_, n) => `colleague${n}@example.com`);
    for (const email of [...addresses, ...addresses.slice(4), ...addresses.slice(4)]) tokens = issue(tokens, email);
    expect(tokens).toHaveLength(5);
    expect(addresses.map((email) => find(tokens, email) !== null)).toEqual([false, true, true, true, true, true]);
  });

  it('is not known by a changed or invented token', () => {
    const [token = ''] = issue();
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...'abzAZ019._-~'), (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        // The last character of the signature has two bits that mean nothing.
        if (changed === token || at === token.length - 1) return;
        expect(find([changed])).toBeNull();
      }),
    );
    fc.assert(fc.property(fc.array(anyText(80)), anyText(20), (tokens, typed) => find(tokens, typed) === null));
  });
});
