import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { type BodyCopy, prepareBody } from '../../../src/delivery/message/body.ts';
import { escapeHtml } from '../../../src/lib/text/html.ts';
import { runs } from '../../support/run-scope.ts';

const placeholders = ['unsubscribe'];
const TEXT = { texts: ['Text: ', '\nend\n'], placeholders };
const HTML = { texts: ['<a href="', '">Unsubscribe</a>'], placeholders };

function read(contentType: string, { chunks }: BodyCopy) {
  const raw = Buffer.concat([Buffer.from(`Content-Type: ${contentType}\r\n\r\n`), ...chunks]);
  return simpleParser(raw, { skipImageLinks: true });
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '"><script>',
    '\r\n.\r\n',
    '\r\n--=_daywire_0--\r\n',
    '.',
    'From x',
    ' ',
    'é'.repeat(99),
    '%%unsubscribe%%',
    '=3D',
  ),
);

describe('prepareBody', () => {
  const latin = prepareBody('0', { text: TEXT, html: HTML });
  const nonLatin = '电池降价'.repeat(9);
  const chinese = prepareBody('0', {
    text: { texts: [nonLatin, `\n${nonLatin}\n`], placeholders },
    html: { texts: [`${nonLatin}<a href="`, `">${nonLatin}</a>`], placeholders },
  });

  it('keeps every value within its line of the text, its attribute of the HTML, and its part', async () => {
    await fc.assert(
      fc.asyncProperty(hostile, async (value) => {
        const line = value.toWellFormed().replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
        const attribute = escapeHtml(value.toWellFormed()).replaceAll('\r\n', '\n');
        const mail = await read(latin.contentType, latin.copy({ unsubscribe: value }));
        expect(mail.text).toBe(`Text: ${line}\nend\n`);
        expect(mail.html).toBe(`<a href="${attribute}">Unsubscribe</a>`);
        const other = await read(chinese.contentType, chinese.copy({ unsubscribe: value }));
        expect(other.text).toBe(`${nonLatin}${line}\n${nonLatin}\n`);
        expect(other.html).toBe(`${nonLatin}<a href="${attribute}">${nonLatin}</a>`);
        expect([mail, other].flatMap(({ attachments }) => attachments)).toEqual([]);
      }),
      { numRuns: runs(200) },
    );
  });

  it('hashes all octets of each copy, in any order of copies', () => {
    for (const body of [latin, chinese]) {
      const copies = ['a', 'bb', 'ccc', ''].map((unsubscribe) => body.copy({ unsubscribe }));
      for (const copy of copies.reverse()) {
        expect(copy.hash()).toBe(createHash('sha256').update(Buffer.concat(copy.chunks)).digest('base64'));
      }
    }
  });

  it('begins every copy with the same Buffer and ends it with a complete line', () => {
    const [one, two] = [latin.copy({ unsubscribe: 'a' }), latin.copy({ unsubscribe: 'b' })];
    expect(one.chunks[0]).toBe(two.chunks[0]);
    expect(Buffer.concat(one.chunks).toString()).toMatch(/\r\n--=_daywire_0--\r\n$/);
  });

  it('throws if a placeholder has no value', () => {
    expect(() => latin.copy({})).toThrow('placeholder unsubscribe');
  });
});
