/** Determines type, length and dimensions of files in the newsroom's media folder, which feeds and emails state. */
import { open, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { type ImageHeader, readImageHeader } from './image-header.ts';

export type MediaInspection =
  | { kind: 'file'; type: string; length: number; width: number | null; height: number | null }
  /** Not below `<publication>/media/`. */
  | { kind: 'external' }
  | { kind: 'unusable'; rule: string };

/** Bytes that are read of a file. */
const HEAD = 64 * 1024;
/** Cameras write thumbnails and colour profiles before a JPEG's frame. */
const DEEP_HEAD = 1024 * 1024;

const TYPES: Record<string, string> = {
  '.avif': 'image/avif',
  '.mp3': 'audio/mpeg',
  '.m4a': 'audio/mp4',
  '.aac': 'audio/aac',
  '.ogg': 'audio/ogg',
  '.opus': 'audio/ogg',
  '.wav': 'audio/wav',
  '.flac': 'audio/flac',
  '.mp4': 'video/mp4',
  '.m4v': 'video/mp4',
  '.webm': 'video/webm',
  '.mov': 'video/quicktime',
  '.pdf': 'application/pdf',
  '.epub': 'application/epub+zip',
  '.csv': 'text/csv',
  '.zip': 'application/zip',
};

/**
 * Inspects the file that is served at a URL.
 * @param url absolute
 * @param from.publicUrl without a trailing slash
 */
export async function inspectMedia(
  url: string,
  from: { publicUrl: string; folder: string | undefined },
): Promise<MediaInspection> {
  const { publicUrl, folder } = from;
  const prefix = `${publicUrl}/media/`;
  if (folder === undefined || !url.startsWith(prefix)) return { kind: 'external' };
  const name = fileNameOf(url.slice(prefix.length));
  if (name === null) return { kind: 'unusable', rule: 'must name a file in the media folder' };
  try {
    const [root, path] = [await realpath(folder), await realpath(join(folder, name))];
    // A symbolic link could point anywhere on this machine.
    if (!path.startsWith(root + sep)) return { kind: 'unusable', rule: 'must name a file in the media folder' };
    return await describe(path);
  } catch (error) {
    return { kind: 'unusable', rule: `not found in ${folder} (${(error as NodeJS.ErrnoException).code})` };
  }
}

async function describe(path: string): Promise<MediaInspection> {
  // Before opening it: opening a named pipe waits for a writer.
  const stats = await stat(path);
  const { size } = stats;
  if (!stats.isFile()) return { kind: 'unusable', rule: 'must name a file, not a folder' };
  const header = await readHeader(path, size);
  const type = header?.type ?? TYPES[extname(path).toLowerCase()];
  if (type === undefined) return { kind: 'unusable', rule: 'has no known media type, by content or file name' };
  return { kind: 'file', type, length: size, width: header?.width ?? null, height: header?.height ?? null };
}

async function readHeader(path: string, size: number): Promise<ImageHeader | null> {
  const header = readImageHeader(await readHead(path, Math.min(size, HEAD)));
  const deeper = header?.type === 'image/jpeg' && header.width === null && size > HEAD;
  return deeper ? readImageHeader(await readHead(path, Math.min(size, DEEP_HEAD))) : header;
}

async function readHead(path: string, length: number): Promise<Buffer> {
  await using file = await open(path);
  const head = Buffer.alloc(length);
  const { bytesRead } = await file.read(head, 0, length, 0);
  return head.subarray(0, bytesRead);
}

function fileNameOf(path: string): string | null {
  let name: string;
  try {
    name = decodeURIComponent(path.replace(/[?#].*$/s, ''));
  } catch {
    return null;
  }
  const parts = name.split(/[/\\]/);
  return name.includes('\u0000') || parts.some((part) => part === '' || part === '.' || part === '..') ? null : name;
}
