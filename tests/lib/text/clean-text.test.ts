import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  boundedLine,
  cleanLine,
  cleanText,
  cleanUrl,
  decodeUtf8,
  plainLine,
  resolveUrl,
  storableText,
} from '../../../src/lib/text/clean-text.ts';
import { processorTime } from '../../support/processor-time.ts';

// XML 1.0 §2.2 Char, without the characters that it discourages.
const XML = /^[\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const anyText = fc.string({ unit: 'binary' });

describe('cleaning text', () => {
  it('cuts a table of figures in a moment: the feed of another outlet may have thousands', () => {
    const took = processorTime(() => {
      for (const limit of [4_000, 5_000]) expect(boundedLine('1 '.repeat(limit), limit).length).toBeGreaterThan(3_990);
    });
    expect(took).toBeLessThan(2_000);
  });

  it('cuts a line that is too long before an ellipsis, and leaves no half of a character or direction', () => {
    expect(boundedLine(' abc\n def', 7)).toBe('abc def');
    expect(boundedLine('abcd ef', 6)).toBe('abcd…');
    expect(boundedLine('abc\u{1f600}de', 5)).toBe('abc…');
    expect(boundedLine('a\u2067bcdef\u2069', 5)).toBe('abc…');
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 20 }), (text, limit) => {
        const line = boundedLine(text, limit);
        expect(line.length).toBeLessThanOrEqual(limit);
        expect(cleanLine(line)).toBe(line);
      }),
    );
  });

  it('leaves only characters of XML 1.0, and is idempotent', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const clean = cleanText(text);
        expect(clean).toMatch(XML);
        expect(clean).not.toMatch(/\p{Noncharacter_Code_Point}/u);
        expect(cleanText(clean)).toBe(clean);
        expect(cleanLine(cleanLine(text))).toBe(cleanLine(text));
      }),
    );
  });

  it.each([
    ['a\u0000b\u0008c\u000bd\u001fe\u007f', 'abcde'],
    ['lone \ud83d surrogate', 'lone \ufffd surrogate'],
    ['\ufffea\uffff', 'a'],
    ['a\u0080b\u0085c\u009f', 'abc'],
    ['a\ufdd0b\ufdefc', 'abc'],
    ['a\u{1fffe}b\u{1ffff}c\u{10ffff}', 'abc'],
    ['\ufdcf\ufdf0\u{1fffd}\u{20000}', '\ufdcf\ufdf0\u{1fffd}\u{20000}'],
    ['a\r\nb\rc\td', 'a\nb\nc\td'],
    ['emoji 🚀 and 三星', 'emoji 🚀 and 三星'],
  ])('makes %j into %j', (text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  it('joins lines into one, and keeps the spaces that an editor chose', () => {
    expect(cleanLine(' a\r\n\tb  c\u2028d\u00a0\u3000')).toBe('a b c d');
    const chosen = 'Budget\u202f: 3\u00a0000\u00a0€, 首相\u3000辞任';
    for (const lineOf of [cleanLine, plainLine]) expect(lineOf(`\n${chosen} `)).toBe(chosen);
  });
});

describe('cleaning URLs', () => {
  it.each([
    ['https://example.com/a b', 'https://example.com/a%20b'],
    ['HTTP://EXAMPLE.com', 'http://example.com/'],
    ['https://example.com/\u0000a', 'https://example.com/a'],
    ['https://例え.jp/', 'https://xn--r8jz45g.jp/'],
    ['javascript:alert(1)', null],
    ['java\nscript:alert(1)', null],
    [' https://example.com/a\n b\t', 'https://example.com/a%20b'],
    ['java\u0000script:alert(1)', null],
    ['data:text/html,x', null],
    ['https://user:secret@example.com/', null],
    ['https://user@example.com/', null],
    ['/relative', null],
    ['', null],
  ])('makes %j into %j', (url, clean) => {
    expect(cleanUrl(url)).toBe(clean);
  });

  it.each([
    ['/media/a.jpg', 'https://example.com/news/media/a.jpg'],
    ['media/a.jpg', 'https://example.com/news/media/a.jpg'],
    ['//other.example/a', 'https://other.example/a'],
    ['/\\other.example/a', 'https://other.example/a'],
    ['https://other.example/a', 'https://other.example/a'],
    ['mailto:a@example.com', null],
  ])('resolves %j below a URL with a path to %j', (url, resolved) => {
    expect(resolveUrl(url, 'https://example.com/news')).toBe(resolved);
  });

  it('returns an http or https URL without credentials, or null, for any input', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.webUrl(),
          anyText.map((t) => `javascript:${t}`),
        ),
        (text) => {
          const url = resolveUrl(text, 'https://example.com');
          if (url === null) return;
          expect(url).toMatch(/^https?:\/\/[^\s"<>\\^`{|}]*$/);
          expect(new URL(url).username + new URL(url).password).toBe('');
        },
      ),
    );
  });
});

describe('storable text', () => {
  it('is the text itself, without a byte order mark', () => {
    expect(storableText('a “b” 三')).toBe('a “b” 三');
    expect(decodeUtf8(Buffer.from('\ufeffa'))).toBe('a');
  });

  it('contains all bytes of other input, and of text that PostgreSQL refuses', () => {
    for (const bytes of [Buffer.from([0x61, 0xe9, 0x00]), Buffer.from('a\u0000b')]) {
      const [, encoded] = /^data:application\/octet-stream;base64,(.*)$/.exec(storableText(bytes)) ?? [];
      expect(Buffer.from(encoded ?? '', 'base64')).toEqual(bytes);
    }
  });
});
