import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines } from '../../../src/articles/import/json-lines.ts';
import type { SourceRecord } from '../../../src/articles/import/source-record.ts';

async function read(bytes: Buffer, chunk = bytes.length, longest?: number): Promise<SourceRecord[]> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunk) chunks.push(bytes.subarray(at, at + chunk));
  const pieces: SourceRecord[] = [];
  for await (const piece of readLines(chunks, longest)) pieces.push(piece);
  return pieces;
}

const texts = (pieces: SourceRecord[]): (string | [number, string])[] =>
  pieces.map(({ line, content }) => [line ?? 0, content.kind === 'text' ? content.text : content.kind]);

describe('JSON Lines', () => {
  it('are numbered from 1; blank ones count and are passed over, and the last needs no line end', async () => {
    const bytes = Buffer.from('\ufeff{"a":1}\r\n\n  \n{"b":"\u2028"}\n{"c":3}');
    expect(texts(await read(bytes))).toEqual([
      [1, '{"a":1}'],
      [4, '{"b":"\u2028"}'],
      [5, '{"c":3}'],
    ]);
  });

  it('come out the same however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n]/g, ''))),
        fc.integer({ min: 1, max: 9 }),
        async (lines, chunk) => {
          const bytes = Buffer.from(lines.join('\n'));
          const expected = lines.flatMap((text, index) => {
            const trimmed = text.replace(/^\ufeff/, '').trim();
            return trimmed === '' ? [] : [[index + 1, trimmed]];
          });
          expect(texts(await read(bytes, chunk))).toEqual(expected);
        },
      ),
    );
  });

  it('tell how many bytes have been read', async () => {
    const pieces = await read(Buffer.from('{}\n{"三":1}\n'), 4);
    expect(pieces.map((piece) => piece.readTo)).toEqual([3, 13]);
  });

  it('that are too long are told with their beginning, and the next one is read', async () => {
    const bytes = Buffer.from(`{"a":1}\n"${'三'.repeat(60_000)}"\n{"b":2}\n`);
    for (const chunk of [7, 1_000, bytes.length]) {
      const pieces = await read(bytes, chunk, 100);
      expect(texts(pieces)).toEqual([
        [1, '{"a":1}'],
        [2, 'unusable'],
        [3, '{"b":2}'],
      ]);
      const long = pieces[1]?.content;
      expect(long).toMatchObject({ rule: expect.stringMatching(/^is 180002 bytes long: an article may have 100/) });
      expect(long?.kind === 'unusable' && long.raw.startsWith('"三三三')).toBe(true);
    }
  });

  it('that are not UTF-8 are told with all their bytes, and the next one is read', async () => {
    const bytes = Buffer.concat([Buffer.from([0x22, 0xe9, 0x22, 0x0a]), Buffer.from('{}')]);
    const raw = `data:application/octet-stream;base64,${bytes.subarray(0, 3).toString('base64')}`;
    expect(await read(bytes)).toMatchObject([
      { line: 1, content: { kind: 'unusable', rule: 'is not UTF-8: write it as UTF-8', raw } },
      { line: 2, content: { kind: 'text', text: '{}' } },
    ]);
  });
});
