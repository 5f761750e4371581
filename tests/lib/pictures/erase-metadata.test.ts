import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { eraseMetadata } from '../../../src/lib/pictures/erase-metadata.ts';
import { animatedGif, SVG } from '../../support/pictures.ts';
import { runs } from '../../support/run-scope.ts';

const FORMATS = ['jpeg', 'png', 'webp', 'avif'] as const;
type Form = (typeof FORMATS)[number];

/** As from a camera, and then from a program. @param orientation of Exif */
async function photo(format: Form, orientation: number): Promise<Buffer> {
  const pixels = Buffer.from(Array.from({ length: 24 * 16 * 3 }, (_, index) => (index * 7_919) % 251));
  const pipeline = sharp(pixels, { raw: { width: 24, height: 16, channels: 3 } })
    .withIccProfile('p3')
    .withExif({ IFD0: { Artist: 'SECRET' }, IFD3: { GPSLatitude: '52/1 30/1 0/1' } })
    .withMetadata({ orientation })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET</x:xmpmeta>');
  const written = await pipeline.toFormat(format).toBuffer();
  if (format !== 'jpeg') return written;
  const segment = (marker: string, text: string): Buffer =>
    Buffer.concat([Buffer.from(marker, 'hex'), Buffer.from([0, text.length + 2]), Buffer.from(text)]);
  // IPTC, a comment, a second picture behind the first, as cameras write it.
  const iptc = segment('ffed', 'Photoshop 3.0\0SECRET');
  return Buffer.concat([written.subarray(0, 2), iptc, segment('fffe', 'SECRET'), written.subarray(2), written]);
}

/** What is kept of it. */
async function kept(bytes: Buffer) {
  const { icc, orientation, autoOrient } = await sharp(bytes).metadata();
  return { pixels: await sharp(bytes).raw().toBuffer(), icc, orientation: orientation ?? 1, autoOrient };
}

describe('eraseMetadata', () => {
  it.each(FORMATS)('leaves no metadata in a picture, and changes neither pixels nor length: %s', async (format) => {
    for (const orientation of [1, 6]) {
      const original = await photo(format, orientation);
      const erased = eraseMetadata(original);
      expect(original.includes('SECRET')).toBe(true);
      expect(erased.toString('latin1')).not.toMatch(/SECRET|adobe:ns/);
      if (orientation === 1 && format !== 'avif') expect((await sharp(erased).metadata()).exif).toBeUndefined();
      expect(erased.length).toBe(original.length);
      expect(await kept(erased)).toEqual(await kept(original));
      expect((await kept(erased)).icc?.length).toBeGreaterThan(100);
      expect((await kept(erased)).orientation).toBe(format === 'avif' ? 1 : orientation);
      expect(eraseMetadata(erased)).toEqual(erased);
    }
  });

  it('keeps the frames of an animation, and files of other types as they are', async () => {
    const frames = Buffer.from(Array.from({ length: 3 * 8 * 8 * 3 }, (_, index) => index % 251));
    const animated = await sharp(frames, { raw: { width: 8, height: 24, channels: 3, pageHeight: 8 } })
      .webp()
      .withXmp('<x>SECRET</x>')
      .toBuffer();
    const erased = eraseMetadata(animated);
    expect(erased.includes('SECRET')).toBe(false);
    expect((await sharp(erased, { animated: true }).metadata()).pages).toBe(3);
    for (const other of [animatedGif(2), Buffer.from(SVG), Buffer.from('text')]) {
      expect(eraseMetadata(other)).toEqual(other);
    }
  });

  it.each(FORMATS)('ends for every damaged picture, at most with a RangeError: %s', async (format) => {
    const original = await photo(format, 6);
    const damage = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.nat(original.length), (changes, length) => {
        const damaged = Buffer.from(original.subarray(0, length || original.length));
        for (const [at, value] of changes) if (at >= 16 && at < damaged.length) damaged[at] = value;
        try {
          expect(eraseMetadata(damaged)).toHaveLength(damaged.length);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it('ends for an AVIF picture with a box of no length', () => {
    const type = Buffer.from('\0\0\0\x18ftypavif\0\0\0\0avifmif1', 'latin1');
    const withoutLength = Buffer.from('\0\0\0\x01free\0\0\0\0\0\0\0\0', 'latin1');
    expect(eraseMetadata(Buffer.concat([type, withoutLength]))).toHaveLength(40);
  });
});
