import { describe, expect, it } from 'vitest';
import { decryptSecret, encryptSecret } from '../../../src/core/config/encrypt-secret.ts';

const OLD = 'o'.repeat(40);
const NEW = 'n'.repeat(40);

describe("a subscriber's secret", () => {
  it('is decrypted with the signing secret it was encrypted with, also when that is an earlier one', () => {
    const encrypted = encryptSecret('seal hub secrets', [OLD], 'sécret', 'owner');
    expect(decryptSecret('seal hub secrets', [OLD], encrypted, 'owner')).toBe('sécret');
    expect(decryptSecret('seal hub secrets', [NEW, OLD], encrypted, 'owner')).toBe('sécret');
  });

  it('is not decrypted with another signing secret or for another owner, or when it is damaged', () => {
    const encrypted = encryptSecret('seal hub secrets', [OLD], 'secret', 'owner');
    expect(decryptSecret('seal hub secrets', [NEW], encrypted, 'owner')).toBeNull();
    expect(decryptSecret('seal hub secrets', [OLD], encrypted, 'another')).toBeNull();
    const changed = `${encrypted.startsWith('A') ? 'B' : 'A'}${encrypted.slice(1)}`;
    for (const damaged of ['', 'AAAA', encrypted.slice(0, -2), changed]) {
      expect(decryptSecret('seal hub secrets', [OLD], damaged, 'owner')).toBeNull();
    }
  });

  it('is encrypted differently each time', () => {
    expect(encryptSecret('seal hub secrets', [OLD], 'secret', 'owner')).not.toBe(
      encryptSecret('seal hub secrets', [OLD], 'secret', 'owner'),
    );
  });
});
