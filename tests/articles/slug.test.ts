import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SLUG, slugFrom, slugsFrom } from '../../src/articles/slug.ts';

describe('slugFrom and slugsFrom', () => {
  it.each([
    ['BYD’s Exports Rise 67.7%, Ministry Says', 'x', 'byds-exports-rise-67-7-ministry-says'],
    ['Café Société', 'x', 'cafe-societe'],
    ['Größere Straßen für Lüdenscheid', 'x', 'grossere-strassen-fur-ludenscheid'],
    ['Des œufs à la une', 'x', 'des-oeufs-a-la-une'],
    ['¿Qué pasó en São Paulo?', 'x', 'que-paso-en-sao-paulo'],
    ['Perché la città è più cara', 'x', 'perche-la-citta-e-piu-cara'],
    ['Ærø, Łódź og Đà Nẵng', 'x', 'aero-lodz-og-da-nang'],
    ['Vec<T> & AT&T “三星” 🚀', 'x', 'vec-t-at-t'],
    ['比亚迪 5G 手机出货量大增', 'byd-5g', 'byd-5g'],
    ['三星', 'A.b_c', 'a-b-c'],
    ['半導體出口創新高', 'zh-1', 'zh-1'],
    ['半導体の輸出が過去最高', 'ja-1', 'ja-1'],
    ['반도체 수출 사상 최고', 'ko-1', 'ko-1'],
    ['صادرات الرقائق ترتفع', 'ar-1', 'ar-1'],
    ['יצוא השבבים עלה', 'he-1', 'he-1'],
    ['!!!', 'x', 'x'],
  ])('make of headline %j and id %j the slug %j', (headline, id, slug) => {
    expect(slugFrom(headline, id)).toBe(slug);
  });

  it('cut a long headline between words', () => {
    const slug = slugFrom('Regulators Weigh Rules '.repeat(10), 'x');
    expect(slug.length).toBeLessThanOrEqual(80);
    expect(slug).toMatch(/(regulators|weigh|rules)$/);
  });

  it('append the id', () => {
    expect(slugsFrom('Charts of the Day', 'c-2', 'en').slice(0, 2)).toEqual([
      'charts-of-the-day',
      'charts-of-the-day-c-2',
    ]);
    expect(slugsFrom('三星', 'c-2', 'zh-Hans').slice(0, 2)).toEqual(['c-2', 'c-2']);
  });

  it.each([
    ['de', 'groessere-strassen-fuer-luedenscheid'],
    ['de-AT', 'groessere-strassen-fuer-luedenscheid'],
    ['sv', 'grossere-strassen-fur-ludenscheid'],
  ])('write umlauts as in %s', (language, slug) => {
    for (const form of ['NFC', 'NFD']) {
      expect(slugsFrom('Größere Straßen für Lüdenscheid'.normalize(form), 'x', language)[0]).toBe(slug);
    }
  });

  it('make a valid slug of any headline', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,30}$/),
        (headline, id) => {
          expect(slugFrom(headline, id)).toMatch(SLUG);
          for (const slug of slugsFrom(headline, id, 'de')) expect(slug).toMatch(SLUG);
        },
      ),
    );
  });
});
