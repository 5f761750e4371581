/**
 * Writes the published documents into a folder, ready for any static host: each whole or not at all, with its compressed forms
 * beside it, dated as the store dates it.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MINUTE, SECOND } from '../lib/time.ts';
import type { Db } from '../store/store.ts';
import { ARCHIVE_FOLDER, type DocumentInfo, type FeedDocument, findDocument, listDocuments } from './documents.ts';

/** Names what daywire has written here, so that it never removes a file that someone else has put beside them. */
const MANIFEST = '.daywire-feeds';
const TEMPORARY = /^\.daywire-[0-9a-f]{16}\.tmp$/;
const NAME = /^(?:[a-z0-9][a-z0-9-]*\/)*[a-z0-9][a-z0-9-]*(?:\.[a-z0-9]+)+$/;
/** Another process may be writing a temporary file at this moment; one this old was left by a process that was killed. */
const ABANDONED_AFTER = MINUTE;

/**
 * Makes the folder hold what is published, writes only what differs, and removes what is withdrawn.
 * @returns the names of the files written or removed
 */
export async function mirrorDocuments(db: Db, folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const touched = new Set<string>();
  // Another process may rename an older document over ours; whoever is last looks again, so a few rounds settle it.
  for (let round = 0; round < 5; round++) {
    const written = await writeDifferent(db, folder);
    if (written.length === 0) break;
    for (const name of written) touched.add(name);
  }
  for (const name of await removeWithdrawn(db, folder)) touched.add(name);
  await removeAbandoned(folder);
  return [...touched].sort();
}

/** As static hosts look for them: nginx by gzip_static, Caddy by precompressed. */
const CODED = { gzip: '.gz', br: '.br' } as const;
const FORMS = ['', ...Object.values(CODED)];

/** So many documents at once: most of the time goes by until the disk has them. */
const AT_ONCE = 4;

async function writeDifferent(db: Db, folder: string): Promise<string[]> {
  const differing = await findDiffering(db, folder);
  const written: string[] = [];
  for (let from = 0; from < differing.length; from += AT_ONCE) {
    const some = differing.slice(from, from + AT_ONCE);
    await Promise.all(
      some.map(async (path) => {
        const document = await findDocument(db, path);
        if (document !== null && (await writeForms(folder, document))) written.push(path);
      }),
    );
  }
  return written;
}

/** The paths of those documents whose files are not known to be whole. */
async function findDiffering(db: Db, folder: string): Promise<string[]> {
  const differing: string[] = [];
  const present = new PresentFiles();
  for (const head of await listDocuments(db)) {
    const { path } = head;
    if (!NAME.test(path))
      throw new Error(`the document ${JSON.stringify(path)} has no name that fits a folder of feeds`);
    const file = join(folder, path);
    const isArchive = path.startsWith(ARCHIVE_FOLDER);
    const version = `${head.hash} ${head.modifiedAt}`;
    if (isArchive && foundWhole.get(file) === version && (await present.all(file))) continue;
    if (!(await looksTheSame(file, head))) differing.push(path);
    else if (isArchive) foundWhole.set(file, version);
  }
  return differing;
}

/**
 * The archives that this process has found whole, by file, and at which version. There are thousands of them, and to look at each at
 * every publish takes longer than the publish: of these, a list of the names in their folder has to do until daywire starts again.
 */
const foundWhole = new Map<string, string>();

/** The names in folders, each folder listed once. */
class PresentFiles {
  readonly #names = new Map<string, Set<string>>();

  /** Whether the file is there with its compressed forms. */
  async all(file: string): Promise<boolean> {
    const folder = dirname(file);
    let names = this.#names.get(folder);
    if (names === undefined) {
      names = new Set(await readdir(folder).catch(() => []));
      this.#names.set(folder, names);
    }
    return FORMS.every((end) => names.has(basename(file) + end));
  }
}

/** Whether the file has the document's date and length, and its compressed forms the same date: what is written here is whole. */
async function looksTheSame(file: string, { modifiedAt, size }: DocumentInfo): Promise<boolean> {
  const found = await Promise.all(FORMS.map((end) => stat(file + end).catch(() => null)));
  return found.every((one) => one?.mtimeMs === modifiedAt) && found[0]?.size === size;
}

/** Writes the forms that differ, the body last. @returns whether any did */
async function writeForms(folder: string, { path, body, codings, modifiedAt }: FeedDocument): Promise<boolean> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  const write = async (name: string, bytes: Buffer): Promise<boolean> => {
    if ((await readIfThere(join(folder, name)))?.equals(bytes)) {
      // Static hosts make Last-Modified and ETag of the file's time; a copy or a checkout may have moved it.
      await utimes(join(folder, name), modifiedAt / SECOND, modifiedAt / SECOND);
      return false;
    }
    await writeWhole(folder, name, bytes, modifiedAt);
    return true;
  };
  const compressed = await Promise.all([write(path + CODED.gzip, codings.gzip), write(path + CODED.br, codings.br)]);
  return [await write(path, Buffer.from(body)), ...compressed].includes(true);
}

async function writeWhole(folder: string, name: string, body: string | Buffer, modifiedAt: number): Promise<void> {
  const temporary = join(folder, `.daywire-${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(body);
      // Before the rename: a web server makes Last-Modified and ETag of the time, and must never see another one.
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

async function removeWithdrawn(db: Db, folder: string): Promise<string[]> {
  // Read first: what another process publishes and mirrors after this does not stand in it yet, so it is not taken for withdrawn.
  const text = (await readIfThere(join(folder, MANIFEST)))?.toString('utf8') ?? '';
  const published = (await listDocuments(db)).map(({ path }) => path);
  const kept = new Set(published);
  const withdrawn = text.split('\n').filter((name) => NAME.test(name) && !kept.has(name));
  for (const name of withdrawn) {
    for (const end of FORMS) await rm(join(folder, name + end), { force: true });
  }
  const manifest = published.map((name) => `${name}\n`).join('');
  if (manifest !== text) await writeWhole(folder, MANIFEST, manifest, Date.now());
  return withdrawn;
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!TEMPORARY.test(name)) continue;
    const file = join(folder, name);
    // The time of the last change of the inode: the modification time is the document's.
    const age = Date.now() - (await stat(file).catch(() => ({ ctimeMs: Number.POSITIVE_INFINITY }))).ctimeMs;
    if (age > ABANDONED_AFTER) await rm(file, { force: true });
  }
}

async function readIfThere(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
