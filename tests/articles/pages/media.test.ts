import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import { listen } from '../../../src/web/server/listen.ts';
import { openTestSite, type TestSite } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';

describe('media', () => {
  let folder: string;
  let store: Store;
  let site: TestSite;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'daywire-media-'));
    const media = join(folder, 'media');
    mkdirSync(join(media, 'sub'), { recursive: true });
    writeFileSync(join(folder, 'secret.txt'), 'secret');
    writeFileSync(join(media, 'a.png'), 'PNG');
    writeFileSync(join(media, 'sub', 'café 100%.JPG'), 'JPG');
    writeFileSync(join(media, 'drawing.svg'), '<svg/>');
    writeFileSync(join(media, 'page.html'), '<script>1</script>');
    writeFileSync(join(media, '.hidden.png'), 'hidden');
    writeFileSync(join(media, 'empty.txt'), '');
    mkdirSync(join(media, 'folder.png'));
    symlinkSync(join(folder, 'secret.txt'), join(media, 'out.txt'));
    symlinkSync(join(media, 'a.png'), join(media, 'alias.png'));
    utimesSync(join(media, 'a.png'), 1_790_000_000, 1_790_000_000);
    store = await openMigrated();
    const config = sampleConfig();
    site = openTestSite(store, { ...config, paths: { ...config.paths, media } });
  });
  afterAll(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  it('is served with its type, and nosniff', async () => {
    const response = await site.get('/media/a.png');
    expect(await response.text()).toBe('PNG');
    expect(response.headers.get('Content-Type')).toBe('image/png');
    expect(response.headers.get('Content-Length')).toBe('3');
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=3600');
    expect(response.headers.get('Last-Modified')).toBe('Mon, 21 Sep 2026 14:13:20 GMT');
  });

  it('is found by names with spaces, accents and percent signs, and by symbolic links inside the folder', async () => {
    const response = await site.get(`/media/sub/${encodeURIComponent('café 100%.JPG')}`);
    expect(response.headers.get('Content-Type')).toBe('image/jpeg');
    expect(await response.text()).toBe('JPG');
    expect(await (await site.get('/media/alias.png')).text()).toBe('PNG');
    expect(await (await site.get('/media/empty.txt')).text()).toBe('');
  });

  it('has a policy that runs no scripts in an SVG file', async () => {
    const policy = (await site.get('/media/drawing.svg')).headers.get('Content-Security-Policy');
    expect(policy).toMatch(/sandbox/);
    expect(policy).not.toMatch(/script/);
  });

  it('is not sent again to a client that has it', async () => {
    const { headers } = await site.get('/media/a.png');
    const again = await site.get('/media/a.png', { 'If-None-Match': headers.get('ETag') as string });
    expect(again.status).toBe(304);
    const since = { 'If-Modified-Since': headers.get('Last-Modified') as string };
    expect((await site.get('/media/a.png', since)).status).toBe(304);
  });

  it('has a length but no body for HEAD', async () => {
    const response = await site.app.request('/media/a.png', { method: 'HEAD' });
    expect(response.headers.get('Content-Length')).toBe('3');
    expect(response.headers.get('Accept-Ranges')).toBe('bytes');
    expect(await response.text()).toBe('');
  });

  it('is sent in parts to a client that asks for some of its bytes', async () => {
    const part = await site.get('/media/a.png', { Range: 'bytes=1-' });
    expect([part.status, await part.text()]).toEqual([206, 'NG']);
    expect(part.headers.get('Content-Range')).toBe('bytes 1-2/3');
    expect(part.headers.get('Content-Length')).toBe('2');
    expect(part.headers.get('Content-Type')).toBe('image/png');
    const resumed = { Range: 'bytes=0-0', 'If-Range': part.headers.get('ETag') as string };
    expect(await (await site.get('/media/a.png', resumed)).text()).toBe('P');
    const replaced = await site.get('/media/a.png', { ...resumed, 'If-Range': '"other"' });
    expect([replaced.status, await replaced.text()]).toEqual([200, 'PNG']);
    const beyond = await site.get('/media/a.png', { Range: 'bytes=3-' });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('Content-Range')).toBe('bytes */3');
    expect((await site.get('/media/empty.txt', { Range: 'bytes=0-' })).status).toBe(200);
    const headers = { Range: 'bytes=0-0' };
    const head = await site.app.request('/media/a.png', { method: 'HEAD', headers });
    expect([head.status, head.headers.get('Content-Length')]).toEqual([200, '3']);
    const known = { ...headers, 'If-None-Match': part.headers.get('ETag') as string };
    expect((await site.get('/media/a.png', known)).status).toBe(304);
  });

  it.each([
    ['../secret.txt'],
    ['..%2fsecret.txt'],
    ['%2e%2e/secret.txt'],
    ['%252e%252e%252fsecret.txt'],
    ['sub/..%2f..%2fsecret.txt'],
    ['..%5csecret.txt'],
    ['%2Fetc%2Fhostname.txt'],
    ['/etc/hostname.txt'],
    ['out.txt'],
    ['page.html'],
    ['.hidden.png'],
    ['folder.png'],
    ['sub'],
    [''],
    ['none.png'],
    ['a.png%00'],
    ['a%00.png'],
    ['%E0%A4%A.png'],
    ['a.png/'],
  ])('does not serve %s', async (path) => {
    const response = await site.get(`/media/${path}`);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('secret\n');
  });

  it('is not found without a configured folder', async () => {
    const config = sampleConfig();
    const without = openTestSite(store, { ...config, paths: { ...config.paths, media: undefined } });
    expect((await without.get('/media/a.png')).status).toBe(404);
  });

  it('arrives complete over a socket', async () => {
    const big = Buffer.alloc(3_000_000, 'x');
    writeFileSync(join(folder, 'media', 'big.mp3'), big);
    const serving = await listen(site.app, { host: '127.0.0.1', port: 0 });
    const response = await fetch(`${serving.url}media/big.mp3`);
    expect(Buffer.from(await response.arrayBuffer()).equals(big)).toBe(true);
    await serving.close();
  });
});
