import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { PICTURES } from '../../../src/lib/pictures/picture-decoder.ts';
import { RenditionCache } from '../../../src/lib/pictures/rendition-cache.ts';
import { openTestSite, type TestSite } from '../../app/test-site.ts';
import { article, saveAll } from '../../support/articles.ts';
import { openMigrated } from '../../support/databases.ts';
import { HTML, noise, SVG } from '../../support/pictures.ts';
import { sampleConfig } from '../../support/sample.ts';

describe('smaller versions of pictures', () => {
  let folder: string;
  let store: Store;
  let site: TestSite;
  let photo: Buffer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'daywire-media-'));
    const media = join(folder, 'media');
    mkdirSync(join(media, 'imported'), { recursive: true });
    mkdirSync(join(media, 'r'));
    photo = await noise(1_500, 1_000);
    writeFileSync(join(media, 'photo.jpg'), photo);
    writeFileSync(join(media, 'imported', `${'0'.repeat(32)}.jpg`), photo);
    writeFileSync(join(media, 'imported', 'busy.jpg'), await noise(20, 20));
    writeFileSync(join(media, 'large.jpg'), Buffer.concat([photo, Buffer.from('another file')]));
    writeFileSync(join(media, 'page.jpg'), HTML);
    writeFileSync(join(media, 'drawing.svg'), SVG);
    writeFileSync(join(media, 'film.mp4'), 'film');
    writeFileSync(join(media, 'r', 'plain.svg'), SVG);
    writeFileSync(join(folder, 'secret.jpg'), photo);
    store = await openMigrated();
    const config = sampleConfig();
    const paths = { ...config.paths, media, data: join(folder, 'var') };
    site = openTestSite(store, { ...config, paths });
    const url = `${config.publication.url}/media/photo.jpg`;
    await saveAll(store, [
      article('story', {
        image: { url, alt: 'A', credit: null, type: 'image/jpeg', length: photo.length, width: 1_500, height: 1_000 },
        bodyHtml: `<p>Text.</p><img src="${url}" alt="B" />`,
      }),
    ]);
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('are WebP of the widths that exist, and a JPEG of at most 200 KB', async () => {
    expect(photo.length).toBeGreaterThan(1_000_000);
    for (const width of [480, 800, 1_200, 1_600]) {
      const response = await site.get(`/media/r/${width}/photo.jpg`);
      expect(response.headers.get('Content-Type')).toBe('image/webp');
      const body = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get('Content-Length')).toBe(String(body.length));
      expect(await sharp(body).metadata()).toMatchObject({ format: 'webp', width: Math.min(width, 1_500) });
    }
    const jpeg = await site.get('/media/r/jpeg/photo.jpg');
    expect(jpeg.headers.get('Content-Type')).toBe('image/jpeg');
    expect((await jpeg.arrayBuffer()).byteLength).toBeLessThanOrEqual(200_000);
  });

  it('are kept by browsers for a day, and for good if the original never changes', async () => {
    const { headers } = await site.get('/media/r/480/photo.jpg');
    expect(headers.get('Cache-Control')).toBe('public, max-age=86400, stale-while-revalidate=604800');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    const again = await site.get('/media/r/480/photo.jpg', { 'If-None-Match': headers.get('ETag') as string });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const hashed = await site.get(`/media/r/480/imported/${'0'.repeat(32)}.jpg`);
    expect(hashed.headers.get('Cache-Control')).toBe('public, max-age=31536000, immutable');
    // The same content is rendered once.
    expect(hashed.headers.get('ETag')).toBe(headers.get('ETag'));
  });

  it('do not exist for other widths, files outside of the folder, and files that are no pictures', async () => {
    for (const path of ['481/photo.jpg', 'jpeg/none.jpg', '480/..%2f..%2fsecret.jpg', 'webp/photo.jpg', '480/']) {
      expect((await site.get(`/media/r/${path}`)).status, path).toBe(404);
    }
    const page = await site.get('/media/r/480/page.jpg');
    expect([page.status, page.headers.get('Cache-Control')]).toEqual([404, 'no-store']);
    expect(await page.text()).toContain('the file is HTML, not a JPEG, PNG, WebP, GIF or AVIF picture');
    expect((await site.get('/media/r/480/drawing.svg')).status).toBe(404);
    // A film may have gigabytes: not even its hash is computed.
    const hash = vi.spyOn(RenditionCache.prototype, 'keyOf');
    expect((await site.get('/media/r/480/film.mp4')).status).toBe(404);
    expect(hash).not.toHaveBeenCalled();
    hash.mockRestore();
    // A folder of that name.
    expect((await site.get('/media/r/plain.svg')).status).toBe(200);
  });

  it('are asked for again later when too many are being made, but small originals are sent at once', async () => {
    const busy = vi.spyOn(PICTURES, 'render').mockResolvedValue({ kind: 'busy' });
    const large = await site.get('/media/r/800/large.jpg');
    // Browsers do not ask again for a picture of a page.
    const small = await site.get('/media/r/800/imported/busy.jpg');
    busy.mockRestore();
    expect(large.status).toBe(503);
    expect(large.headers.get('Retry-After')).toBe('5');
    expect(large.headers.get('Cache-Control')).toBe('no-store');
    expect(small.status).toBe(200);
    expect(small.headers.get('Content-Type')).toBe('image/jpeg');
    expect(small.headers.get('Cache-Control')).toBe('no-store');
    const later = await site.get('/media/r/800/imported/busy.jpg');
    expect([later.status, later.headers.get('Content-Type')]).toEqual([200, 'image/webp']);
  });

  it('have a head without a body', async () => {
    const { headers } = await site.get('/media/r/480/imported/busy.jpg');
    const head = await site.app.request('http://127.0.0.1:8080/media/r/480/imported/busy.jpg', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const name of ['ETag', 'Content-Type', 'Content-Length', 'Cache-Control']) {
      expect(head.headers.get(name), name).toBe(headers.get(name));
    }
  });

  it('are the originals while there is no decoder', async () => {
    const reason = 'the process for pictures cannot be started';
    const none = vi.spyOn(PICTURES, 'render').mockResolvedValue({ kind: 'unavailable', reason });
    const response = await site.get('/media/r/1600/imported/busy.jpg');
    none.mockRestore();
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('image/jpeg');
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=60');
    expect(await sharp(await response.arrayBuffer()).metadata()).toMatchObject({ format: 'jpeg', width: 20 });
  });

  it('are what pages show, by paths and the smallest where pictures are small: no list has an original', async () => {
    const base = 'http://127.0.0.1:8080/media';
    const srcset = `${[480, 800, 1_200].map((w) => `/media/r/${w}/photo.jpg ${w}w`).join(', ')}, `;
    const all = `${srcset}/media/r/1600/photo.jpg 1500w" sizes=`;
    for (const path of ['/', '/articles/story']) {
      const html = await (await site.get(path)).text();
      expect(html).toContain(`<img src="/media/r/1200/photo.jpg" srcset="${all}`);
      if (path !== '/') expect(html).toContain(`<img src="${base}/r/1200/photo.jpg" loading="lazy" alt="B" />`);
      expect(html).not.toMatch(/(?<!r\/\w+)\/photo\.jpg/);
    }
    expect(await (await site.get('/articles/story')).text()).toContain(
      `<meta property="og:image" content="${base}/r/jpeg/photo.jpg">`,
    );
    const month = await site.read('/archive/2026-11');
    expect(month).toContain(`srcset="/media/r/thumb/photo.jpg 192w, ${all}"6rem"`);
  });
});
