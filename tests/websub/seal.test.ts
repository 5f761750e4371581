import { describe, expect, it } from 'vitest';
import { openSecret, sealSecret } from '../../src/websub/seal.ts';

const OLD = 'o'.repeat(40);
const NEW = 'n'.repeat(40);

describe("a subscriber's secret", () => {
  it('opens under the signing secret it was sealed with, also when that is an earlier one', () => {
    const sealed = sealSecret([OLD], 'sécret', 'owner');
    expect(openSecret([OLD], sealed, 'owner')).toBe('sécret');
    expect(openSecret([NEW, OLD], sealed, 'owner')).toBe('sécret');
  });

  it('opens for nobody else', () => {
    const sealed = sealSecret([OLD], 'secret', 'owner');
    expect(openSecret([NEW], sealed, 'owner')).toBeNull();
    expect(openSecret([OLD], sealed, 'another')).toBeNull();
    for (const damaged of ['', 'AAAA', sealed.slice(0, -2), `A${sealed.slice(1)}`.replace(/^AA/, 'BA')]) {
      expect(openSecret([OLD], damaged, 'owner')).toBeNull();
    }
  });

  it('is sealed differently each time', () => {
    expect(sealSecret([OLD], 'secret', 'owner')).not.toBe(sealSecret([OLD], 'secret', 'owner'));
  });
});
