import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fillHtml, fillSlots, fillText, slotMark } from '../../../src/editions/rendering/fill.ts';

const NONCE = '5f2c9a71d04be83c6e1f7a90';
const SLOT = slotMark(NONCE, 'unsubscribe');
const nonce = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 24, maxLength: 24 });

describe('fillSlots', () => {
  it('puts the value wherever its slot stands', () => {
    expect(fillSlots(`a ${SLOT} b ${SLOT}`, NONCE, { unsubscribe: 'here' })).toBe('a here b here');
  });

  it('needs no slot but the unsubscribe link, so that an older edition without the others still goes out', () => {
    expect(fillSlots(`[${SLOT}]`, NONCE, { unsubscribe: 'here', preferences: 'there' })).toBe('[here]');
  });

  it('throws where a slot has no value, an inherited property of objects among them', () => {
    expect(() => fillSlots(`${SLOT}${slotMark(NONCE, 'preferences')}`, NONCE, { unsubscribe: 'x' })).toThrow(
      /slot preferences/,
    );
    expect(() => fillSlots(`${SLOT}${slotMark(NONCE, 'constructor')}`, NONCE, { unsubscribe: 'x' })).toThrow(
      /slot constructor/,
    );
  });

  it('throws where the unsubscribe link has no slot', () => {
    expect(() => fillSlots('no slot here', NONCE, { unsubscribe: 'x' })).toThrow(/no slot unsubscribe/);
  });

  it('leaves what looks like a slot under any other nonce as it is', () => {
    fc.assert(
      fc.property(nonce, fc.string({ unit: 'binary' }), (other, around) => {
        fc.pre(other !== NONCE && !around.includes(NONCE));
        const forged = `${around}${slotMark(other, 'unsubscribe')}<!--${other}:personal-->%%unsubscribe%%`;
        expect(fillSlots(forged + SLOT, NONCE, { unsubscribe: '!' })).toBe(`${forged}!`);
      }),
    );
  });

  it('puts any value in as it is: no pattern of String.replace, no slot inside a value, is looked at', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('$&', "$'", '$1', SLOT)), (value) => {
        expect(fillSlots(`[${SLOT}]`, NONCE, { unsubscribe: value })).toBe(`[${value}]`);
      }),
    );
  });
});

describe('fillHtml', () => {
  it('lets no value leave its quoted attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const filled = fillHtml(`<a href="${SLOT}">`, NONCE, { unsubscribe: value });
        expect(filled.slice('<a href="'.length, -'">'.length)).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
      }),
    );
    expect(fillHtml(SLOT, NONCE, { unsubscribe: 'https://x.example/?a=1&b="<' })).toBe(
      'https://x.example/?a=1&amp;b=&quot;&lt;',
    );
  });
});

describe('fillText', () => {
  it('keeps every value on its line and escapes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(fillText(SLOT, NONCE, { unsubscribe: `a\r\n${value}` })).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      }),
    );
    expect(fillText(SLOT, NONCE, { unsubscribe: 'https://x.example/?a=1&b=2' })).toBe('https://x.example/?a=1&b=2');
  });
});
