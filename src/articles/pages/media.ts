/**
 * The newsroom's own images and audio, from the folder `paths.media`.
 */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import type { Context, Handler } from 'hono';
import { httpDate, isNotModified } from '../../web/server/conditional.ts';
import type { WebContext } from '../../web/server/web-context.ts';

const TYPES: Record<string, string> = {
  '.avif': 'image/avif',
  '.gif': 'image/gif',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webp': 'image/webp',
  '.m4a': 'audio/mp4',
  '.mp3': 'audio/mpeg',
  '.ogg': 'audio/ogg',
  '.opus': 'audio/ogg',
  '.wav': 'audio/wav',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.csv': 'text/csv; charset=utf-8',
  '.pdf': 'application/pdf',
  '.txt': 'text/plain; charset=utf-8',
};

/** `/media/*`: files of the known types in the folder and below it. */
export function serveMedia(web: WebContext): Handler {
  return async (c) => {
    const file = await findMedia(web.config.paths.media, c.req.path.slice(`${web.base}/media/`.length));
    if (file === null) return c.text('File not found.\n', 404, { 'Cache-Control': 'no-store' });
    return respondFile(c, file, 'public, max-age=3600');
  };
}

export interface MediaFile {
  path: string;
  type: string;
  size: number;
  modifiedAt: number;
}

/** The file at a path below `/media/`, or null. @param encoded as in the address */
export async function findMedia(folder: string | undefined, encoded: string): Promise<MediaFile | null> {
  const name = decode(encoded);
  const type = name === null ? undefined : TYPES[extname(name).toLowerCase()];
  if (folder === undefined || name === null || type === undefined) return null;
  // No empty segments, no dot files (nor `..`), no backslash, no NUL.
  if (name.split('/').some((segment) => /^(?:$|\.)|[\\\0]/.test(segment))) return null;
  try {
    // Resolves symbolic links: they must not lead out of the folder.
    const [root, path] = await Promise.all([realpath(folder), realpath(join(folder, name))]);
    if (!path.startsWith(root + sep)) return null;
    const found = await stat(path);
    return found.isFile() ? { path, type, size: found.size, modifiedAt: Math.floor(found.mtimeMs) } : null;
  } catch {
    return null;
  }
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
  const full = { ...headers, 'Content-Type': file.type, 'Content-Length': String(file.size) };
  if (c.req.method === 'HEAD' || file.size === 0) return c.body(null, 200, full);
  // No more than Content-Length, even if the file grows.
  const stream = Readable.toWeb(createReadStream(file.path, { end: file.size - 1 }));
  return c.body(stream as ReadableStream, 200, full);
}

function decode(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}
