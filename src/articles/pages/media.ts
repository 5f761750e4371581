/** The newsroom's own images and audio, from the folder `paths.media`. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import type { Context, Handler } from 'hono';
import { httpDate, isNotModified } from '../../web/server/conditional.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { findMedia, type MediaFile } from '../pictures/media.ts';

/** `/media/*`: files of the known types in the folder and below it. */
export function serveMedia(web: WebContext): Handler {
  return async (c) => {
    const file = await findMedia(web.config.paths.media, c.req.path.slice(`${web.base}/media/`.length));
    if (file === null) return c.text('File not found.\n', 404, { 'Cache-Control': 'no-store' });
    return respondFile(c, file, 'public, max-age=3600');
  };
}

export function respondFile(c: Context, file: MediaFile, cacheControl: string): Response {
  const etag = `"${file.size.toString(36)}-${file.modifiedAt.toString(36)}"`;
  const headers = {
    ETag: etag,
    'Last-Modified': httpDate(file.modifiedAt),
    'Cache-Control': cacheControl,
    // An SVG file that is opened by itself must not run scripts.
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
  };
  if (isNotModified(c.req.raw.headers, { etag, modifiedAt: file.modifiedAt })) return c.body(null, 304, headers);
  const type = file.type.startsWith('text/') ? `${file.type}; charset=utf-8` : file.type;
  const full = { ...headers, 'Content-Type': type, 'Content-Length': String(file.size) };
  if (c.req.method === 'HEAD' || file.size === 0) return c.body(null, 200, full);
  // No more than Content-Length, even if the file grows.
  const stream = Readable.toWeb(createReadStream(file.path, { end: file.size - 1 }));
  return c.body(stream as ReadableStream, 200, full);
}
