import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import { type Finding, warning } from '../../core/finding.ts';
import { eraseMetadata } from '../../lib/pictures/erase-metadata.ts';
import { mediaTypeOf } from './media.ts';

const MAX_NAMES = 10;

/** Names the pictures of the media folder that have metadata: what is put there by hand is published as it is. */
export async function checkMetadata({ paths: { media } }: Pick<Config, 'paths'>): Promise<Finding[]> {
  const files = media === undefined ? [] : await readdir(media, { recursive: true }).catch(() => []);
  const names: string[] = [];
  for (const file of files.filter((one) => mediaTypeOf(one)?.startsWith('image/')).sort()) {
    const bytes = await readFile(join(media as string, file)).catch(() => Buffer.alloc(0));
    if (hasMetadata(bytes)) names.push(file);
  }
  if (names.length === 0) return [];
  const others = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} others` : '';
  return [
    warning(
      `${media}: visitors can read the metadata of ${names.slice(0, MAX_NAMES).join(', ')}${others}, such as where a ` +
        'photo was taken; remove it, as by "exiftool -all= --ICC_Profile:all -tagsFromFile @ -Orientation FILE"',
    ),
  ];
}

function hasMetadata(bytes: Buffer): boolean {
  try {
    return !eraseMetadata(bytes).equals(bytes);
  } catch {
    return false;
  }
}
