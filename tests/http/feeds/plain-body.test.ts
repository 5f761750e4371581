import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { plainBody } from '../../../src/http/feeds/plain-body.ts';

const MIB = 1024 * 1024;

/** A document of that size, with content of its own. */
function packed(size: number) {
  const body = Buffer.alloc(size, randomBytes(16));
  return { hash: body.toString('hex', 0, 16), size, codings: { gzip: gzipSync(body), br: Buffer.alloc(0) }, body };
}

describe('the plain form of a document', () => {
  it('is unpacked once for all who ask, and stays for those who come later', async () => {
    const document = packed(MIB);
    const [one, other] = await Promise.all([plainBody(document), plainBody(document)]);
    expect(one.equals(document.body)).toBe(true);
    expect(other).toBe(one);
    expect(await plainBody(document)).toBe(one);
  });

  it('leaves the memory when eight mebibytes of others have been asked for, or if it is larger itself', async () => {
    const [document, large] = [packed(MIB), packed(9 * MIB)];
    const first = await plainBody(document);
    expect((await plainBody(large)).equals(large.body)).toBe(true);
    expect(await plainBody(document)).toBe(first);
    for (let n = 0; n < 8; n++) await plainBody(packed(MIB));
    const again = await plainBody(document);
    expect(again).not.toBe(first);
    expect(again.equals(first)).toBe(true);
    expect(await plainBody(large)).not.toBe(await plainBody(large));
  });

  it('is asked for again after the stored form was damaged', async () => {
    const document = packed(10);
    const damaged = { ...document, codings: { ...document.codings, gzip: Buffer.from('damaged') } };
    await expect(plainBody(damaged)).rejects.toThrow(/incorrect header/);
    expect(await plainBody(document)).toEqual(document.body);
  });

  it('may be empty', async () => {
    expect(await plainBody(packed(0))).toEqual(Buffer.alloc(0));
  });
});
