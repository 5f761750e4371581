/** The site's icon, as browsers, feed readers and search engines ask for it. A replaced file needs no restart. */
import { readFile } from 'node:fs/promises';
import type { Context } from 'hono';
import { LRUCache } from 'lru-cache';
import { findMedia } from '../../articles/pictures/media.ts';
import type { Config } from '../../core/config/config.ts';
import { ICON_SIZES } from '../../core/config/site-view.ts';
import { type Finding, problem } from '../../core/finding.ts';
import { PICTURES, type RenderingResult } from '../../lib/pictures/picture-decoder.ts';
import { otherTypeName } from '../../lib/pictures/picture-type.ts';
import { sha256 } from '../../lib/sha256.ts';
import { isNotModified } from '../server/conditional.ts';
import type { AddRoutes } from '../server/web-context.ts';

const SVG = {
  'Content-Type': 'image/svg+xml',
  // A file of the newsroom that is opened by itself must not run scripts.
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
};
/** Pixels of the pictures in `/favicon.ico`. */
const ICO_SIZES = [16, 32, 48];

export const addIcons: AddRoutes = (site, { config, view, base }) => {
  const known = new LRUCache<string, Promise<RenderingResult>>({ max: 30 });
  const render = (icon: Buffer, width: number, background: string | null = null): Promise<RenderingResult> => {
    const key = `${sha256(icon)} ${width} ${background}`;
    const rendering = known.get(key) ?? PICTURES.render(icon, { format: 'png', width, background });
    known.set(key, rendering);
    // Try again when there is a process for pictures.
    rendering.then(({ kind }) => kind !== 'rendered' && kind !== 'rejected' && known.delete(key));
    return rendering;
  };
  /** The default in place of a file that is gone or broken. */
  const source = async (): Promise<Buffer> => {
    const own = await readIcon(config);
    if (own !== null && (await render(own, 48)).kind !== 'rejected') return own;
    return Buffer.from(defaultIcon(view.accent));
  };
  const png = async (width: number, background: string | null = null): Promise<Buffer | null> => {
    const rendered = await render(await source(), width, background);
    return rendered.kind === 'rendered' ? rendered.bytes : null;
  };
  site.get('/favicon.svg', async (c) => {
    const icon = await source();
    return otherTypeName(icon) === 'SVG' ? respond(c, icon, SVG) : c.redirect(`${base}/icons/192.png`, 302);
  });
  site.get('/favicon.ico', async (c) => {
    const pictures = await Promise.all(ICO_SIZES.map((size) => png(size)));
    return respond(c, writeIco(pictures), { 'Content-Type': 'image/x-icon' });
  });
  const type = { 'Content-Type': 'image/png' };
  // Home screens show what is transparent as black.
  site.get('/apple-touch-icon.png', async (c) => respond(c, await png(180, '#fff'), type));
  for (const size of ICON_SIZES) site.get(`/icons/${size}.png`, async (c) => respond(c, await png(size), type));
};

/** Checks that the icon of the configuration can be shown. */
export async function checkIcon(config: Config): Promise<Finding[]> {
  const { icon } = config.publication;
  if (icon === undefined) return [];
  const bytes = await readIcon(config);
  if (bytes === null) return [problem(`publication.icon is ${icon}: there is no such file in ${config.paths.media}`)];
  const result = await PICTURES.render(bytes, { format: 'png', width: 512, background: null });
  if (result.kind !== 'rejected') return [];
  return [problem(`publication.icon is ${icon}: the file ${result.reason}; it must be an SVG or PNG picture`)];
}

async function readIcon({ publication: { icon }, paths }: Config): Promise<Buffer | null> {
  const file = icon === undefined ? null : await findMedia(paths.media, encodeURIComponent(icon));
  return file === null ? null : readFile(file.path).catch(() => null);
}

/** A small front page. */
function defaultIcon({ light, dark }: { light: string; dark: string }): string {
  const darkMode = `@media(prefers-color-scheme:dark){.p{fill:#161513}.i{fill:#ece8e1}.a{fill:${dark}}}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<style>.p{fill:#fbfaf7}.i{fill:#1b1a18}.a{fill:${light}}${darkMode}</style>
<rect class="p" width="32" height="32" rx="5"/><rect class="a" x="5" y="6" width="22" height="5"/>
<path class="i" d="M5 14h10v3H5zM5 19h10v2H5zM5 23h10v2H5zM18 14h9v11h-9z"/>
</svg>
`;
}

/** An ICO file: a header, an entry of 16 bytes for each picture, and the pictures as PNG. All numbers little-endian. */
function writeIco(pictures: (Buffer | null)[]): Buffer | null {
  const all = pictures.filter((picture) => picture !== null);
  if (all.length < ICO_SIZES.length) return null;
  const head = Buffer.from([0, 0, 1, 0, all.length, 0, ...Array(16 * all.length).fill(0)]);
  let offset = head.length;
  for (const [index, picture] of all.entries()) {
    const size = ICO_SIZES[index] as number;
    // Width, height, no palette, one plane, 32 bits a pixel.
    head.set([size, size, 0, 0, 1, 0, 32, 0], 6 + 16 * index);
    head.writeUInt32LE(picture.length, 14 + 16 * index);
    head.writeUInt32LE(offset, 18 + 16 * index);
    offset += picture.length;
  }
  return Buffer.concat([head, ...all]);
}

/** @param bytes null while pictures cannot be rendered */
function respond(c: Context, bytes: Buffer | null, headers: Record<string, string>): Response {
  if (bytes === null) return c.text('Try again soon.\n', 503, { 'Cache-Control': 'no-store', 'Retry-After': '10' });
  const shared = { ...headers, ETag: `"${sha256(bytes).slice(0, 20)}"`, 'Cache-Control': 'public, max-age=86400' };
  if (isNotModified(c.req.raw.headers, { etag: shared.ETag })) return c.body(null, 304, shared);
  return c.body(bytes as Buffer<ArrayBuffer>, 200, shared);
}
