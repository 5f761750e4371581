/** The newsroom's own images and audio, from the folder `paths.media`, and smaller versions of its pictures. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Context, Handler } from 'hono';
import { PICTURES } from '../../lib/pictures/picture-decoder.ts';
import { RenditionCache } from '../../lib/pictures/rendition-cache.ts';
import { requestedRange } from '../../web/server/byte-range.ts';
import { httpDate, isNotModified } from '../../web/server/conditional.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { findMedia, type MediaFile } from '../pictures/media.ts';
import { RENDITION_FORMS } from '../pictures/renditions.ts';

/** `/media/*`: files of the known types in the folder and below it. */
export function serveMedia(web: WebContext): Handler {
  return async (c) => {
    const file = await findMedia(web.config.paths.media, c.req.path.slice(`${web.base}/media/`.length));
    if (file === null) return c.text('File not found.\n', 404, { 'Cache-Control': 'no-store' });
    return respondFile(c, file, 'public, max-age=3600');
  };
}

function respondFile(c: Context, file: MediaFile, cacheControl: string): Response {
  const etag = `"${file.size.toString(36)}-${file.modifiedAt.toString(36)}"`;
  const validators = { etag, modifiedAt: file.modifiedAt };
  const headers = {
    ETag: etag,
    'Last-Modified': httpDate(file.modifiedAt),
    'Cache-Control': cacheControl,
    // Podcast apps resume downloads, and play from the middle.
    'Accept-Ranges': 'bytes',
    // An SVG file that is opened by itself must not run scripts.
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
  };
  if (isNotModified(c.req.raw.headers, validators)) return c.body(null, 304, headers);
  const type = file.type.startsWith('text/') ? `${file.type}; charset=utf-8` : file.type;
  const full = { ...headers, 'Content-Type': type, 'Content-Length': String(file.size) };
  if (c.req.method === 'HEAD' || file.size === 0) return c.body(null, 200, full);
  const range = requestedRange(c.req.raw.headers, file.size, validators);
  if (range === 'none') {
    const refused = { 'Content-Range': `bytes */${file.size}`, 'Cache-Control': 'no-store' };
    return c.text(`The file has ${file.size} bytes: no range begins after them.\n`, 416, refused);
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  // No more than Content-Length, even if the file grows.
  const stream = Readable.toWeb(createReadStream(file.path, { start, end })) as ReadableStream;
  if (range === null) return c.body(stream, 200, full);
  return c.body(stream, 206, {
    ...full,
    'Content-Length': String(end - start + 1),
    'Content-Range': `bytes ${start}-${end}/${file.size}`,
  });
}

/** Files named by their content never change (articles/pictures/own-pictures.ts). */
const HASHED = /^imported\/[0-9a-f]{32}\.[a-z]+$/;
const FOREVER = 'public, max-age=31536000, immutable';
/** Others may be replaced under their name. */
const ONE_DAY = 'public, max-age=86400, stale-while-revalidate=604800';
/** Types of media that have smaller versions. The hash of a film would be a lot of work for nothing. */
const PICTURE_TYPES = /^image\/(?!svg)/;
/** Bytes of an original that is sent instead of a version that would have to wait: browsers do not ask again for it. */
const MAX_SENT_INSTEAD = 1_000_000;
const RETRY_AFTER_SECONDS = 5;

/** `/media/r/:form/*`. Other addresses below `/media/r/` are files in a folder of that name. */
export function serveRendition(web: WebContext): Handler {
  const { config, log } = web;
  const renditions = new RenditionCache({ folder: join(config.paths.data, 'renditions'), decoder: PICTURES, log });
  return async (c, next) => {
    const name = c.req.param('form') ?? '';
    const form = RENDITION_FORMS.get(name);
    if (form === undefined) return next();
    const path = c.req.path.slice(`${web.base}/media/r/${name}/`.length);
    const original = await findMedia(config.paths.media, path);
    const key = original === null || !PICTURE_TYPES.test(original.type) ? null : await renditions.keyOf(original, name);
    const noStore = { 'Cache-Control': 'no-store' };
    if (original === null || key === null) return c.text('File not found.\n', 404, noStore);
    const headers = { ETag: `"${key}"`, 'Cache-Control': HASHED.test(path) ? FOREVER : ONE_DAY };
    if (isNotModified(c.req.raw.headers, { etag: headers.ETag })) return c.body(null, 304, headers);
    const rendition = await renditions.get(original, key, form);
    switch (rendition.kind) {
      case 'busy':
        if (original.size <= MAX_SENT_INSTEAD) return respondFile(c, original, 'no-store');
        return c.text('Too many pictures are being prepared. Try again soon.\n', 503, {
          ...noStore,
          'Retry-After': String(RETRY_AFTER_SECONDS),
        });
      case 'unavailable':
        // Such as on a platform without the decoder: a large picture is better than none.
        return respondFile(c, original, 'public, max-age=60');
      case 'rejected':
        return c.text(`There is no smaller version: the file ${rendition.reason}.\n`, 404, noStore);
      case 'rendered':
        return c.body(new Uint8Array(rendition.bytes), 200, {
          ...headers,
          'Content-Type': `image/${form.format}`,
          'Content-Length': String(rendition.bytes.length),
        });
    }
  };
}
