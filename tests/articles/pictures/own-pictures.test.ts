import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { importPaths } from '../../../src/articles/import/import.ts';
import { importChangedFiles } from '../../../src/articles/import/watched/watched-folders.ts';
import { checkMetadata } from '../../../src/articles/pictures/check-metadata.ts';
import { openOwnPictures } from '../../../src/articles/pictures/own-pictures.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import { openMigrated } from '../../support/databases.ts';
import { HTML, picture, SVG } from '../../support/pictures.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { configWith, messagesOf } from '../imports.ts';

const clock = () => Date.UTC(2026, 10, 27, 8);
const COPY = /^https:\/\/news\.example\/media\/imported\/[0-9a-f]{32}\.(?:jpg|png|svg)$/;

describe('pictures next to an article', () => {
  it('are copied to the media folder under a name of their content, and shown from there', async () => {
    const { store, config, posts, media, put, run } = await setUp();
    const photo = await picture(30, 20);
    mkdirSync(join(posts, '2026'));
    put('2026/photo one.jpg', photo);
    put('shared.png', await picture(8, 8, 'png'));
    put('2026/chart.svg', SVG);
    put(
      '2026/story.md',
      '---\nheadline: H\nimage: { url: "photo one.jpg", alt: A }\n---\n' +
        'Text ![B](<photo one.jpg>) ![C](../shared.png?x=1) <img src="chart.svg"> ![D](https://photos.example/d.jpg) ![E](/media/e.jpg)',
    );
    const report = await run();
    expect(messagesOf(report)).toEqual({ problems: [], warnings: [] });
    const article = await findArticle(store.db, 'story');
    const [first, second, third, ...others] = sourcesOf(article?.bodyHtml);
    expect([first, second, third]).toEqual(Array(3).fill(expect.stringMatching(COPY)));
    expect(others).toEqual(['https://photos.example/d.jpg', 'https://news.example/media/e.jpg']);
    expect(article?.image).toMatchObject({
      url: first,
      type: 'image/jpeg',
      length: photo.length,
      width: 30,
      height: 20,
    });
    expect(readdirSync(join(media, 'imported'))).toHaveLength(3);
    const copy = join(media, 'imported', first?.split('/').at(-1) ?? '');
    expect(readFileSync(copy)).toEqual(photo);

    // Importing again changes nothing, and completes what a crash has left; a changed picture has another address.
    writeFileSync(copy, photo.subarray(0, 10));
    expect(await run()).toMatchObject({ unchanged: 1 });
    expect(readFileSync(copy)).toEqual(photo);
    put('2026/photo one.jpg', await picture(31, 20));
    expect(await run()).toMatchObject({ updated: 1 });
    expect(sourcesOf((await findArticle(store.db, 'story'))?.bodyHtml)[0]).not.toBe(first);
    expect(config.paths.media).toBe(media);
    await store.close();
  });

  it('that cannot be used are removed with a warning, and the article stays', async () => {
    const { store, posts, put, run, folder } = await setUp();
    const photo = await picture(8, 8);
    writeFileSync(join(folder, 'outside.jpg'), photo);
    symlinkSync(join(folder, 'outside.jpg'), join(posts, 'link.jpg'));
    mkdirSync(join(posts, 'folder.jpg'));
    put('page.jpg', HTML);
    const names = ['gone.jpg', '../outside.jpg', 'link.jpg', 'folder.jpg', 'page.jpg', '%ff.jpg', 'a%00.jpg'];
    put('story.md', `---\nheadline: H\nimage: no.jpg\n---\nText.\n\n${names.map((name) => `![](${name})`).join('\n')}`);
    const report = await run();
    const path = join(posts, 'story.md');
    expect(messagesOf(report)).toEqual({
      problems: [],
      warnings: [
        `${path}:3: removed: picture "no.jpg" does not exist`,
        `${path}:5: removed: picture "gone.jpg" does not exist`,
        `${path}:5: removed: picture "../outside.jpg" is outside of the folder that is imported`,
        `${path}:5: removed: picture "link.jpg" is outside of the folder that is imported`,
        `${path}:5: removed: picture "folder.jpg" is not a file`,
        `${path}:5: removed: picture "page.jpg" is not a JPEG, PNG, WebP, GIF, AVIF or SVG picture`,
        `${path}:5: removed: picture "%ff.jpg" has an address that is not valid`,
        `${path}:5: removed: picture "a%00.jpg" has an address that is not valid`,
      ],
    });
    const article = await findArticle(store.db, 'story');
    expect(article?.image).toBeNull();
    expect(sourcesOf(article?.bodyHtml)).toEqual([]);
    await store.close();
  });

  it('are copied without metadata, also over a copy with it; check names those put there by hand', async () => {
    const { store, config, media, put, run } = await setUp();
    const photo = await sharp(await picture(30, 20))
      .withExif({ IFD0: { Artist: 'SECRET' } })
      .toBuffer();
    put('photo.jpg', photo);
    put('story.md', '---\nheadline: H\nimage: { url: photo.jpg, alt: A }\n---\nText.');
    await run();
    const [name = ''] = readdirSync(join(media, 'imported'));
    const copy = readFileSync(join(media, 'imported', name));
    expect([photo.includes('SECRET'), copy.includes('SECRET'), copy.length]).toEqual([true, false, photo.length]);
    expect(await checkMetadata(config)).toEqual([]);
    writeFileSync(join(media, 'imported', name), photo);
    for (let n = 0; n < 12; n++) writeFileSync(join(media, `by-hand-${10 + n}.jpg`), photo);
    writeFileSync(join(media, 'clean.jpg'), copy);
    const [found] = await checkMetadata(config);
    expect(found?.message).toContain('metadata of by-hand-10.jpg, by-hand-11.jpg, ');
    expect(found?.message).toContain('by-hand-19.jpg and 3 others');
    expect(found?.message).not.toContain('clean.jpg');
    expect(await run()).toMatchObject({ unchanged: 1 });
    expect(readFileSync(join(media, 'imported', name))).toEqual(copy);
    expect(await checkMetadata({ paths: { ...config.paths, media: join(media, 'none') } })).toEqual([]);
    await store.close();
  });

  it('need a media folder, and a single file has only those of its own folder', async () => {
    const { store, posts, put, folder } = await setUp();
    writeFileSync(join(folder, 'outside.jpg'), await picture(8, 8));
    put('photo.jpg', await picture(8, 8));
    put('story.md', '---\nheadline: H\n---\nText ![](photo.jpg) ![](../outside.jpg)');
    const story = join(posts, 'story.md');
    const report = await importPaths(store, configWith(), [story], { clock, undated: 'now' });
    expect(messagesOf(report).warnings).toEqual([
      `${story}:4: removed: picture "photo.jpg" cannot be shown: set paths.media in the configuration`,
      `${story}:4: removed: picture "../outside.jpg" is outside of the folder that is imported`,
    ]);
    await store.close();
  });

  it('are copied for watched folders too', async () => {
    const { store, config, posts, put } = await setUp();
    put('photo.jpg', await picture(8, 8));
    put('story.md', '---\nheadline: H\n---\nText ![](photo.jpg)');
    await importChangedFiles(store, config, [posts], { clock, undated: 'now' });
    expect(sourcesOf((await findArticle(store.db, 'story'))?.bodyHtml)).toEqual([expect.stringMatching(COPY)]);
    await store.close();
  });

  it('are no addresses of the site, of other servers, or of a text that is no file', async () => {
    const folder = temporaryFolder();
    const media = { publicUrl: 'https://news.example', folder };
    const pictures = openOwnPictures({ folder, root: folder }, media);
    const others = [
      'https://a.example/b.jpg',
      '//a.example/b.jpg',
      '/b.jpg',
      '\\b.jpg',
      '#b',
      '?b',
      '',
      'data:image/png,',
      'c:/b.jpg',
    ];
    expect(others.map((src) => pictures.urlOf(src))).toEqual(others.map(() => undefined));
    // A path below the publication without its slash, as before.
    expect(pictures.urlOf('media/b.jpg')).toBeUndefined();
    expect(pictures.problems).toEqual([]);
    expect(openOwnPictures(null, media).urlOf('b.jpg')).toBeUndefined();
  });
});

async function setUp() {
  const folder = temporaryFolder();
  const [posts, media] = [join(folder, 'posts'), join(folder, 'media')];
  mkdirSync(posts);
  mkdirSync(media);
  const store = await openMigrated();
  const config = configWith({ media });
  return {
    folder,
    posts,
    media,
    store,
    config,
    put: (name: string, content: string | Buffer) => writeFileSync(join(posts, name), content),
    run: () => importPaths(store, config, [posts], { clock, undated: 'now' }),
  };
}

function sourcesOf(html = ''): string[] {
  return [...html.matchAll(/<img src="([^"]*)"/g)].map(([, src = '']) => src);
}
