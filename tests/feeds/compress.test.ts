import { randomBytes } from 'node:crypto';
import { brotliDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compress, decompress } from '../../src/feeds/compress.ts';

describe('compressing a document', () => {
  it('keeps its bytes in both codings, and takes no more memory than these', async () => {
    const sizes = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200_000 }));
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (size, isRandom) => {
        const body = isRandom ? randomBytes(size) : Buffer.alloc(size, 'words ');
        const { gzip, br } = await compress(body);
        expect((await decompress(gzip, size)).equals(body)).toBe(true);
        expect(brotliDecompressSync(br).equals(body)).toBe(true);
        for (const form of [gzip, br]) expect(form.buffer.byteLength).toBe(form.length);
      }),
      { numRuns: 50 },
    );
  });

  it('is not undone to a body of another size', async () => {
    const { gzip } = await compress(Buffer.from('words'));
    await expect(decompress(gzip, 6)).rejects.toThrow('the document has 5 bytes instead of 6');
    await expect(decompress(gzip, 4)).rejects.toThrow('the document has 5 bytes instead of 4');
    await expect(decompress(gzip.subarray(0, 12), 5)).rejects.toThrow(/unexpected end of file/);
  });
});
