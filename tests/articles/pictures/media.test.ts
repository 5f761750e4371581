import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectMedia } from '../../../src/articles/pictures/media.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import { markdown } from '../../support/articles.ts';
import { openMigrated } from '../../support/databases.ts';
import { HTML, picture, SVG } from '../../support/pictures.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { configWith, importMarkdown, messagesOf } from '../imports.ts';

describe('inspectMedia', () => {
  const publicUrl = 'https://news.example';

  let png: Buffer;
  beforeAll(async () => {
    png = await picture(64, 48, 'png');
  });

  function folder(): string {
    const outside = temporaryFolder();
    const media = join(outside, 'media');
    mkdirSync(join(media, 'a b'), { recursive: true });
    writeFileSync(join(media, 'a b/photo.jpg'), png);
    writeFileSync(join(media, 'chart.svg'), SVG);
    writeFileSync(join(media, 'page.jpg'), HTML);
    writeFileSync(join(media, 'talk.MP3'), 'ID3');
    writeFileSync(join(media, 'notes.xyz'), 'x');
    writeFileSync(join(outside, 'secret.png'), png);
    symlinkSync(join(outside, 'secret.png'), join(media, 'link.png'));
    return media;
  }

  it.each<[string, object]>([
    ['a%20b/photo.jpg?v=2#x', { kind: 'file', type: 'image/png', length: expect.any(Number) }],
    ['chart.svg', { kind: 'file', type: 'image/svg+xml', length: SVG.length }],
    ['talk.MP3', { kind: 'file', type: 'audio/mpeg', length: 3 }],
    ['page.jpg', { kind: 'unusable', rule: 'must be a picture: the file is HTML' }],
  ])('inspects the file at %j', async (path, expected) => {
    expect(await inspectMedia(`${publicUrl}/media/${path}`, { publicUrl, folder: folder() })).toEqual(expected);
  });

  it.each(['..%2fsecret.png', 'a%20b/..%2f..%2fsecret.png', '..%5csecret.png', 'a%00.png', '%ff.png', '', 'link.png'])(
    'rejects %j, which names no file in the folder',
    async (path) => {
      expect(await inspectMedia(`${publicUrl}/media/${path}`, { publicUrl, folder: folder() })).toEqual({
        kind: 'unusable',
        rule: expect.stringMatching(/^must name a file in .*, of a type that is served: \.jpg /),
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
enclosures: [{ url: /media/talk.MP3, title: Talk, duration: 1:02:03 }]
id: story`;
    await importMarkdown(store, markdown(keys), { config });
    expect(await findArticle(store.db, 'story')).toMatchObject({
      image: {
        url: 'https://news.example/media/a%20b/photo.jpg',
        type: 'image/png',
        length: png.length,
        width: 64,
        height: 48,
      },
      enclosures: [{ type: 'audio/mpeg', length: 3, title: 'Talk', duration: 3_723 }],
    });
    const bad =
      'headline: H\nimage: { url: /media/talk.MP3 }\nenclosures:\n  - url: /media/../media/%2e%2e%2fsecret.png\nid: story';
    expect(messagesOf(await importMarkdown(store, markdown(bad), { config })).warnings).toEqual([
      'story.md:3: image is left out: url must be an image, not audio/mpeg',
      expect.stringContaining('story.md:5: enclosures[0] is left out: url must name a file'),
    ]);
  });
});
