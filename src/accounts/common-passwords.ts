/**
 * The most common passwords, as a Bloom filter: lists/README.md has its source and licence, and
 * scripts/common-passwords.ts makes it. It takes about one other password in 2,000 for a common one.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const FILE = new URL('../../lists/common-passwords.bloom', import.meta.url);
let filter: Buffer | undefined;

/** Whether a password is a common one. @param plain its `plainPassword` */
export function isCommonPassword(plain: string): boolean {
  filter ??= readFileSync(FILE);
  const bits = filter;
  return filterPositions(plain, 8 * bits.length).every((at) => ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0);
}

/** The best number for 16 bits an entry. */
const HASHES = 11;

/** The bits of an entry, each by four bytes of a hash. @param size of the filter, in bits */
export function filterPositions(plain: string, size: number): number[] {
  const digest = createHash('sha512').update(plain).digest();
  return Array.from({ length: HASHES }, (_, n) => digest.readUInt32LE(4 * n) % size);
}

/**
 * Equal for all encodings of the same typed text, which keyboards of different systems send differently.
 * @param password not too long: ordering combining characters takes quadratic time, two seconds for 20,000 of them
 */
export function normalisePassword(password: string): string {
  return password.toWellFormed().normalize('NFKC');
}

/**
 * What a password is made of: itself, and without what is added at its end, also with the letters that signs and digits
 * stand for. `P@ssw0rd1234` is `password`.
 */
export function plainForms(password: string): Set<string> {
  const bare = normalisePassword(password)
    .toLowerCase()
    .replace(/(?:(?!\p{L}).)+$/su, '');
  // Not of several words: numbers are no letters there, and each form is taken for a common one by chance.
  const ones = /\s/.test(bare) ? [] : ['i', 'l'];
  const forms = ones.map((one) => bare.replace(/[@4013!$57+8]/g, (sign) => SUBSTITUTED[sign] ?? one));
  return new Set([password, bare, ...forms].map(plainPassword).filter((form) => form !== ''));
}

/** A 1 and an exclamation mark stand for i or l. */
const SUBSTITUTED: Record<string, string> = {
  ...{ '@': 'a', '4': 'a', '0': 'o', '3': 'e', $: 's', '5': 's', '7': 't', '+': 't', '8': 'b' },
};

/** Letters and digits in lower case: passwords that differ only in the rest are as easy to guess. */
export function plainPassword(text: string): string {
  return normalisePassword(text)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}
