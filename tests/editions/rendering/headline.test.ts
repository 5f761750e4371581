import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  correctionSubject,
  editionPreheader,
  editionSubject,
  roundupHeadline,
} from '../../../src/editions/rendering/headline.ts';
import { localeOf } from '../../../src/lib/locale/locale.ts';
import { graphemeCount, shorten } from '../../../src/lib/text/shorten.ts';

const ENGLISH = localeOf('en', {});
const ARABIC = localeOf('ar', { ar: { 'subject.two': '{kicker}: {first}، {second}' } });
const CHINESE = localeOf('zh-Hans', {
  'zh-Hans': { 'subject.two': '{kicker}：{first}；{second}', 'subject.correction': '更正：{subject}' },
});
const item = (headline: string, shortHeadline: string | null = null) => ({ headline, shortHeadline });

describe('roundupHeadline', () => {
  it('joins two items of any length by a comma, without shortening them', () => {
    const long = 'Nio nearly doubles in thirty days and passes General Motors in market value';
    expect(roundupHeadline(ENGLISH, [item(long), item('Guangdong power supply tightens in the heat')])).toBe(
      `${long}, Guangdong power supply tightens in the heat`,
    );
  });

  it('prefers the short headlines', () => {
    expect(roundupHeadline(ENGLISH, [item('A very long headline', 'Short'), item('Other')])).toBe('Short, Other');
  });

  it('removes a full stop before the comma', () => {
    expect(roundupHeadline(ENGLISH, [item('Cars sell.'), item('三星发布新品。')])).toBe('Cars sell, 三星发布新品');
  });

  it('isolates right-to-left items, and removes characters that change the direction of the line', () => {
    expect(roundupHeadline(ENGLISH, [item('שלום'), item('x\u202eevil')])).toBe('\u2068שלום\u2069, xevil');
  });
});

describe('editionSubject', () => {
  it('has the punctuation of its language', () => {
    expect(editionSubject(CHINESE, '科技', [item('三星发布新品。'), item('Nio passes GM')])).toBe(
      '科技：三星发布新品；Nio passes GM',
    );
  });

  it('isolates Latin items of a right-to-left edition, and gives an item the direction of most of its letters', () => {
    expect(editionSubject(ARABIC, 'جولة', [item('Nio passes GM'), item('Apple تطلق هاتفا')])).toBe(
      'جولة: \u2068Nio passes GM\u2069، \u2067Apple تطلق هاتفا\u2069',
    );
    expect(editionSubject(ARABIC, 'جولة', [item('أخبار'), item('هواتف')])).toBe('جولة: أخبار، هواتف');
  });

  it('is the headline with the name of the roundup if that fits', () => {
    expect(editionSubject(ENGLISH, 'Tech Roundup', [item('Nio passes GM'), item('Solar to pass wind')])).toBe(
      'Tech Roundup: Nio passes GM, Solar to pass wind',
    );
  });

  it('cuts between words, with an ellipsis only where it cuts', () => {
    const subject = editionSubject(ENGLISH, 'Tech Roundup', [
      item('Nio passes GM in market value'),
      item('Guangdong power supply tightens as hot weather drives demand'),
    ]);
    expect(subject).toBe('Tech Roundup: Nio passes GM in market value, Guangdong power supply…');
  });

  it('cuts two long items, and gives the first more space', () => {
    const subject = editionSubject(ENGLISH, 'Tech Roundup', [
      item('Smartphone shipments jump by two thirds as chip shortage looms over makers'),
      item('Guangdong power supply tightens as hot weather drives demand'),
    ]);
    expect(subject).toBe('Tech Roundup: Smartphone shipments jump by two…, Guangdong power…');
  });

  it('cuts Chinese between characters', () => {
    const subject = editionSubject(ENGLISH, '科技速览', [item('三'.repeat(50)), item('星'.repeat(50))]);
    expect(graphemeCount(subject)).toBe(70);
    expect(subject).toMatch(/^科技速览: 三+…, 星+…$/);
  });

  const anyText = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 120 }),
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc
      .array(
        fc.constantFrom(
          '三星',
          'word',
          ' ',
          '\r\n',
          '\u2028',
          '🇨🇳',
          '👩‍👩‍👧',
          'é',
          'שלום',
          '\u202e',
          '$59.96',
          'Vec<T>',
          ',',
          '.',
        ),
      )
      .map((parts) => parts.join('')),
  );
  const story = fc.record({ headline: anyText, shortHeadline: fc.option(anyText) });

  it('never has more than 70 graphemes, a line break, or a text direction that extends beyond an item', () => {
    fc.assert(
      fc.property(anyText, fc.array(story, { minLength: 1, maxLength: 2 }), (kicker, stories) => {
        const subject = editionSubject(ENGLISH, kicker, stories);
        expect(graphemeCount(subject)).toBeLessThanOrEqual(70);
        expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
        expect(subject.isWellFormed()).toBe(true);
        expect(subject.split(/[\u2066-\u2068]/).length).toBe(subject.split('\u2069').length);
        expect(roundupHeadline(ENGLISH, stories)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
      }),
      { numRuns: 500 },
    );
  });
});

describe('correctionSubject', () => {
  it('says that it is a correction, once, in the language of the edition', () => {
    expect(correctionSubject(ENGLISH, 'Nio passes GM')).toBe('Correction: Nio passes GM');
    expect(correctionSubject(ENGLISH, 'CORRECTION to our figures')).toBe('CORRECTION to our figures');
    expect(correctionSubject(ENGLISH, 'Corrections officers strike')).toBe('Correction: Corrections officers strike');
    expect(correctionSubject(CHINESE, '更正：数字有误')).toBe('更正：数字有误');
    expect(correctionSubject(CHINESE, '数字有误')).toBe('更正：数字有误');
    const japanese = localeOf('ja', {});
    for (const said of ['【訂正】数字', '訂正：数字', '[訂正] 数字'])
      expect(correctionSubject(japanese, said)).toBe(said);
    expect(correctionSubject(japanese, '訂正印の話')).toBe('【訂正】訂正印の話');
    expect(correctionSubject(localeOf('ko', {}), '정정 보도')).toBe('정정 보도');
  });
});

describe('shorten', () => {
  it('counts graphemes, and does not change text that fits', () => {
    const families = '👩‍👩‍👧'.repeat(10);
    expect(shorten(families, 10)).toBe(families);
    expect(shorten(families, 9)).toBe(`${'👩‍👩‍👧'.repeat(8)}…`);
  });

  it.each([
    ['Alibaba sells goods for $74.1 billion', 28, 'Alibaba sells goods for…'],
    ['Alibaba sells goods — and more of it', 24, 'Alibaba sells goods…'],
    ['Shares rise 35%, others fall back', 18, 'Shares rise 35%…'],
    ['Supercalifragilisticexpialidocious', 10, 'Supercali…'],
    ['阿里巴巴，双十一销售额', 5, '阿里巴巴…'],
    ['阿里巴巴“双十一”销售额', 6, '阿里巴巴…'],
    ['Vec<T> & AT&T merge', 9, 'Vec<T>…'],
    ['广东电力供应趋紧', 6, '广东电力…'],
    ['ราคาน้ำมันเพิ่มขึ้น', 10, 'ราคาน้ำมัน…'],
    ['日本の半導体輸出', 7, '日本の半導体…'],
    ['कीमतें बढ़ीं फिर से', 10, 'कीमतें बढ़ीं फिर…'],
  ])('cuts %j to %i as %j', (text, limit, expected) => {
    expect(shorten(text, limit)).toBe(expected);
  });

  it('returns the text, or its beginning with an ellipsis, within the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.integer({ min: 1, max: 60 }), (text, limit) => {
        const short = shorten(text, limit);
        expect(graphemeCount(short)).toBeLessThanOrEqual(limit);
        if (short !== text) {
          expect(graphemeCount(text)).toBeGreaterThan(limit);
          expect(text.startsWith(short.slice(0, -1)) && short.endsWith('…')).toBe(true);
        }
      }),
    );
  });
});

describe('editionPreheader', () => {
  it('is the first text that is not blank, on one line', () => {
    expect(editionPreheader([null, ' \n', 'The dek\r\nof the lead.', 'Other'])).toBe('The dek of the lead.');
  });

  it('has at limit 140 graphemes', () => {
    expect(graphemeCount(editionPreheader(['word '.repeat(60)]))).toBeLessThanOrEqual(140);
  });
});
