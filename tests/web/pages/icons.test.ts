import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config/config.ts';
import { checkIcon } from '../../../src/web/pages/icons.ts';
import { openTestSite, type TestSite } from '../../app/test-site.ts';
import { openMigrated } from '../../support/databases.ts';
import { sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const RED = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 4"><path fill="#f00" d="M0 0h8v4H0z"/></svg>';
const PNGS: [path: string, size: number][] = [
  ...[48, 96, 144, 192, 512].map((size): [string, number] => [`/icons/${size}.png`, size]),
  ['/apple-touch-icon.png', 180],
];

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function configWith(icon: string | undefined): Config {
  const config = sampleConfig();
  const paths = { ...config.paths, media: folder };
  return { ...config, paths, publication: { ...config.publication, icon } };
}

async function openWith(icon: string | undefined): Promise<TestSite> {
  return openTestSite(await openMigrated(), configWith(icon));
}

async function bytesOf(site: TestSite, path: string): Promise<Buffer> {
  const response = await site.get(path);
  expect([path, response.status]).toEqual([path, 200]);
  return Buffer.from(await response.arrayBuffer());
}

/** The colour of a pixel, with its opacity. */
async function pixel(png: Buffer, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (y * info.width + x) * 4;
  return [...data.subarray(at, at + 4)];
}

describe('the icon of the site', () => {
  it.each(['the default', 'an SVG file', 'a PNG file'])('%s is served as PNG in all sizes', async (kind) => {
    writeFileSync(join(folder, 'icon.svg'), RED);
    writeFileSync(join(folder, 'icon.png'), await sharp(Buffer.from(RED)).resize(1_024).png().toBuffer());
    const site = await openWith({ 'an SVG file': 'icon.svg', 'a PNG file': 'icon.png' }[kind]);
    for (const [path, size] of PNGS) {
      const png = await bytesOf(site, path);
      const { format, width, height } = await sharp(png).metadata();
      expect([path, format, width, height]).toEqual([path, 'png', size, size]);
      if (kind === 'the default') continue;
      // Twice as wide as high: above and below it is transparent, and on a home screen white.
      expect(await pixel(png, size / 2, size / 2)).toEqual([255, 0, 0, 255]);
      expect(await pixel(png, 0, 0)).toEqual(path.startsWith('/apple') ? [255, 255, 255, 255] : [0, 0, 0, 0]);
    }
  });

  it('is a real ICO file with three pictures at /favicon.ico', async () => {
    const site = await openWith(undefined);
    const ico = await bytesOf(site, '/favicon.ico');
    expect([0, 2, 4].map((at) => ico.readUInt16LE(at))).toEqual([0, 1, 3]);
    for (const [index, size] of [16, 32, 48].entries()) {
      const entry = ico.subarray(6 + 16 * index, 22 + 16 * index);
      expect([entry[0], entry[1], entry.readUInt16LE(6)]).toEqual([size, size, 32]);
      const [length, offset] = [entry.readUInt32LE(8), entry.readUInt32LE(12)];
      const { format, width, channels } = await sharp(ico.subarray(offset, offset + length)).metadata();
      expect([format, width, channels]).toEqual(['png', size, 4]);
      if (index === 2) expect(offset + length).toBe(ico.length);
    }
  });

  it('is the file itself at /favicon.svg, which runs no script, and leads to a PNG without an SVG file', async () => {
    writeFileSync(join(folder, 'own icon.svg'), RED);
    writeFileSync(join(folder, 'icon.png'), await sharp(Buffer.from(RED)).png().toBuffer());
    const site = await openWith('own icon.svg');
    expect((await bytesOf(site, '/favicon.svg')).toString()).toBe(RED);
    expect((await site.get('/favicon.svg')).headers.get('Content-Security-Policy')).toMatch(
      /default-src 'none'.*sandbox/,
    );
    const { status, headers } = await (await openWith('icon.png')).get('/favicon.svg');
    expect([status, headers.get('Location')]).toEqual([302, '/icons/192.png']);
  });

  it('is cached for a day, and 304 to a client that has it', async () => {
    const site = await openWith(undefined);
    for (const path of ['/favicon.svg', '/favicon.ico', '/icons/48.png']) {
      const { headers } = await site.get(path);
      expect(headers.get('Cache-Control')).toBe('public, max-age=86400');
      const again = await site.get(path, { 'If-None-Match': headers.get('ETag') as string });
      expect([path, again.status, await again.text()]).toEqual([path, 304, '']);
    }
    expect((await site.get('/icons/47.png')).status).toBe(404);
  });

  it('follows a replaced file without a restart', async () => {
    writeFileSync(join(folder, 'icon.svg'), RED);
    const site = await openWith('icon.svg');
    expect(await pixel(await bytesOf(site, '/icons/48.png'), 24, 24)).toEqual([255, 0, 0, 255]);
    writeFileSync(join(folder, 'icon.svg'), RED.replace('#f00', '#00f'));
    expect(await pixel(await bytesOf(site, '/icons/48.png'), 24, 24)).toEqual([0, 0, 255, 255]);
  });

  it('is the default while its file is gone or broken, and the check says what would be right', async () => {
    const standard = await bytesOf(await openWith(undefined), '/icons/48.png');
    expect(await checkIcon(configWith(undefined))).toEqual([]);
    writeFileSync(join(folder, 'good.svg'), RED);
    expect(await checkIcon(configWith('good.svg'))).toEqual([]);
    writeFileSync(join(folder, 'page.svg'), '<!doctype html><title>x</title>');
    writeFileSync(join(folder, 'cut.png'), (await sharp(Buffer.from(RED)).png().toBuffer()).subarray(0, 60));
    for (const [icon, reason] of [
      ['gone.svg', `there is no such file in ${folder}`],
      ['page.svg', 'the file cannot be decoded: it is damaged or cut off; it must be an SVG or PNG picture'],
      ['cut.png', 'the file cannot be decoded: it is damaged or cut off; it must be an SVG or PNG picture'],
    ] as const) {
      expect(await checkIcon(configWith(icon))).toEqual([
        { kind: 'problem', message: `publication.icon is ${icon}: ${reason}` },
      ]);
      const site = await openWith(icon);
      expect(await bytesOf(site, '/icons/48.png')).toEqual(standard);
      expect((await bytesOf(site, '/favicon.svg')).toString()).toContain('<rect class="p"');
    }
  });

  it('includes no other file of the machine', async () => {
    writeFileSync(join(folder, 'secret.svg'), RED);
    const include = RED.replace(
      /<path.*<\/svg>/,
      `<image width="8" height="4" href="file://${folder}/secret.svg"/></svg>`,
    );
    writeFileSync(join(folder, 'icon.svg'), include);
    expect(await pixel(await bytesOf(await openWith('icon.svg'), '/icons/48.png'), 24, 24)).toEqual([0, 0, 0, 0]);
  });
});
