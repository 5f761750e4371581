import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLines, type SourceRecord } from '../../../../src/articles/import/files/json-lines.ts';

async function read(bytes: Buffer, chunk = bytes.length, maxBytes?: number): Promise<SourceRecord[]> {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunk) chunks.push(bytes.subarray(at, at + chunk));
  const records: SourceRecord[] = [];
  for await (const record of readLines(chunks, maxBytes)) records.push(record);
  return records;
}

const texts = (records: SourceRecord[]): (string | [number, string])[] =>
  records.map(({ line, content }) => [line ?? 0, content.kind === 'text' ? content.text : content.kind]);

describe('readLines', () => {
  it('numbers lines from 1, skips blank ones, and needs no line end after the last', async () => {
    const bytes = Buffer.from('\ufeff{"a":1}\r\n\n  \n{"b":"\u2028"}\n{"c":3}');
    expect(texts(await read(bytes))).toEqual([
      [1, '{"a":1}'],
      [4, '{"b":"\u2028"}'],
      [5, '{"c":3}'],
    ]);
  });

  it('yields the same lines for any split of the bytes', async () => {
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

  it('counts the bytes read', async () => {
    const records = await read(Buffer.from('{}\n{"三":1}\n'), 4);
    expect(records.map((record) => record.readTo)).toEqual([3, 13]);
  });

  it('yields the beginning of a line that is too long as unusable, and goes on', async () => {
    const bytes = Buffer.from(`{"a":1}\n"${'三'.repeat(60_000)}"\n{"b":2}\n`);
    for (const chunk of [7, 1_000, bytes.length]) {
      const records = await read(bytes, chunk, 100);
      expect(texts(records)).toEqual([
        [1, '{"a":1}'],
        [2, 'unusable'],
        [3, '{"b":2}'],
      ]);
      const long = records[1]?.content;
      expect(long).toMatchObject({ rule: expect.stringMatching(/^is 180002 bytes long; the limit is 100/) });
      expect(long?.kind === 'unusable' && long.raw.startsWith('"三三三')).toBe(true);
    }
  });

  it('yields a line that is not UTF-8 as unusable with all its bytes, and goes on', async () => {
    const bytes = Buffer.concat([Buffer.from([0x22, 0xe9, 0x22, 0x0a]), Buffer.from('{}')]);
    const raw = `data:application/octet-stream;base64,${bytes.subarray(0, 3).toString('base64')}`;
    expect(await read(bytes)).toMatchObject([
      { line: 1, content: { kind: 'unusable', rule: 'is not UTF-8: write it as UTF-8', raw } },
      { line: 2, content: { kind: 'text', text: '{}' } },
    ]);
  });
});
