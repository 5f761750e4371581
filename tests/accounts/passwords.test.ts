import { argon2Sync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import {
  hashPassword,
  isOutdatedHash,
  passwordHasHash,
  passwordProblem,
  queuePasswordCheck,
} from '../../src/accounts/passwords.ts';
import { anyText } from '../support/any-text.ts';

const OWNER = { email: 'mei.lindqvist@example.com', name: 'Mei Lindqvist', publication: 'Harbour Gazette' };
const PASSWORD = 'seven herons at dawn';
const COMMON = 'Use another one: this one, or one that differs little, is known to be common.';

describe('a password', () => {
  it.each([
    ['eleven characters', 'a quiet day', 'Use at least 12 characters. Several words are easy to remember.'],
    ['201 characters', `${'abcd'.repeat(50)}e`, 'Use at most 200 characters.'],
    ['a million characters', 'abcd'.repeat(250_000), 'Use at most 200 characters.'],
    ['the email address', ' Mei.Lindqvist@Example.com', 'Use something other than the email address.'],
    ['the name', 'MEI LINDQVIST', 'Use something other than the name.'],
    ['the name of the publication', 'harbour-gazette!', 'Use something other than the name of the publication.'],
    ['three characters over and over', 'abcabcabcabcabc', 'Use at least 4 different characters.'],
    ['a common one', 'qwertyuiop123', COMMON],
    ['a rarer one of twelve characters', 'unbelievable', COMMON],
    ['a common one in capitals, with signs', 'Q-w-E-r-T-y-1-2-3', COMMON],
    ['a common short one that is filled up', '***Dragon1***', COMMON],
    ['signs for letters of a common one, and digits at its end', 'P@ssw0rd1234', COMMON],
    ['the same with other signs, in the middle', '$uP3rM4n!2026', COMMON],
    ['a 1 for an l', '1iv3rp00l-2026!', COMMON],
    ['the name with a year', 'Mei Lindqvist 2026', 'Use something other than the name.'],
  ])('is refused with %s', (_, password, reason) => {
    expect(passwordProblem(password, OWNER)).toBe(reason);
  });

  it.each([PASSWORD, 'kestrel over the weir', '!!!!????----....', 'abcd'.repeat(50), '七只白鹭在黎明飞过灯塔外海'])(
    'is accepted: %s',
    (password) => {
      expect(passwordProblem(password, OWNER)).toBeNull();
    },
  );

  it('is taken for a common one in less than one case in 1,000', () => {
    const others = Array.from({ length: 20_000 }, (_, n) => `${n} gulls above the harbour`);
    const refused = others.filter((password) => passwordProblem(password, OWNER) !== null);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(20);
  });

  it('is accepted or refused in linear time, whatever it contains', () => {
    fc.assert(
      fc.property(anyText(300), (password) => {
        const problem = passwordProblem(password, OWNER);
        if (problem === null) expect([...password].length).toBeGreaterThan(2);
        else expect(problem).toMatch(/^Use /);
      }),
    );
  });
});

describe('the hash of a password', () => {
  it('is argon2id with 19 MiB and two passes, a random salt, and its parameters', async () => {
    const hash = (await hashPassword(PASSWORD)) as string;
    const [, algorithm, version, parameters, salt = '', tag = ''] = hash.split('$');
    expect([algorithm, version, parameters]).toEqual(['argon2id', 'v=19', 'm=19456,t=2,p=1']);
    const nonce = Buffer.from(salt, 'base64');
    expect(nonce.length).toBe(16);
    const expected = argon2Sync('argon2id', {
      ...{ message: PASSWORD, nonce, tagLength: 32, memory: 19_456, passes: 2, parallelism: 1 },
    });
    expect(Buffer.from(tag, 'base64')).toEqual(expected);
    expect(await hashPassword(PASSWORD)).not.toBe(hash);
    expect(isOutdatedHash(hash)).toBe(false);
    expect(await passwordHasHash(PASSWORD, hash)).toBe(true);
    expect(await passwordHasHash('Seven herons at dawn', hash)).toBe(false);
    expect(await passwordHasHash('', hash)).toBe(false);
  });

  it('is never that of a text that is longer than any password, which is not normalised', async () => {
    const marks = `a${'\u0301\u0316'.repeat(500)}`;
    const normalised = vi.spyOn(String.prototype, 'normalize');
    expect(await passwordHasHash(marks, await hashPassword(''))).toBe(false);
    expect(await passwordHasHash(marks, null)).toBe(false);
    // Combining characters are ordered in quadratic time, on the thread that serves all requests.
    expect(normalised.mock.contexts.map(String)).toEqual(['', '', '']);
    normalised.mockRestore();
  });

  it('is compared with its own parameters, and outdated when they are not those of a new one', async () => {
    const nonce = Buffer.alloc(16, 7);
    const tag = argon2Sync('argon2id', {
      ...{ message: PASSWORD, nonce, tagLength: 32, memory: 64, passes: 1, parallelism: 2 },
    });
    const [salt, text] = [nonce, tag].map((bytes) => bytes.toString('base64').replace(/=+$/, ''));
    const old = `$argon2id$v=19$m=64,t=1,p=2$${salt}$${text}`;
    expect(await passwordHasHash(PASSWORD, old)).toBe(true);
    expect(await passwordHasHash('another password', old)).toBe(false);
    expect(isOutdatedHash(old)).toBe(true);
  });

  it('is equal for the same text from keyboards that encode it differently', async () => {
    const hash = await hashPassword('Zürich im Frühling');
    expect(await passwordHasHash('Zürich im Frühling'.normalize('NFD'), hash)).toBe(true);
  });

  it('belongs to no password where there is no account', async () => {
    expect(await passwordHasHash(PASSWORD, null)).toBe(false);
  });

  it('says what to do if the stored one is damaged', async () => {
    await expect(passwordHasHash(PASSWORD, '$argon2id$v=19$m=64')).rejects.toThrow(/damaged: invite the account again/);
  });

  it('is computed for somebody with a link while strangers wait, and not where too many of its kind wait', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const strangers = Array.from({ length: 12 }, () => queuePasswordCheck('stranger', () => promise));
    expect(strangers.filter((check) => check === null)).toHaveLength(2);
    expect(await hashPassword(PASSWORD)).toMatch(/^\$argon2id/);
    const known = Array.from({ length: 20 }, () => queuePasswordCheck('known', () => promise));
    expect(known).not.toContain(null);
    expect(await hashPassword(PASSWORD)).toBeNull();
    resolve();
    await Promise.all([...strangers, ...known]);
    expect(await queuePasswordCheck('stranger', async () => 'checked')).toBe('checked');
  });
});
