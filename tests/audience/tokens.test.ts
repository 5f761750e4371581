import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type LinkAct,
  type MailboxKey,
  mailboxToken,
  messageToken,
  newsletterTag,
  preferencesToken,
  readMailboxToken,
  readMessageToken,
  readPreferencesToken,
  readUnsubscribeAddressToken,
  readUnsubscribeToken,
  unsubscribeAddressToken,
  unsubscribeToken,
} from '../../src/audience/tokens.ts';
import type { SigningSecrets } from '../../src/core/config/signing-secrets.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { runs } from '../support/run-scope.ts';
import { SECRETS } from '../support/sample.ts';

const ROTATED: SigningSecrets = ['another secret of the tests, made later than the first', ...SECRETS];
const OTHER: SigningSecrets = [`${SECRETS[0]}!`];

const id = fc.integer({ min: 1, max: 2 ** 48 - 1 });
/** Those that were made here, by tag. */
const newsletters = new Map<number, string>();
const subscription = fc.record({
  subscriberId: id,
  newsletter: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/).map((newsletter) => {
    newsletters.set(newsletterTag(newsletter), newsletter);
    return newsletter;
  }),
});
const mailboxKey: fc.Arbitrary<MailboxKey> = fc.oneof(
  fc.record({ purpose: fc.constant('bounce' as const), editionId: id, subscriberId: id }),
  fc.record({ purpose: fc.constant('service-bounce' as const), messageId: id, subscriberId: id }),
);

const serviceMessage = fc.record({ messageId: id, subscriberId: id });

interface Kind {
  key: fc.Arbitrary<unknown>;
  make(secrets: SigningSecrets, key: never): string;
  read(secrets: SigningSecrets, token: string): unknown;
  shape: RegExp;
}

const KINDS: Record<string, Kind> = {
  unsubscribe: {
    key: subscription,
    make: unsubscribeToken,
    read: readUnsubscribeToken,
    shape: /^v2\.[A-Za-z0-9_-]{30,130}$/,
  },
  'unsubscribe address': {
    key: subscription,
    make: unsubscribeAddressToken,
    // The token has room for the tag of a newsletter only.
    read: (secrets, token) => {
      const read = readUnsubscribeAddressToken(secrets, token);
      return read && { subscriberId: read.subscriberId, newsletter: newsletters.get(read.newsletterTag) };
    },
    shape: /^v[a-z2-7]{39}$/,
  },
  preferences: {
    key: fc.record({
      subscriberId: id,
      version: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      expiresAt: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((minutes) => minutes * MINUTE),
    }),
    make: preferencesToken,
    read: readPreferencesToken,
    shape: /^v1\.[A-Za-z0-9_-]{40}$/,
  },
  confirmation: {
    key: serviceMessage,
    make: (secrets, key) => messageToken(secrets, 'confirm', key),
    read: (secrets, token) => readMessageToken(secrets, 'confirm', token),
    shape: /^v1\.[A-Za-z0-9_-]{38}$/,
  },
  export: kindOfAct('export'),
  erase: kindOfAct('erase'),
  mailbox: { key: mailboxKey, make: mailboxToken, read: readMailboxToken, shape: /^[bs][a-z2-7]{39}$/ },
};

function kindOfAct(act: LinkAct): Kind {
  return {
    key: serviceMessage,
    make: (secrets, key) => messageToken(secrets, act, key),
    read: (secrets, token) => readMessageToken(secrets, act, token),
    shape: /^v1\.[A-Za-z0-9_-]{38}$/,
  };
}

const isBase32 = (name: string): boolean => name === 'mailbox' || name === 'unsubscribe address';
const tokenOf = ({ make }: Kind, key: unknown, secrets = SECRETS): string => make(secrets, key as never);

describe.each(Object.entries(KINDS))('a token of the kind %s', (name, kind) => {
  it('decodes to its content', () => {
    fc.assert(
      fc.property(kind.key, (key) => {
        expect(kind.read(SECRETS, tokenOf(kind, key))).toEqual(key);
      }),
    );
  });

  it('is safe in its context, short enough, and deterministic', () => {
    fc.assert(
      fc.property(kind.key, (key) => {
        const token = tokenOf(kind, key);
        expect(token).toMatch(kind.shape);
        expect(tokenOf(kind, key)).toBe(token);
      }),
    );
  });

  it('differs for other content and other secrets', () => {
    fc.assert(
      fc.property(kind.key, kind.key, (key, other) => {
        fc.pre(JSON.stringify(key) !== JSON.stringify(other));
        expect(tokenOf(kind, other)).not.toBe(tokenOf(kind, key));
        expect(tokenOf(kind, key, OTHER)).not.toBe(tokenOf(kind, key));
      }),
    );
  });

  it('stays valid after a rotation of the secret, and is signed with the current one', () => {
    fc.assert(
      fc.property(kind.key, (key) => {
        expect(kind.read(ROTATED, tokenOf(kind, key))).toEqual(key);
        expect(kind.read([ROTATED[0]], tokenOf(kind, key, ROTATED))).toEqual(key);
        expect(kind.read(SECRETS, tokenOf(kind, key, ROTATED))).toBeNull();
      }),
    );
  });

  it('is invalid if a character is changed', () => {
    // The case of a mailbox token does not matter.
    const same = (a: string): string => (isBase32(name) ? a.toLowerCase() : a);
    fc.assert(
      fc.property(kind.key, fc.nat(), fc.stringMatching(/^[A-Za-z0-9_.-]$/), (key, place, character) => {
        const token = tokenOf(kind, key);
        const at = place % token.length;
        fc.pre(token[at] !== same(character));
        expect(kind.read(SECRETS, token.slice(0, at) + character + token.slice(at + 1))).toBeNull();
      }),
      { numRuns: runs(500) },
    );
  });

  it('has only one valid last character', () => {
    fc.assert(
      fc.property(kind.key, (key) => {
        const token = tokenOf(kind, key);
        const alphabet = isBase32(name)
          ? 'abcdefghijklmnopqrstuvwxyz234567'
          : 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef0123456789-_';
        const valid = [...alphabet].filter((last) => kind.read(SECRETS, token.slice(0, -1) + last) !== null);
        expect(valid.length).toBeLessThanOrEqual(1);
        expect(kind.read(SECRETS, token)).toEqual(key);
      }),
      { numRuns: runs(40) },
    );
  });

  it('is invalid if truncated, extended, or read with another secret', () => {
    fc.assert(
      fc.property(kind.key, fc.nat(), fc.stringMatching(/^[A-Za-z0-9_=-]{1,8}$/), (key, place, more) => {
        const token = tokenOf(kind, key);
        expect(kind.read(SECRETS, token.slice(0, place % token.length))).toBeNull();
        expect(kind.read(SECRETS, token + more)).toBeNull();
        expect(kind.read(SECRETS, more + token)).toBeNull();
        expect(kind.read(OTHER, token)).toBeNull();
      }),
    );
  });

  it('is invalid for random input', () => {
    const garbage = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^v[12]\.[A-Za-z0-9_-]{30,200}$/),
      fc.stringMatching(/^[bsvBSV][a-z2-7]{39}$/),
      fc.constantFrom('', 'v1.', 'v2.AAAA', 'b', '__proto__', `v1.${'A'.repeat(100_000)}`, 'b'.repeat(100_000)),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        expect(kind.read(SECRETS, text)).toBeNull();
      }),
    );
  });

  it('is invalid for other purposes', () => {
    fc.assert(
      fc.property(kind.key, (key) => {
        const token = tokenOf(kind, key);
        for (const [other, { read }] of Object.entries(KINDS)) {
          if (other !== name) expect(read(SECRETS, token)).toBeNull();
        }
      }),
    );
  });

  it('does not reveal its ids', () => {
    // Subscribers must not be able to count subscribers or to guess the next token.
    const one = tokenOf(kind, exampleOf(name, 0x414243));
    const next = tokenOf(kind, exampleOf(name, 0x414244));
    const bytes = Buffer.from(one.slice(3), 'base64url').toString('latin1');
    expect(bytes).not.toContain('ABC');
    expect(bytes).not.toContain('daily');
    const [a, b] = [one.slice(3), next.slice(3)];
    expect([...a].filter((character, at) => b[at] === character).length).toBeLessThan(a.length / 2);
  });
});

function exampleOf(name: string, subscriberId: number): unknown {
  switch (name) {
    case 'unsubscribe':
    case 'unsubscribe address':
      return { subscriberId, newsletter: 'daily-roundup' };
    case 'preferences':
      return { subscriberId, version: 1, expiresAt: 0 };
    case 'confirmation':
    case 'export':
    case 'erase':
      return { messageId: 1, subscriberId };
    default:
      return { purpose: 'bounce', editionId: 1, subscriberId };
  }
}

describe('a mailbox token', () => {
  it('is read in any case', () => {
    fc.assert(
      fc.property(mailboxKey, fc.infiniteStream(fc.boolean()), (key, upper) => {
        const token = mailboxToken(SECRETS, key);
        const cased = [...token].map((c) => (upper.next().value ? c.toUpperCase() : c)).join('');
        expect(readMailboxToken(SECRETS, cased)).toEqual(key);
      }),
    );
  });

  it('is invalid with a non-ASCII letter whose lower case is ASCII', () => {
    // U+212A KELVIN SIGN lower-cases to k.
    fc.assert(
      fc.property(mailboxKey, (key) => {
        const token = mailboxToken(SECRETS, key);
        fc.pre(token.includes('k'));
        expect(readMailboxToken(SECRETS, token.replace('k', '\u212a'))).toBeNull();
      }),
      { numRuns: runs(40) },
    );
  });
});
