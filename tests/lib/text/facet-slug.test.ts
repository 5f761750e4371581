import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { facetSlug } from '../../../src/lib/text/facet-slug.ts';
import { anyText } from '../../support/any-text.ts';

describe('the slug of a name', () => {
  it.each([
    ['In Depth', 'in-depth'],
    ['陈思', '陈思'],
    ['  Mei   Tan ', 'mei-tan'],
    ['Zoë O’Hara', 'zoe-o-hara'],
    ['C', 'c'],
    ['C++', 'c'],
    ['C#', 'c'],
    ['5G', '5g'],
    ['ＡＩ ①', 'ai-1'],
    ['Łódź & Αθήνα', 'łodz-αθηνα'],
    ['İstanbul', 'istanbul'],
    ['हिन्दी', 'हिन्दी'],
    ['한국', '한국'],
    ['심층 보도', '심층-보도'],
    ['深度報導', '深度報導'],
    ['ｶﾞｰﾃﾞﾝ', 'ガーデン'],
    ['ليلى حداد', 'ليلى-حداد'],
    ['ג׳ורג׳ לוי', 'ג-ורג-לוי'],
    ['Straßenbau in Köln', 'straßenbau-in-koln'],
    ['Élise Núñez São', 'elise-nunez-sao'],
    ['ガス', 'ガス'],
    ['葛\u{e0100}城', '葛城'],
    ['<b>"x"</b>', 'b-x-b'],
    ['🚀 Rockets ❤️', 'rockets'],
    ['a/b?c=d&e#f%20', 'a-b-c-d-e-f-20'],
  ])('of %s is %s', (name, slug) => {
    expect(facetSlug(name)).toBe(slug);
  });

  it.each(['', '?!', '🚀❤️', '\u0301', '\ufe0f', '\ud800', 'x'.repeat(5_000)])('does not exist for %j', (name) => {
    expect(facetSlug(name)).toBeNull();
  });

  it('has at most 100 characters, and no half of a surrogate pair', () => {
    expect(facetSlug('ab '.repeat(60))).toBe(`${'ab-'.repeat(33)}a`);
    expect(facetSlug(`${'a'.repeat(99)}𠮷`)).toBe('a'.repeat(99));
    expect(facetSlug(`${'a'.repeat(99)} b`)).toBe('a'.repeat(99));
    expect(facetSlug('ﷺ'.repeat(100))?.length).toBeLessThanOrEqual(100);
  });

  it('is idempotent, and consists of letters, digits and single hyphens', () => {
    fc.assert(
      fc.property(anyText(150), (name) => {
        const slug = facetSlug(name);
        if (slug === null) return;
        expect(facetSlug(slug)).toBe(slug);
        expect(slug).toMatch(/^[\p{L}\p{N}][\p{L}\p{N}\p{M}]*(?:-[\p{L}\p{N}][\p{L}\p{N}\p{M}]*)*$/u);
      }),
      { seed: 20261124, numRuns: 5_000 },
    );
  });
});
