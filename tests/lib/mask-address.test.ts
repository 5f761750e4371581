import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskAddress } from '../../src/lib/mask-address.ts';

describe('a masked address', () => {
  it('shows the first character of the name, and the domain', () => {
    expect(maskAddress('jun.li+news@example.com')).toBe('j…@example.com');
    expect(maskAddress('a@bücher.example')).toBe('a…@bücher.example');
  });

  it('shows nothing of text that is no address', () => {
    expect(maskAddress('jun.li')).toBe('…');
    expect(maskAddress('')).toBe('…');
  });

  it('never shows a second character of the name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.domain(), (name, domain) => {
        const masked = maskAddress(`${name}@${domain}`);
        const [first = ''] = name;
        expect(masked).toBe(`${first}…@${domain}`);
      }),
    );
  });
});
