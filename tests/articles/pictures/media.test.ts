import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readImageHeader } from '../../../src/articles/pictures/image-header.ts';
import { inspectMedia } from '../../../src/articles/pictures/media.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import { markdown } from '../../support/articles.ts';
import { openMigrated } from '../../support/databases.ts';
import { picture } from '../../support/pictures.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { configWith, importMarkdown, messagesOf } from '../imports.ts';

const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))));

const PNG = bytes('\x89PNG\r\n\x1a\n', [0, 0, 0, 13], 'IHDR', [0, 0, 2, 128, 0, 0, 1, 224], [8, 6, 0, 0, 0]);
const GIF = bytes('GIF89a', [0x40, 0x01, 0xf0, 0x00, 0, 0, 0]);
const frame = (marker: number): number[] => [0xff, marker, 0, 17, 8, 1, 0xe0, 2, 0x80, 3];
const JPEG = bytes([0xff, 0xd8, 0xff, 0xe1, 0, 8], 'Exif\0\0', [0xff, 0xc4, 0, 2], [0xff, 0xff], frame(0xc2).slice(1));
const chunk = (name: string, ...rest: number[]): Buffer =>
  bytes('RIFF', [0, 0, 0, 0], 'WEBP', name, [0, 0, 0, 0], rest, [0, 0, 0, 0, 0, 0]);
const WEBP = {
  VP8X: chunk('VP8X', 0, 0, 0, 0, 0x7f, 0x02, 0, 0xdf, 0x01, 0),
  // 14 bits of width minus one, then 14 of height minus one.
  VP8L: chunk('VP8L', 0x2f, ...[0, 8, 16, 24].map((by) => (((480 - 1) * 0x4000 + (640 - 1)) >>> by) & 0xff)),
  'VP8 ': chunk('VP8 ', 0, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01),
};

describe('readImageHeader', () => {
  it.each([
    ['PNG', PNG, 'image/png', 640, 480],
    ['GIF', GIF, 'image/gif', 320, 240],
    ['JPEG with metadata before its frame', JPEG, 'image/jpeg', 640, 480],
    [
      'JPEG whose frame is beyond the bytes at hand',
      bytes([0xff, 0xd8, 0xff, 0xe0, 0xff, 0xff, 0, 0, 0, 0, 0]),
      'image/jpeg',
      null,
      null,
    ],
    ['WebP, extended', WEBP.VP8X, 'image/webp', 640, 480],
    ['WebP, lossless', WEBP.VP8L, 'image/webp', 640, 480],
    ['WebP, lossy', WEBP['VP8 '], 'image/webp', 640, 480],
    [
      'SVG',
      bytes('<?xml version="1.0"?><!-- <svg width="1"> --><svg xmlns="x" width="64px" height="48.4">'),
      'image/svg+xml',
      64,
      48,
    ],
    ['SVG that has only a view box', bytes('<svg viewBox="0 0 64 48" width="100%">'), 'image/svg+xml', 64, 48],
  ])('reads type and size of a %s', (_, head, type, width, height) => {
    expect(readImageHeader(head)).toEqual({ type, width, height });
  });

  it('reads the size of a JPEG as it is displayed, when a camera was held upright', async () => {
    for (const [orientation, upright] of [
      [1, false],
      [3, false],
      [5, true],
      [6, true],
      [8, true],
    ] as const) {
      const photo = await sharp(await picture(60, 40))
        .withMetadata({ orientation })
        .toBuffer();
      const [width, height] = upright ? [40, 60] : [60, 40];
      expect(readImageHeader(photo), String(orientation)).toEqual({ type: 'image/jpeg', width, height });
    }
  });

  it('reads hostile metadata of a JPEG', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom('II*\0', 'MM\0*', 'XX'), (rest, order) => {
        const exif = bytes('Exif\0\0', order, [...rest]);
        const file = bytes([0xff, 0xd8, 0xff, 0xe1, 0, exif.length + 2], exif.toString('latin1'), frame(0xc0));
        const sizes = [readImageHeader(file)?.width, readImageHeader(file)?.height].sort();
        expect(sizes).toEqual([480, 640]);
      }),
    );
  });

  it('finds no image in text, HTML or an empty file', () => {
    for (const text of ['', 'a', '<html><svg width="1">', '# <svg>'])
      expect(readImageHeader(Buffer.from(text))).toBeNull();
  });

  it('does not throw, whatever the bytes', () => {
    const start = fc.constantFrom(PNG, GIF, JPEG, ...Object.values(WEBP), Buffer.from('<svg '));
    fc.assert(
      fc.property(start, fc.nat(40), fc.uint8Array({ maxLength: 40 }), (head, cut, rest) => {
        expect(() => readImageHeader(Buffer.concat([head.subarray(0, cut), rest]))).not.toThrow();
      }),
    );
  });
});

describe('inspectMedia', () => {
  const publicUrl = 'https://news.example';

  function folder(): string {
    const outside = temporaryFolder();
    const media = join(outside, 'media');
    mkdirSync(join(media, 'a b'), { recursive: true });
    writeFileSync(join(media, 'a b/photo.jpg'), PNG);
    writeFileSync(
      join(media, 'big.jpg'),
      Buffer.concat([
        bytes([0xff, 0xd8]),
        ...Array(2).fill(Buffer.concat([bytes([0xff, 0xe2, 0xff, 0xff]), Buffer.alloc(65_533)])),
        bytes(frame(0xc0)),
      ]),
    );
    writeFileSync(join(media, 'talk.MP3'), 'ID3');
    writeFileSync(join(media, 'notes.xyz'), 'x');
    writeFileSync(join(outside, 'secret.png'), PNG);
    symlinkSync(join(outside, 'secret.png'), join(media, 'link.png'));
    return media;
  }

  it.each<[string, object]>([
    ['a%20b/photo.jpg', { kind: 'file', type: 'image/png', length: PNG.length, width: 640, height: 480 }],
    ['a%20b/photo.jpg?v=2#x', { kind: 'file', type: 'image/png', length: PNG.length, width: 640, height: 480 }],
    ['big.jpg', { kind: 'file', type: 'image/jpeg', length: 2 + 2 * 65_537 + 10, width: 640, height: 480 }],
    ['talk.MP3', { kind: 'file', type: 'audio/mpeg', length: 3, width: null, height: null }],
    ['notes.xyz', { kind: 'unusable', rule: 'has no known media type, by content or file name' }],
    ['none.png', { kind: 'unusable', rule: expect.stringMatching(/^not found in .*\(ENOENT\)$/) }],
    ['a%20b', { kind: 'unusable', rule: 'must name a file, not a folder' }],
  ])('inspects the file at %j', async (path, expected) => {
    expect(await inspectMedia(`${publicUrl}/media/${path}`, { publicUrl, folder: folder() })).toEqual(expected);
  });

  it.each(['..%2fsecret.png', 'a%20b/..%2f..%2fsecret.png', '..%5csecret.png', 'a%00.png', '%ff.png', '', 'link.png'])(
    'rejects %j, which names no file in the folder',
    async (path) => {
      expect(await inspectMedia(`${publicUrl}/media/${path}`, { publicUrl, folder: folder() })).toEqual({
        kind: 'unusable',
        rule: 'must name a file in the media folder',
      });
    },
  );

  it('treats URLs elsewhere, or without a media folder, as external', async () => {
    const external = { kind: 'external' };
    expect(await inspectMedia('https://other.example/media/a.png', { publicUrl, folder: '/' })).toEqual(external);
    expect(await inspectMedia(`${publicUrl}/media/a.png`, { publicUrl, folder: undefined })).toEqual(external);
    expect(await inspectMedia(`${publicUrl}/media/../etc/passwd`, { publicUrl, folder: '/' })).not.toMatchObject({
      kind: 'file',
    });
  });

  it('overrides type, length and size that an article states, and reports files that cannot be used', async () => {
    const store = await openMigrated();
    const config = configWith({ media: folder() });
    const keys = `headline: H
image: { url: "/media/a b/photo.jpg", alt: A, type: image/jpeg, length: 1, width: 9 }
enclosures: [{ url: /media/talk.MP3, title: Talk }]`;
    await importMarkdown(store, markdown(keys), { config });
    expect(await findArticle(store.db, 'story')).toMatchObject({
      image: {
        url: 'https://news.example/media/a%20b/photo.jpg',
        type: 'image/png',
        length: PNG.length,
        width: 640,
        height: 480,
      },
      enclosures: [{ type: 'audio/mpeg', length: 3, title: 'Talk' }],
    });
    const bad =
      'headline: H\nimage: { url: /media/talk.MP3 }\nenclosures:\n  - url: /media/../media/%2e%2e%2fsecret.png';
    expect(messagesOf(await importMarkdown(store, markdown(bad), { config })).problems).toEqual([
      'story.md:3: image.url is "/media/talk.MP3": must be an image, not audio/mpeg',
      'story.md:5: enclosures[0].url is "/media/../media/%2e%2e%2fsecret.png": must name a file in the media folder',
    ]);
    await store.close();
  });
});
