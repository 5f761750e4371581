/**
 * Mirrors the published documents to a folder, ready for any static host. Each is written atomically, with its
 * compressed forms beside it, and has the modification time that the store has. Derived feeds are rendered on
 * request, and have no files.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { probeFolder } from '../core/alerts/storage-watch.ts';
import type { Db } from '../core/store/store.ts';
import { chunks } from '../lib/chunks.ts';
import { MINUTE, SECOND } from '../lib/time.ts';
import { type DocumentInfo, type FeedDocument, findDocument, listDocuments } from './documents.ts';

/** Lists the files that daywire has written, so that it never removes others. */
const MANIFEST = '.daywire-feeds';
const TEMPORARY = /^\.daywire-[0-9a-f]{16}\.tmp$/;
const NAME = /^[a-z0-9][a-z0-9-]*(?:\.[a-z0-9]+)+$/;
/** A younger temporary file may be in use by another process. */
const ABANDONED_AFTER = MINUTE;

/**
 * Writes the documents that differ, and removes the files of deleted ones.
 * @returns the names of the files written or removed
 */
export async function mirrorDocuments(db: Db, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const touched = new Set(await writeDifferent(db, folder));
  for (const name of await removeDeleted(db, folder)) touched.add(name);
  await probeFolder(folder);
  await removeAbandoned(folder);
  return [...touched].sort();
}

/** Names that static hosts expect: nginx with gzip_static, Caddy with precompressed. */
const EXTENSIONS = { gzip: '.gz', br: '.br' } as const;
/** Suffixes of a document's file, and of its compressed forms. */
const SUFFIXES = ['', ...Object.values(EXTENSIONS)];

/** Number of documents written at once: most of the time is spent waiting for the disk. */
const CONCURRENCY = 4;

async function writeDifferent(db: Db, folder: string): Promise<string[]> {
  const differing = await findDiffering(db, folder);
  const written: string[] = [];
  for (const some of chunks(differing, CONCURRENCY)) {
    await Promise.all(
      some.map(async (path) => {
        const document = await findDocument(db, path);
        if (document !== null && (await writeForms(folder, document))) written.push(path);
      }),
    );
  }
  return written;
}

/** Finds the documents whose files are not known to be complete. */
async function findDiffering(db: Db, folder: string): Promise<string[]> {
  const differing: string[] = [];
  for (const head of await listDocuments(db)) {
    const { path } = head;
    if (!NAME.test(path)) throw new Error(`the document ${JSON.stringify(path)} has no valid file name`);
    if (!(await isUpToDate(join(folder, path), head))) differing.push(path);
  }
  return differing;
}

/** Whether the file and its compressed forms have the document's time, and the file its size: writes are atomic. */
async function isUpToDate(file: string, { modifiedAt, size }: DocumentInfo): Promise<boolean> {
  const found = await Promise.all(SUFFIXES.map((suffix) => stat(file + suffix).catch(() => null)));
  return found.every((one) => one?.mtimeMs === modifiedAt) && found[0]?.size === size;
}

/** Writes the forms that differ, the plain one last. @returns whether any did */
async function writeForms(folder: string, { path, body, codings, modifiedAt }: FeedDocument): Promise<boolean> {
  const write = async (name: string, bytes: Buffer): Promise<boolean> => {
    if (await hasContent(join(folder, name), bytes)) {
      // Static hosts derive Last-Modified and ETag from the time, which a copy or a checkout may have changed.
      await utimes(join(folder, name), modifiedAt / SECOND, modifiedAt / SECOND);
      return false;
    }
    await writeWhole(folder, name, bytes, modifiedAt);
    return true;
  };
  const compressed = await Promise.all([
    write(path + EXTENSIONS.gzip, codings.gzip),
    write(path + EXTENSIONS.br, codings.br),
  ]);
  return [await write(path, body), ...compressed].includes(true);
}

async function writeWhole(folder: string, name: string, body: string | Buffer, modifiedAt: number): Promise<void> {
  const temporary = join(folder, `.daywire-${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(body);
      // Before the rename: a web server derives Last-Modified and ETag from the time.
      await file.utimes(modifiedAt / SECOND, modifiedAt / SECOND);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function removeDeleted(db: Db, folder: string): Promise<string[]> {
  // Read first: it does not list what another process publishes and mirrors afterwards, so that is not removed.
  const text = (await readIfThere(join(folder, MANIFEST)))?.toString('utf8') ?? '';
  const names = text.split('\n');
  const published = (await listDocuments(db)).map(({ path }) => path);
  const deleted = names.filter((name) => NAME.test(name) && !published.includes(name));
  for (const name of deleted) {
    for (const suffix of SUFFIXES) await rm(join(folder, name + suffix), { force: true });
  }
  const manifest = published.map((name) => `${name}\n`).join('');
  if (manifest !== text) await writeWhole(folder, MANIFEST, manifest, Date.now());
  return deleted;
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY.test(name)) continue;
    const file = join(folder, name);
    // ctime, because the modification time is the document's.
    const age = Date.now() - (await stat(file).catch(() => ({ ctimeMs: Number.POSITIVE_INFINITY }))).ctimeMs;
    if (age > ABANDONED_AFTER) await rm(file, { force: true });
  }
}

async function hasContent(file: string, bytes: Buffer): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  // Most edits change the size: reading every file would allocate megabytes.
  return found?.size === bytes.length && (await readIfThere(file))?.equals(bytes) === true;
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
