/**
 * Mirrors archive pages to the folder of feeds, for static hosts. A page is rendered if its files do not have the time
 * of its last change.
 */
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Config } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { TurnTimer } from '../../lib/concurrency/turn-timer.ts';
import { compress } from '../compress.ts';
import { FORMATS } from '../formats/feed-view.ts';
import { isUpToDate, SUFFIXES, writeForms } from '../mirror.ts';
import { ARCHIVE_FOLDER, findArchivePage, renderArchivePage } from './archive-page.ts';
import { feedsWithArchive } from './archives.ts';

export interface ArchiveMirrorOptions {
  now: number;
  /** Ids of feeds; default all. */
  feeds?: readonly string[] | undefined;
  /** Begins no further page after this time, in milliseconds. Default: mirrors all. */
  within?: number;
  signal?: AbortSignal | undefined;
}

/** Ids of the feeds whose archives are mirrored. */
export function mirroredArchives(config: Pick<Config, 'feeds' | 'publish'>): string[] {
  return config.publish.archiveFiles ? feedsWithArchive(config).map(({ id }) => id) : [];
}

/**
 * When pages that this process has found complete were last changed, by file. There can be thousands, and to check each
 * takes longer than a publish.
 */
const complete = new Map<string, number>();

/** Mirrors the pages of archives that differ from their files. @returns the pages, and whether others are left */
export async function mirrorArchives(
  db: Db,
  config: Config,
  { now, feeds, within = Number.POSITIVE_INFINITY, signal }: ArchiveMirrorOptions,
): Promise<{ written: string[]; more: boolean }> {
  const startedAt = performance.now();
  const folder = config.paths.feeds;
  const timer = new TurnTimer({ inBackground: true });
  const written: string[] = [];
  for (const feed of mirroredArchives(config).filter((id) => feeds?.includes(id) ?? true)) {
    const present = new Set(await readdir(join(folder, ARCHIVE_FOLDER, feed)).catch(() => []));
    for (const { path, changed_at } of await listPages(db, feed)) {
      await timer.rest();
      const file = join(folder, path);
      if (complete.get(file) === changed_at && formsOf(basename(file)).every((name) => present.has(name))) continue;
      if (signal?.aborted || performance.now() - startedAt >= within) return { written, more: true };
      if (!(await isMirrored(file, changed_at))) {
        await writePage(db, config, path, now);
        written.push(path);
      }
      complete.set(file, changed_at);
    }
  }
  return { written, more: false };
}

function formsOf(file: string): string[] {
  return FORMATS.flatMap((format) => SUFFIXES.map((suffix) => `${file}.${format}${suffix}`));
}

function listPages(db: Db, feed: string) {
  return db
    .selectFrom('archive_pages')
    .select(['path', 'changed_at'])
    .where('feed', '=', feed)
    .orderBy('page', 'desc')
    .execute();
}

async function isMirrored(file: string, changedAt: number): Promise<boolean> {
  for (const format of FORMATS) if (!(await isUpToDate(`${file}.${format}`, changedAt))) return false;
  return true;
}

async function writePage(db: Db, config: Config, path: string, now: number): Promise<void> {
  const page = await findArchivePage(db, path);
  const rendered = page === null ? null : await renderArchivePage(db, config, page, now);
  if (page === null || rendered === null) return;
  for (const { path: name, body: text } of rendered.documents) {
    const body = Buffer.from(text);
    const codings = await compress(body);
    await writeForms(config.paths.feeds, { path: name, body, codings, modifiedAt: page.changedAt });
  }
}
