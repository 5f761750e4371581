import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editionPreheader, editionSubject, roundupHeadline } from '../../../src/editions/rendering/headline.ts';
import { graphemeCount, shorten } from '../../../src/editions/rendering/shorten.ts';

const say = (headline: string, shortHeadline: string | null = null) => ({ headline, shortHeadline });

describe('the headline of a roundup', () => {
  it('joins its two leading items by a comma, whole, however long', () => {
    const long = 'Nio nearly doubles in thirty days and passes General Motors in market value';
    expect(roundupHeadline([say(long), say('Guangdong power supply tightens in the heat')])).toBe(
      `${long}, Guangdong power supply tightens in the heat`,
    );
  });

  it('prefers the short headlines', () => {
    expect(roundupHeadline([say('A very long headline', 'Short'), say('Other')])).toBe('Short, Other');
  });

  it('drops the full stop that would stand before the comma', () => {
    expect(roundupHeadline([say('Cars sell.'), say('三星发布新品。')])).toBe('Cars sell, 三星发布新品');
  });

  it('is a single item where there is but one', () => {
    expect(roundupHeadline([say('Alone')])).toBe('Alone');
  });

  it('keeps two right-to-left items in their order, and drops characters that turn the rest of the line', () => {
    expect(roundupHeadline([say('שלום'), say('x\u202eevil')])).toBe('\u2068שלום\u2069, xevil');
  });
});

describe('the subject', () => {
  it('is the headline with the name of the roundup where that fits', () => {
    expect(editionSubject('Tech Roundup', [say('Nio passes GM'), say('Solar to pass wind')])).toBe(
      'Tech Roundup: Nio passes GM, Solar to pass wind',
    );
  });

  it('cuts at a word, with an ellipsis only where it cuts', () => {
    const subject = editionSubject('Tech Roundup', [
      say('Nio passes GM in market value'),
      say('Guangdong power supply tightens as hot weather drives demand'),
    ]);
    expect(subject).toBe('Tech Roundup: Nio passes GM in market value, Guangdong power supply…');
  });

  it('cuts both where both are long, and leaves the first a little more', () => {
    const subject = editionSubject('Tech Roundup', [
      say('Smartphone shipments jump by two thirds as chip shortage looms over makers'),
      say('Guangdong power supply tightens as hot weather drives demand'),
    ]);
    expect(subject).toBe('Tech Roundup: Smartphone shipments jump by two…, Guangdong power…');
  });

  it('keeps the second item whole where it is short', () => {
    const subject = editionSubject('Tech Roundup', [
      say('Smartphone shipments jump by two thirds as chip shortage looms over makers'),
      say('Nio passes GM'),
    ]);
    expect(subject).toBe('Tech Roundup: Smartphone shipments jump by two thirds…, Nio passes GM');
  });

  it('cuts Chinese between characters', () => {
    const subject = editionSubject('科技速览', [say('三'.repeat(50)), say('星'.repeat(50))]);
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

  it('never has more than 70 graphemes, nor a line break or a direction that reaches beyond an item', () => {
    fc.assert(
      fc.property(anyText, fc.array(story, { minLength: 1, maxLength: 2 }), (kicker, stories) => {
        const subject = editionSubject(kicker, stories);
        expect(graphemeCount(subject)).toBeLessThanOrEqual(70);
        expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
        expect(subject.isWellFormed()).toBe(true);
        expect(subject.split('\u2068').length).toBe(subject.split('\u2069').length);
        expect(roundupHeadline(stories)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
      }),
      { numRuns: 500 },
    );
  });

  it('is the whole headline whenever that has at most 70 graphemes', () => {
    const short = fc.record({
      headline: fc.string({ unit: 'grapheme-ascii', maxLength: 35 }),
      shortHeadline: fc.constant(null),
    });
    fc.assert(
      fc.property(fc.tuple(short, short), (stories) => {
        const whole = `Tech: ${roundupHeadline(stories)}`;
        if (graphemeCount(whole) <= 70) expect(editionSubject('Tech', stories)).toBe(whole);
      }),
      { numRuns: 500 },
    );
  });
});

describe('shortening', () => {
  it('leaves alone what fits, counted as readers count', () => {
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
  ])('cuts %j to %i as %j', (text, most, expected) => {
    expect(shorten(text, most)).toBe(expected);
  });

  it('gives the text or its beginning and an ellipsis, never longer than asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.integer({ min: 1, max: 60 }), (text, most) => {
        const short = shorten(text, most);
        expect(graphemeCount(short)).toBeLessThanOrEqual(most);
        if (short !== text) {
          expect(graphemeCount(text)).toBeGreaterThan(most);
          expect(text.startsWith(short.slice(0, -1)) && short.endsWith('…')).toBe(true);
        }
      }),
    );
  });
});

describe('the preheader', () => {
  it('is the first text that says anything, on one line', () => {
    expect(editionPreheader([null, ' \n', 'The dek\r\nof the lead.', 'Other'])).toBe('The dek of the lead.');
  });

  it('has at most 140 graphemes', () => {
    expect(graphemeCount(editionPreheader(['word '.repeat(60)]))).toBeLessThanOrEqual(140);
  });
});
