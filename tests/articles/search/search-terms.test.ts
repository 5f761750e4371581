import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexedTerms, parseWordQuery } from '../../../src/articles/search/search-terms.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';

describe('indexedTerms', () => {
  it.each([
    ['Breaking: Chip Makers Cut 1.5% of Jobs', ['breaking', 'chip', 'makers', 'cut', '1', '5', 'of', 'jobs']],
    ['Zoë’s café: Ümit, naïve', ['zoes', 'cafe', 'umit', 'naive']],
    ['Straße Łódź İzmir ΑΘΉΝΑ', ['strasse', 'łodz', 'izmir', 'αθηνα']],
    ['央行下调利率', ['央行', '行下', '下调', '调利', '利率', '率']],
    ['2026年の東京', ['2026', '年の', 'の東', '東京', '京']],
    ['ＣＨＩＰ ｶﾒﾗ', ['chip', 'カメ', 'メラ', 'ラ']],
    ['한국은행 금리 인하', ['한국은행', '금리', '인하']],
    ['شَرِكَة الطاقة', ['شركة', 'الطاقة']],
    ['हिन्दी समाचार', ['हिन्दी', 'समाचार']],
    ['the the THE', ['the']],
    ['L’Élysée', ['lelysee', 'elysee']],
    ["O'Reilly", ['oreilly', 'reilly']],
    ['puisqu’Hélène dell’Europa', ['puisquhelene', 'helene', 'delleuropa', 'europa']],
    ['aujourd’hui Don’t', ['aujourdhui', 'dont']],
    ['Cœur', ['coeur']],
    ['— “…” !', []],
    ['❤️ Ferry ✈️', ['ferry']],
    ['Donau\u00addampf\u00adschiff', ['donaudampfschiff']],
    ['กรุง\u200bเทพ', ['กร', 'รุ', 'ุง', 'งเ', 'เท', 'ทพ', 'พ']],
  ])('splits %j', (title, terms) => {
    expect(indexedTerms(title)).toEqual(terms);
  });
});

describe('parseWordQuery', () => {
  const matches = (query: string, title: string) => parseWordQuery(query)?.matches(title) ?? false;

  it.each([
    ['chi mak', 'Chip Makers Cut Prices'],
    ['MAKERS chip', 'Chip Makers Cut Prices'],
    ['cafe', 'Café closes'],
    ['Café', 'A cafe closes'],
    ['dont', 'Don’t panic'],
    ['elysee', 'À l’Élysée'],
    ["l'elysee", 'À l’Élysée'],
    ["l'elysee", 'Palais Élysée'],
    ['oreilly', 'O’Reilly'],
    ['reilly', "O'Reilly"],
    ["it's", 'It’s done'],
    ['利率', '央行下调利率'],
    ['率', '央行下调利率'],
    ['下调利', '央行下调利率'],
    ['東京 2026', '2026年の東京'],
    ['กรุงเทพ', 'ข่าวกรุงเทพวันนี้'],
    ['курс', 'Курс рубля'],
  ])('finds by %j: %j', (query, title) => {
    expect(matches(query, title)).toBe(true);
  });

  it.each([
    ['akers', 'Chip Makers'],
    ['chip bank', 'Chip Makers'],
    ['行利', '央行下调利率'],
    ['下利率', '央行下调利率'],
  ])('does not find by %j: %j', (query, title) => {
    expect(matches(query, title)).toBe(false);
  });

  it('finds nothing to look for in a text without letters and digits', () => {
    expect(parseWordQuery('— !?')).toBeNull();
    expect(parseWordQuery('❤️ ✈️')).toBeNull();
    expect(parseWordQuery('')).toBeNull();
  });

  it('asks the index for terms of every title that it matches, whatever both are', () => {
    const piece = fc.oneof(
      anyText(8),
      fc.constantFrom('chip', '央行下调', 'กรุงเทพ', 'café', ' ', '年2026', 'x'.repeat(50)),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.nat(), fc.nat(), (pieces, from, length) => {
        const title = pieces.join('');
        const query = parseWordQuery(title.slice(from % (title.length + 1)).slice(0, length % 40));
        if (query === null || !query.matches(title)) return;
        const terms = indexedTerms(title);
        for (const { isPrefix, term } of query.terms) {
          expect(terms.some((one) => (isPrefix ? one.startsWith(term) : one === term))).toBe(true);
        }
      }),
    );
  });

  it('takes time in proportion to a long text', () => {
    for (const text of ['a'.repeat(100_000), '央'.repeat(100_000), 'a '.repeat(50_000), '\u0301'.repeat(100_000)]) {
      const time = processorTime(() => {
        parseWordQuery(text)?.matches(text);
        indexedTerms(text);
      });
      expect(time).toBeLessThan(1_000);
    }
  });
});
