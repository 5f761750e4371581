import fc from 'fast-check';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { type EncodedText, encodeAround, toBuffers } from '../../../src/delivery/message/transfer-encoding.ts';
import { runs } from '../../support/run-scope.ts';

/**
 * Text that is difficult to encode: dots, trailing spaces, long lines, other scripts, lines like boundaries or mbox
 * separators.
 */
const awkward = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.string({ unit: 'binary', maxLength: 30 }).map((text) => text.replaceAll('\r', '')),
      fc.constantFrom(
        '.',
        '..',
        '\n.',
        '\nFrom eve',
        'From ',
        ' \n',
        '\t\n',
        '\n\n',
        '=',
        '=\n',
        '=3D',
        '--',
        '\n--=_daywire_',
        'é',
      ),
      fc.constantFrom(
        'x'.repeat(75),
        'x'.repeat(76),
        'x'.repeat(77),
        'y'.repeat(3_000),
        '电'.repeat(700),
        'é'.repeat(76),
        'a '.repeat(90),
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const textsAndValues = fc.array(fc.record({ text: awkward, value: awkward }), { maxLength: 4 }).chain((pairs) =>
  fc.record({
    texts: fc.constant(pairs.map(({ text }) => text)).chain((texts) => awkward.map((last) => [...texts, last])),
    values: fc.constant(pairs.map(({ value }) => value)),
  }),
);

const whole = (encoded: EncodedText, values: string[]): string =>
  Buffer.concat(toBuffers([...encoded.first, ...encoded.rest(values)])).toString('latin1');

function interleaved(texts: string[], values: string[]): string {
  return texts.map((text, index) => (index === 0 ? text : (values[index - 1] as string) + text)).join('');
}

async function decoded(encoded: EncodedText, values: string[]): Promise<string> {
  const head = [
    'Content-Type: application/octet-stream',
    'Content-Disposition: attachment',
    `Content-Transfer-Encoding: ${encoded.encoding}`,
  ].join('\r\n');
  const mail = await simpleParser(Buffer.from(`${head}\r\n\r\n${whole(encoded, values)}`, 'latin1'));
  return mail.attachments[0]?.content.toString() ?? '';
}

describe('encodeAround', () => {
  it('returns a text that decodes to the given texts and values, with CR LF line ends', async () => {
    await fc.assert(
      fc.asyncProperty(textsAndValues, async ({ texts, values }) => {
        const encoded = encodeAround(texts);
        const expected = interleaved(
          texts.map((text) => text.replaceAll('\n', '\r\n')),
          values,
        );
        expect(await decoded(encoded, values)).toBe(Buffer.from(expected).toString());
      }),
      { numRuns: runs(300) },
    );
  });

  it('returns ASCII in lines of at most 76 octets, none of which begins with a dot, From or a boundary', () => {
    fc.assert(
      fc.property(textsAndValues, ({ texts, values }) => {
        const text = whole(encodeAround(texts), values);
        expect(text).not.toMatch(/[^\t\r\n\u0020-\u007e]/);
        const lines = text.split('\r\n');
        for (const line of lines) {
          expect(line).not.toMatch(/[\r\n]/);
          expect(line.length).toBeLessThanOrEqual(76);
          expect(line).not.toMatch(/^\.|^From |[\t ]$|=_/);
        }
      }),
      { numRuns: runs(300) },
    );
  });

  it('shares the texts in quoted-printable between copies', () => {
    const encoded = encodeAround(['Latin text. ', 'Latin text. '.repeat(900)]);
    const shared = (value: string) => encoded.rest([value]).filter((piece) => typeof piece !== 'string');
    expect(shared('a')).toHaveLength(1);
    expect(shared('d'.repeat(300))[0]).toBe(shared('a')[0]);
  });

  it('uses quoted-printable for mostly Latin text and base64 otherwise', () => {
    expect(encodeAround(['Ünter den Linden, said “AT&T”.', ' Yes']).encoding).toBe('quoted-printable');
    expect(encodeAround(['电池降价, said AT&T']).encoding).toBe('base64');
    expect(encodeAround(['']).encoding).toBe('quoted-printable');
  });
});
