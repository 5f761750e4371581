import { describe, expect, it } from 'vitest';
import { isDigest } from '../../../src/outlets/grouping/digests.ts';
import { titleLanguage } from '../../../src/outlets/grouping/language.ts';
import { summaryTerms, titleTerms } from '../../../src/outlets/grouping/terms.ts';
import { processorTime } from '../../support/processor-time.ts';

describe('the terms of a title', () => {
  it('are stems of its words, and its numbers, without stop words and possessive endings', () => {
    const terms = titleTerms("Northwind's banks were acquiring 2 rivals for $13.8 billion", 'en');
    expect([...terms]).toEqual(['northwind', 'bank', 'acquir', '2', 'rival', '13.8', 'billion']);
  });

  it('are stems of the language', () => {
    expect([...titleTerms('Häuser und Banken', 'de')]).toEqual([...titleTerms('Haus, Bank', 'de')]);
    expect([...titleTerms('Les banques', 'fr')]).toEqual([...titleTerms('La banque', 'fr')]);
  });

  it('are whole words in a language without stemmer', () => {
    expect([...titleTerms('Nordavind kaupir banka', 'is')]).toEqual(['nordavind', 'kaupir', 'banka']);
  });

  it('are words and pairs of characters in Chinese', () => {
    const terms = titleTerms('星河科技收购远图软件', 'zh');
    for (const term of ['收购', '软件', '远图', '星河']) expect(terms).toContain(term);
  });

  it('are runs of katakana, words and pairs of ideographs in Japanese, without particles', () => {
    const terms = titleTerms('ミナト電機が家電事業を売却', 'ja');
    for (const term of ['ミナト', '電機', '家電', '売却']) expect(terms).toContain(term);
    for (const particle of ['が', 'を']) expect(terms).not.toContain(particle);
  });

  it('are the same in full-width letters', () => {
    expect([...titleTerms('ＥＶ電池', 'ja')]).toEqual([...titleTerms('EV電池', 'ja')]);
  });

  it('are few, and found in linear time, however long a text is', () => {
    const words = Array.from({ length: 200_000 }, (_, index) => `word${index}`).join(' ');
    for (const text of [words, 'a'.repeat(1_000_000), '収'.repeat(1_000_000), '\ufdfa'.repeat(1_000_000)]) {
      const time = processorTime(() => {
        for (const language of ['en', 'zh', 'und']) {
          expect(titleTerms(text, language).size).toBeLessThanOrEqual(60);
          expect(summaryTerms(text, language).size).toBeLessThanOrEqual(60);
        }
        titleLanguage(text, 'en');
        isDigest(text);
      });
      expect(time).toBeLessThan(2_000);
    }
  });
});

describe('the language of a title', () => {
  it('is what its feed says', () => {
    expect(titleLanguage('Northwind buys Contoso', 'en-GB')).toBe('en');
    expect(titleLanguage('Northwind kauft Contoso', 'de')).toBe('de');
  });

  it('is told by its script where the feed is wrong', () => {
    expect(titleLanguage('星河科技收购远图软件', 'en')).toBe('zh');
    expect(titleLanguage('ミナト電機、EV電池を量産', 'en-US')).toBe('ja');
    expect(titleLanguage('Northwind buys Contoso', 'zh')).toBe('und');
  });

  it('is Japanese for ideographs alone only if the feed is', () => {
    expect(titleLanguage('日銀利上決定', 'ja')).toBe('ja');
    expect(titleLanguage('日銀利上決定', null)).toBe('zh');
  });

  it('is unknown without a tag that can be read', () => {
    for (const tag of [null, '', '__proto__', 'English', '1']) expect(titleLanguage('Northwind', tag)).toBe('und');
  });
});

describe('a digest', () => {
  it.each([
    '10 things you need to know this morning',
    'Five stories to read before the opening bell',
    'Morning links: Northwind, Contoso and more',
    'The Morning Briefing: Northwind, Contoso and more',
    'Market wrap: Northwind rises; Contoso falls',
    'Live: Northwind presents its new phone',
    'Northwind keynote: as it happened',
    '今日要闻：星河科技收购远图软件',
    '今日のニュースまとめ',
  ])('is told by its title: %s', (title) => {
    expect(isDigest(title)).toBe(true);
  });

  it.each([
    'BRIEF: Northwind to hire 1,000 people',
    '10 people hurt in fire at Contoso plant',
    'Contoso wraps up sale of its headlines business',
    'Live music venue Orlen Hall closes',
    'Social media links Northwind to Contoso',
    '三部门回应星河科技收购案',
  ])('is not a report of one event: %s', (title) => {
    expect(isDigest(title)).toBe(false);
  });
});
