/**
 * Files of the newsroom's own media folder: their true type, length and size, which feeds and emails must state.
 */
import { open, realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { type ImageHeader, readImageHeader } from './image-header.ts';

export type MediaInspection =
  | { kind: 'file'; type: string; length: number; width: number | null; height: number | null }
  /** Not below `<publication>/media/`: only its author knows. */
  | { kind: 'elsewhere' }
  | { kind: 'unusable'; rule: string };

const HEAD = 64 * 1024;
/** A JPEG's frame may stand behind the thumbnails and colour profiles of cameras. */
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
 * Looks at the file that is served under this address.
 * @param url absolute
 * @param from the publication's address without a slash at its end, and its media folder, if it has one
 */
export async function inspectMedia(
  url: string,
  from: { publicUrl: string; folder: string | undefined },
): Promise<MediaInspection> {
  const { publicUrl, folder } = from;
  const prefix = `${publicUrl}/media/`;
  if (folder === undefined || !url.startsWith(prefix)) return { kind: 'elsewhere' };
  const name = fileNameOf(url.slice(prefix.length));
  if (name === null) return { kind: 'unusable', rule: 'must lead to a file in the media folder' };
  try {
    const [root, path] = [await realpath(folder), await realpath(join(folder, name))];
    // A link in the folder could lead anywhere on this machine.
    if (!path.startsWith(root + sep)) return { kind: 'unusable', rule: 'must lead to a file in the media folder' };
    return await describe(path);
  } catch (error) {
    return { kind: 'unusable', rule: `there is no such file in ${folder} (${(error as NodeJS.ErrnoException).code})` };
  }
}

async function describe(path: string): Promise<MediaInspection> {
  // Before it is opened: opening a named pipe would wait for its writer.
  const stats = await stat(path);
  const { size } = stats;
  if (!stats.isFile()) return { kind: 'unusable', rule: 'must lead to a file, not a folder' };
  const header = await readHeader(path, size);
  const type = header?.type ?? TYPES[extname(path).toLowerCase()];
  if (type === undefined)
    return { kind: 'unusable', rule: 'neither its content nor its name tells a type that feeds know' };
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
