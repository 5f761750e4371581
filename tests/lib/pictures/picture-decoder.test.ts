import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from 'node:process';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PICTURES, PictureDecoder } from '../../../src/lib/pictures/picture-decoder.ts';
import { animatedGif, blankPng, HTML, noise, picture, SVG } from '../../support/pictures.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const WEBP = { format: 'webp', width: 480 } as const;
const EMAIL = { format: 'jpeg', width: 1_200, maxBytes: 200_000 } as const;

describe('the picture decoder', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'avif'] as const)(
    'reads type and size of %s, by its content',
    async (format) => {
      const file = await picture(64, 48, format);
      expect(await PICTURES.inspect(file)).toEqual({
        kind: 'inspected',
        picture: { type: `image/${format}`, width: 64, height: 48 },
      });
      const rendered = await PICTURES.render(file, WEBP);
      // Never larger than the original.
      expect(await sizeOf(rendered)).toEqual({ format: 'webp', width: 64, height: 48 });
    },
  );

  it('reads files by their path, and says why it cannot', async () => {
    const path = join(temporaryFolder(), 'photo.jpg');
    writeFileSync(path, await picture(64, 48));
    expect(await PICTURES.inspect(path)).toMatchObject({ kind: 'inspected' });
    expect(await PICTURES.inspect(`${path}.gone`)).toEqual({ kind: 'rejected', reason: 'cannot be read (ENOENT)' });
  });

  it('measures a picture as it is displayed, also one that is too large to decode', async () => {
    const folder = temporaryFolder();
    const put = (name: string, bytes: Buffer) => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const turned = await sharp(await picture(60, 40))
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(await PICTURES.measure(put('turned.jpg', turned))).toMatchObject({ picture: { width: 40, height: 60 } });
    expect(await PICTURES.measure(put('wide.png', blankPng(20_000, 10)))).toMatchObject({ picture: { width: 20_000 } });
    expect(await PICTURES.measure(put('page.jpg', HTML))).toMatchObject({ kind: 'rejected' });
  });

  it('makes versions of the asked width, and at most ten times as tall', async () => {
    expect(await sizeOf(await PICTURES.render(await picture(1_000, 500), WEBP))).toMatchObject({
      width: 480,
      height: 240,
    });
    const tall = await sizeOf(await PICTURES.render(await picture(500, 9_000), WEBP));
    expect(tall).toMatchObject({ width: 267, height: 4_800 });
  });

  it('makes a JPEG of at most 200 KB for email, also of noise', async () => {
    const original = await noise(1_600, 1_200);
    expect(original.length).toBeGreaterThan(1_000_000);
    const rendered = await PICTURES.render(original, EMAIL);
    expect(rendered).toMatchObject({ kind: 'rendered' });
    const { width, format, size } = await sharp(bytesOf(rendered)).metadata();
    expect(format).toBe('jpeg');
    expect(size).toBeLessThanOrEqual(200_000);
    expect(width).toBeGreaterThan(400);
  });

  it('shows transparent parts as white in email', async () => {
    const create = { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const;
    const rendered = await PICTURES.render(await sharp({ create }).png().toBuffer(), EMAIL);
    const { data } = await sharp(bytesOf(rendered)).raw().toBuffer({ resolveWithObject: true });
    expect([...data.subarray(0, 3)]).toEqual([255, 255, 255]);
  });

  it('applies the rotation of the camera, and removes all metadata', async () => {
    const photo = await sharp(await picture(60, 40))
      .withExif({ IFD0: { Copyright: 'Ada Example' }, IFD3: { GPSLatitude: '52/1 31/1 0/1' } })
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(photo.includes('Ada Example')).toBe(true);
    expect(await PICTURES.inspect(photo)).toMatchObject({ picture: { width: 40, height: 60 } });
    for (const form of [WEBP, EMAIL]) {
      const bytes = bytesOf(await PICTURES.render(photo, form));
      expect(await sharp(bytes).metadata()).toMatchObject({ width: 40, height: 60 });
      expect((await sharp(bytes).metadata()).exif).toBeUndefined();
      expect(bytes.includes('Ada Example')).toBe(false);
    }
  });

  it('rejects what is no picture, or a hostile one, with the reason, and goes on', async () => {
    const whole = await noise(200, 200);
    const formats = 'not a JPEG, PNG, WebP, GIF or AVIF picture';
    const files: [Buffer, string][] = [
      [HTML, `is HTML, ${formats}`],
      [SVG, `is SVG, ${formats}`],
      [Buffer.alloc(0), `is an empty file, ${formats}`],
      [Buffer.from('%PDF-1.7'), `is PDF, ${formats}`],
      [await sharp(whole).tiff().toBuffer(), `is TIFF, ${formats}`],
      [Buffer.from('photo'), `is of an unknown format, ${formats}`],
      [whole.subarray(0, whole.length / 2), 'cannot be decoded: it is damaged or cut off'],
      [Buffer.concat([whole.subarray(0, 3), SVG]), 'cannot be decoded: it is damaged or cut off'],
      [blankPng(10_000, 10_000), 'has 100 megapixels; the limit is 40'],
      [blankPng(100_000, 1), 'has 100000 × 1 pixels; a side may have 16383'],
      [blankPng(16_384, 16_384), 'has 16384 × 16384 pixels; a side may have 16383'],
      [animatedGif(5_000), 'has 5000 frames; the limit is 1000'],
    ];
    const { pid } = PICTURES;
    for (const [file, reason] of files) {
      expect(file.length, reason).toBeLessThan(2_000_000);
      expect(await PICTURES.inspect(file)).toEqual({ kind: 'rejected', reason });
      expect(await PICTURES.render(file, WEBP)).toEqual({ kind: 'rejected', reason });
    }
    expect(await PICTURES.inspect(whole)).toMatchObject({ kind: 'inspected' });
    expect(await PICTURES.inspect(animatedGif(1_000))).toMatchObject({ kind: 'inspected' });
    expect(PICTURES.pid).toBe(pid);
  });

  it('kills its process when a picture takes too long, and decodes the next one in another process', async () => {
    const timeLimitMs = 61_000;
    const decoder = openDecoder({ timeLimitMs });
    const slow = await noise(1_600, 1_200);
    const { setTimeout } = globalThis;
    // The time of the first picture is over as soon as it begins.
    const timer = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((act: () => void, ms: number) => {
      const isFirst = ms === timeLimitMs && timer.mock.calls.filter(([, each]) => each === ms).length === 1;
      return setTimeout(act, isFirst ? 0 : ms);
    }) as typeof setTimeout);
    onTestFinished(() => timer.mockRestore());
    const results = await Promise.all([decoder.render(slow, EMAIL), decoder.inspect(HTML)]);
    expect(results[0]).toEqual({ kind: 'rejected', reason: 'takes longer than 61 s to decode' });
    expect(results[1]).toMatchObject({ reason: expect.stringContaining('is HTML') });
  });

  it('outlives its process, and gives it no secrets', async () => {
    process.env.DAYWIRE_TEST_SECRET = 'secret of the test';
    onTestFinished(() => void delete process.env.DAYWIRE_TEST_SECRET);
    const decoder = openDecoder({});
    expect(await decoder.inspect(HTML)).toMatchObject({ kind: 'rejected' });
    const pid = decoder.pid as number;
    if (process.platform === 'linux') {
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('secret of the test');
    }
    const inProgress = decoder.render(await noise(1_600, 1_200), WEBP);
    kill(pid, 'SIGKILL');
    expect(await inProgress).toEqual({
      kind: 'rejected',
      reason: 'cannot be decoded: it ended the process for pictures',
    });
    expect(await decoder.inspect(await picture(8, 8))).toMatchObject({ kind: 'inspected' });
    expect(decoder.pid).not.toBe(pid);
  });

  it('accepts no more pictures than it can decode soon', async () => {
    const decoder = openDecoder({ maxWaiting: 1 });
    const results = await Promise.all([1, 2, 3, 4].map(() => decoder.inspect(SVG)));
    expect(results.map(({ kind }) => kind)).toEqual(['rejected', 'rejected', 'busy', 'busy']);
  });

  it('ends its process when there is nothing to do', async () => {
    const decoder = openDecoder({ idleMs: 1 });
    await decoder.inspect(SVG);
    await expect.poll(() => decoder.pid).toBeNull();
  });
});

function openDecoder(limits: ConstructorParameters<typeof PictureDecoder>[0]): PictureDecoder {
  const decoder = new PictureDecoder(limits);
  onTestFinished(() => decoder.close());
  return decoder;
}

function bytesOf(result: Awaited<ReturnType<PictureDecoder['render']>>): Buffer {
  if (result.kind !== 'rendered') throw new Error(JSON.stringify(result));
  return result.bytes;
}

async function sizeOf(result: Awaited<ReturnType<PictureDecoder['render']>>) {
  const { format, width, height } = await sharp(bytesOf(result)).metadata();
  return { format, width, height };
}
