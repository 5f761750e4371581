/**
 * Pictures next to an article's file: they are copied into the media folder, where pages and feeds can show them,
 * without the metadata of cameras and programs. Runs in the thread that parses articles, so it may block.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { eraseMetadata } from '../../lib/pictures/erase-metadata.ts';
import { otherTypeName, pictureType } from '../../lib/pictures/picture-type.ts';
import { sha256 } from '../../lib/sha256.ts';
import { shorten } from '../../lib/text/shorten.ts';
import type { MediaFolder } from './media.ts';

/** Where the pictures of an article may be. Absolute paths. */
export interface PictureFolder {
  /** Folder of the article's file, where relative addresses start. */
  folder: string;
  /** The folder that is imported. No address or link reads a file outside of it. */
  root: string;
}

export interface OwnPictures {
  /**
   * The address at which a picture is shown.
   * @param src as written in the article
   * @returns undefined for an address that is not relative to the file; null for a picture that cannot be used
   */
  urlOf(src: string): string | null | undefined;
  /** Why pictures cannot be used. */
  readonly problems: string[];
}

/** Folder of the copies, in the media folder. */
export const MEDIA_COPIES = 'imported';
const MAX_BYTES = 64 * 1024 * 1024;
const EXTENSIONS: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/svg+xml': 'svg',
};

class UnusablePictureError extends Error {}

/**
 * Copies the pictures that are asked for. A copy is named by its content: the same picture is copied once, and a
 * changed one gets another address.
 * @param from null for a text that is no file: no address is relative to it
 */
export function openOwnPictures(from: PictureFolder | null, media: MediaFolder): OwnPictures {
  const known = new Map<string, string | null>();
  const problems: string[] = [];
  const find = (src: string, place: PictureFolder): string | null => {
    try {
      return `${media.publicUrl}/media/${MEDIA_COPIES}/${copyPicture(pathOf(src), place, media.folder)}`;
    } catch (error) {
      problems.push(`picture ${JSON.stringify(shorten(src, 80))} ${reasonOf(error)}`);
      return null;
    }
  };
  return {
    problems,
    urlOf(src) {
      const written = src.trim();
      if (from === null || !isRelative(written)) return undefined;
      // Also a path below the publication, without its slash: those of its media folder.
      if (written.startsWith('media/') && !existsSync(join(from.folder, 'media'))) return undefined;
      let url = known.get(written);
      if (url === undefined) {
        url = find(written, from);
        known.set(written, url);
      }
      return url;
    },
  };
}

/** Not a URL, not a path of the site, not a part of the page. */
function isRelative(src: string): boolean {
  return src !== '' && !/^(?:[a-z][a-z0-9+.-]*:|[/\\#?])/i.test(src);
}

function pathOf(src: string): string {
  try {
    return decodeURIComponent(src.replace(/[?#].*$/s, ''));
  } catch {
    throw new UnusablePictureError('has an address that is not valid');
  }
}

/** @returns the name of the copy */
function copyPicture(path: string, { folder, root }: PictureFolder, mediaFolder: string | undefined): string {
  const original = locate(path, folder, root);
  if (mediaFolder === undefined)
    throw new UnusablePictureError('cannot be shown: set paths.media in the configuration');
  const { size } = statSync(original);
  if (size > MAX_BYTES) throw new UnusablePictureError(`is ${size} bytes long; the limit is ${MAX_BYTES}`);
  const written = readFileSync(original);
  const type = pictureType(written) ?? (otherTypeName(written) === 'SVG' ? 'image/svg+xml' : '');
  const extension = EXTENSIONS[type];
  if (extension === undefined) throw new UnusablePictureError('is not a JPEG, PNG, WebP, GIF, AVIF or SVG picture');
  const name = `${sha256(written).slice(0, 32)}.${extension}`;
  const copy = join(mediaFolder, MEDIA_COPIES, name);
  const bytes = withoutMetadata(written);
  // A crash of the machine may have left a part of it, and an earlier version the metadata.
  if (existsSync(copy) && readFileSync(copy).equals(bytes)) return name;
  try {
    mkdirSync(join(mediaFolder, MEDIA_COPIES), { recursive: true });
    // Threads of one process may copy the same picture.
    const temporary = `${copy}.${randomUUID()}.tmp`;
    writeFileSync(temporary, bytes);
    renameSync(temporary, copy);
  } catch (error) {
    throw new UnusablePictureError(`cannot be copied to ${mediaFolder} (${(error as NodeJS.ErrnoException).code})`);
  }
  return name;
}

function withoutMetadata(bytes: Buffer): Buffer {
  try {
    return eraseMetadata(bytes);
  } catch {
    throw new UnusablePictureError('is damaged: its metadata, such as a place, cannot be removed');
  }
}

/** Finds a file without a step out of the folder that is imported. A link in it could lead anywhere. */
function locate(path: string, folder: string, root: string): string {
  if (path.includes('\0')) throw new UnusablePictureError('has an address that is not valid');
  const found = realpathSync(join(folder, path));
  if (!found.startsWith(realpathSync(root) + sep)) {
    throw new UnusablePictureError('is outside of the folder that is imported');
  }
  if (!statSync(found).isFile()) throw new UnusablePictureError('is not a file');
  return found;
}

function reasonOf(error: unknown): string {
  if (error instanceof UnusablePictureError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `cannot be read (${code})`;
}
