/** Files in the newsroom's media folder, with the type, length and dimensions that feeds and emails state. */
import { realpath, stat } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { PictureDecoder } from '../../lib/pictures/picture-decoder.ts';
import { otherTypeName, pictureType, readHead } from '../../lib/pictures/picture-type.ts';
import type { Image } from '../article.ts';

/** The types that are served, by the end of the name. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.png': 'image/png', '.gif': 'image/gif' },
  ...{ '.webp': 'image/webp', '.avif': 'image/avif', '.svg': 'image/svg+xml' },
  ...{ '.mp3': 'audio/mpeg', '.m4a': 'audio/mp4', '.aac': 'audio/aac', '.ogg': 'audio/ogg', '.opus': 'audio/ogg' },
  ...{ '.wav': 'audio/wav', '.flac': 'audio/flac' },
  ...{ '.mp4': 'video/mp4', '.m4v': 'video/mp4', '.webm': 'video/webm', '.mov': 'video/quicktime' },
  ...{ '.pdf': 'application/pdf', '.epub': 'application/epub+zip', '.zip': 'application/zip' },
  ...{ '.csv': 'text/csv', '.txt': 'text/plain' },
};

/** The type of a file by the end of its name; undefined for one that is not served. */
export function mediaTypeOf(name: string): string | undefined {
  return TYPES[extname(name).toLowerCase()];
}

export interface MediaFile {
  path: string;
  /** By its name. */
  type: string;
  /** Bytes. */
  size: number;
  /** Epoch milliseconds. */
  modifiedAt: number;
}

/** The file at a path below `/media/`, or null. @param encoded as in the address */
export async function findMedia(folder: string | undefined, encoded: string): Promise<MediaFile | null> {
  const name = decode(encoded);
  const type = name === null ? undefined : mediaTypeOf(name);
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

/** Where the newsroom's media are. @param publicUrl without a trailing slash */
export interface MediaFolder {
  publicUrl: string;
  folder: string | undefined;
}

export type MediaInspection =
  | { kind: 'file'; type: string; length: number }
  /** Not below `<publication>/media/`. */
  | { kind: 'external' }
  | { kind: 'unusable'; rule: string };

/** Inspects the file that is served at a URL: its type by its content. @param url absolute */
export async function inspectMedia(url: string, from: MediaFolder): Promise<MediaInspection> {
  if (!isOwn(url, from)) return { kind: 'external' };
  const file = await findAt(url, from);
  if (file === null) {
    const rule = `must name a file in ${from.folder}, of a type that is served: ${Object.keys(TYPES).join(' ')}`;
    return { kind: 'unusable', rule };
  }
  const { path, type: named, size: length } = file;
  if (!named.startsWith('image/')) return { kind: 'file', type: named, length };
  const head = await readHead(path).catch(() => null);
  if (head === null) return { kind: 'unusable', rule: 'cannot be read' };
  const type = pictureType(head);
  if (type !== null) return { kind: 'file', type, length };
  const other = otherTypeName(head);
  if (other === 'SVG') return { kind: 'file', type: 'image/svg+xml', length };
  return { kind: 'unusable', rule: `must be a picture: the file is ${other}` };
}

/** Reads headers for imports, which do not wait for the pictures of pages. */
const HEADERS = new PictureDecoder();

/** The image with the dimensions of its file, if it is in the media folder. Null for those that cannot be read. */
export async function measureImage(image: Image | null, from: MediaFolder): Promise<Image | null> {
  if (image === null || !isOwn(image.url, from) || image.type === 'image/svg+xml') return image;
  const file = await findAt(image.url, from);
  const measured = file === null ? null : await HEADERS.measure(file.path);
  if (measured?.kind !== 'inspected') return image;
  const { width, height } = measured.picture;
  return { ...image, width, height };
}

function isOwn(url: string, { publicUrl, folder }: MediaFolder): boolean {
  return folder !== undefined && url.startsWith(`${publicUrl}/media/`);
}

function findAt(url: string, { publicUrl, folder }: MediaFolder): Promise<MediaFile | null> {
  return findMedia(folder, url.slice(`${publicUrl}/media/`.length).replace(/[?#].*$/s, ''));
}

function decode(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}
