import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillHtml, fillPlaceholders, fillText, placeholder } from '../../../src/editions/rendering/placeholders.ts';

const NONCE = '5f2c9a71d04be83c6e1f7a90';
const UNSUBSCRIBE = placeholder(NONCE, 'unsubscribe');
const nonce = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 24, maxLength: 24 });

describe('fillSlots', () => {
  it('fills in the value at each of its placeholders', () => {
    expect(fillPlaceholders(`a ${UNSUBSCRIBE} b ${UNSUBSCRIBE}`, NONCE, { unsubscribe: 'here' })).toBe('a here b here');
  });

  it('requires no placeholder except unsubscribe, so that older editions without the others can be delivered', () => {
    expect(fillPlaceholders(`[${UNSUBSCRIBE}]`, NONCE, { unsubscribe: 'here', preferences: 'there' })).toBe('[here]');
  });

  it('throws if a placeholder has no value, also if its name is an inherited property of objects', () => {
    expect(() =>
      fillPlaceholders(`${UNSUBSCRIBE}${placeholder(NONCE, 'preferences')}`, NONCE, { unsubscribe: 'x' }),
    ).toThrow(/placeholder preferences/);
    expect(() =>
      fillPlaceholders(`${UNSUBSCRIBE}${placeholder(NONCE, 'constructor')}`, NONCE, { unsubscribe: 'x' }),
    ).toThrow(/placeholder constructor/);
  });

  it('throws if the unsubscribe placeholder is missing', () => {
    expect(() => fillPlaceholders('no placeholder here', NONCE, { unsubscribe: 'x' })).toThrow(
      /no placeholder unsubscribe/,
    );
  });

  it('does not change placeholders with another nonce', () => {
    fc.assert(
      fc.property(nonce, fc.string({ unit: 'binary' }), (other, around) => {
        fc.pre(other !== NONCE && !around.includes(NONCE));
        const forged = `${around}${placeholder(other, 'unsubscribe')}<!--${other}:personal-->%%unsubscribe%%`;
        expect(fillPlaceholders(forged + UNSUBSCRIBE, NONCE, { unsubscribe: '!' })).toBe(`${forged}!`);
      }),
    );
  });

  it('inserts values unchanged, including String.replace patterns and placeholders', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('$&', "$'", '$1', UNSUBSCRIBE)), (value) => {
        expect(fillPlaceholders(`[${UNSUBSCRIBE}]`, NONCE, { unsubscribe: value })).toBe(`[${value}]`);
      }),
    );
  });
});

describe('fillHtml', () => {
  it('does not let a value end its quoted attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const filled = fillHtml(`<a href="${UNSUBSCRIBE}">`, NONCE, { unsubscribe: value });
        expect(filled.slice('<a href="'.length, -'">'.length)).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      }),
    );
    expect(fillHtml(UNSUBSCRIBE, NONCE, { unsubscribe: 'https://x.example/?a=1&b="<' })).toBe(
      'https://x.example/?a=1&amp;b=&quot;&lt;',
    );
  });
});

describe('fillText', () => {
  it('keeps values on one line and does not escape them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(fillText(UNSUBSCRIBE, NONCE, { unsubscribe: `a\r\n${value}` })).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
    expect(fillText(UNSUBSCRIBE, NONCE, { unsubscribe: 'https://x.example/?a=1&b=2' })).toBe(
      'https://x.example/?a=1&b=2',
    );
  });
});
