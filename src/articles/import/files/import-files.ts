/** Finds the files of an import, and reads their records. */
import { createReadStream, type Dirent, existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import type { Db } from '../../../core/store/store.ts';
import { chunks } from '../../../lib/chunks.ts';
import { decodeUtf8, storableText } from '../../../lib/text/clean-text.ts';
import type { PictureFolder } from '../../pictures/own-pictures.ts';
import type { ArticleDefaults } from './defaults.ts';
import { type FilePlace, filePlaceOf } from './file-place.ts';
import { MAX_RECORD_BYTES, readLines, type SourceRecord } from './json-lines.ts';

export type ImportFormat = 'markdown' | 'jsonl';

/** A file, or a text given as one. */
export interface ImportFile {
  /** Absolute: identifies it in the store. */
  path: string;
  /** As the user named it. */
  name: string;
  /** Origin of its articles; see origin.ts. */
  origin: string;
  format: ImportFormat;
  bytes: number;
  /** Size and modification time. */
  fingerprint: string;
  /** Epoch milliseconds, by the file system's clock; null for a text. */
  modifiedAt: number | null;
  place?: FilePlace;
  /** For an article without an id; see default-ids.ts. */
  defaultId?: string;
  /** What is known of its articles, where they do not say it. */
  defaults?: ArticleDefaults;
  /** Where pictures of its articles are. Default: nowhere. */
  pictures?: PictureFolder;
  records(): AsyncIterable<SourceRecord>;
}

/** A file of one record, which is on no disk. */
export function recordFile(
  place: Pick<ImportFile, 'path' | 'name' | 'origin' | 'format'>,
  content: SourceRecord['content'],
  bytes = 0,
): ImportFile {
  const records = async function* (): AsyncGenerator<SourceRecord> {
    yield { line: null, readTo: bytes, content };
  };
  return { ...place, bytes, fingerprint: '', modifiedAt: null, records };
}

/** The files to import cannot be found. The message is for an operator. */
export class ImportError extends Error {
  override name = 'ImportError';
}

const FORMATS: Record<string, ImportFormat> = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.mdx': 'markdown',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
};

/** File types in which people write articles, and which they put into the folder unconverted. */
const OTHER_FORMATS = new Set([...['.docx', '.doc', '.odt', '.rtf', '.pages', '.rst', '.adoc', '.asciidoc', '.org']]);

/**
 * Finds the files at paths and below folders, without duplicates, in the order of the paths and by name within folders.
 * Hidden files and folders are skipped, and so are links to folders, which may form a cycle.
 * @throws ImportError that names all paths that do not exist or hold no articles
 */
export async function findImportFiles(paths: string[]): Promise<ImportFile[]> {
  const found = new Map<string, ImportFile>();
  const problems: string[] = [];
  for (const path of paths) {
    const problem = await collect(path, found);
    if (problem !== null) problems.push(problem);
  }
  if (problems.length > 0) throw new ImportError(problems.join('\n'));
  return [...found.values()];
}

/**
 * Finds one file as `findImportFiles` would.
 * @param file absolute
 * @returns null if none of the paths leads to it, or it is gone
 */
export async function findImportFile(paths: string[], file: string): Promise<ImportFile | null> {
  const format = importFormat(file);
  if (format === undefined) return null;
  for (const path of paths) {
    const place = relative(resolve(path), file);
    // A path may be that of the file itself. Parent folders and hidden ones begin with a dot.
    if (place.split(sep).some((part) => part.startsWith('.'))) continue;
    const root = place === '' ? dirname(file) : resolve(path);
    return openFile(join(path, place), format, root).catch(() => null);
  }
  return null;
}

/**
 * The folders whose files `findImportFiles` finds, absolute, and for each path the one above it, which tells that the
 * path has gone or appeared. Those that cannot be read are left out.
 */
export async function listImportFolders(paths: string[]): Promise<string[]> {
  const found = new Set<string>();
  const add = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => null);
    if (entries === null) return;
    found.add(folder);
    for (const entry of entries) {
      if (entry.isDirectory() && !entry.name.startsWith('.')) await add(join(folder, entry.name));
    }
  };
  for (const path of paths.map((some) => resolve(some))) {
    await add(path);
    let above = dirname(path);
    while (above !== dirname(above) && !existsSync(above)) above = dirname(above);
    found.add(above);
  }
  return [...found];
}

export function textFile(name: string, text: string, format: ImportFormat): ImportFile {
  const bytes = Buffer.from(text);
  const file = recordFile({ path: name, name, origin: name, format }, textOf(bytes), bytes.length);
  return format === 'jsonl'
    ? { ...file, records: () => readLines([bytes]) }
    : { ...file, ...placeIn(format, name, dirname(name)) };
}

function placeIn(format: ImportFormat, path: string, root: string): Pick<ImportFile, 'place'> {
  return format === 'markdown' ? { place: filePlaceOf(path, root) } : {};
}

async function collect(path: string, found: Map<string, ImportFile>): Promise<string | null> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) {
      await walk(path, resolve(path), found);
      return null;
    }
  } catch (error) {
    return `${path}: ${reason(error)}`;
  }
  const format = importFormat(path);
  if (format === undefined) return `${path}: must be a folder, or a file in .md, .markdown, .mdx, .jsonl or .ndjson`;
  const file = await openFile(path, format, dirname(resolve(path)));
  if (file === null) return `${path}: must be a file or a folder`;
  found.set(file.path, file);
  return null;
}

/**
 * Files whose size and time are asked for at once. Each takes one of Node's four threads for such work: on a network
 * disk that hangs, one is left.
 */
const FILES_AT_ONCE = 3;

/** @param root the folder that is imported, absolute */
async function walk(folder: string, root: string, found: Map<string, ImportFile>): Promise<void> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const some of chunks(entries, FILES_AT_ONCE)) {
    const files = await Promise.all(some.map((entry) => fileOf(entry, root)));
    for (const [index, entry] of some.entries()) {
      const path = join(folder, entry.name);
      const file = files[index];
      if (file) found.set(file.path, file);
      if (!entry.isDirectory()) continue;
      await walk(path, root, found).catch((error: unknown) => found.set(resolve(path), unreadableFile(path, error)));
    }
  }
}

/** @returns null for what is no file of articles */
async function fileOf(entry: Dirent, root: string): Promise<ImportFile | null> {
  if (!entry.isFile() && !entry.isSymbolicLink()) return null;
  const path = join(entry.parentPath, entry.name);
  const format = importFormat(path);
  try {
    return format === undefined ? null : await openFile(path, format, root);
  } catch (error) {
    return unreadableFile(path, error);
  }
}

/**
 * A file of any name.
 * @param root pictures of its articles are read below this folder, absolute
 * @returns null if it is no file
 */
export async function openFile(path: string, format: ImportFormat, root: string): Promise<ImportFile | null> {
  const stats = await stat(path, { bigint: true });
  if (!stats.isFile()) return null;
  const bytes = Number(stats.size);
  const records = format === 'markdown' ? () => wholeFile(path, bytes) : () => linesOf(path);
  const fingerprint = `${stats.size}:${stats.mtimeNs}`;
  const modifiedAt = Number(stats.mtimeMs);
  const absolute = resolve(path);
  const pictures = { folder: dirname(absolute), root };
  const facts = { bytes, fingerprint, modifiedAt, pictures, records };
  return { path: absolute, name: path, origin: absolute, format, ...facts, ...placeIn(format, absolute, root) };
}

/** A folder or link that cannot be read is rejected like an invalid article; the others are imported. */
function unreadableFile(name: string, error: unknown): ImportFile {
  const path = resolve(name);
  return recordFile({ path, name, origin: path, format: 'markdown' }, { kind: 'unreadable', rule: reason(error) });
}

async function* wholeFile(path: string, bytes: number): AsyncGenerator<SourceRecord> {
  if (bytes > MAX_RECORD_BYTES || isDocument(path)) {
    const rule = isDocument(path)
      ? `files in ${extname(path)} are not read: save the text as Markdown, in a file whose name ends in .md`
      : `is ${bytes} bytes long; the limit is ${MAX_RECORD_BYTES}`;
    yield { line: null, readTo: bytes, content: { kind: 'unusable', rule, raw: '' } };
    return;
  }
  try {
    yield { line: null, readTo: bytes, content: textOf(await readFile(path)) };
  } catch (error) {
    yield unread(error);
  }
}

async function* linesOf(path: string): AsyncGenerator<SourceRecord> {
  try {
    yield* readLines(createReadStream(path, { highWaterMark: 256 * 1024 }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    yield unread(error);
  }
}

function unread(error: unknown): SourceRecord {
  const gone = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return { line: null, readTo: 0, content: gone ? { kind: 'gone' } : { kind: 'unreadable', rule: reason(error) } };
}

function textOf(bytes: Buffer): SourceRecord['content'] {
  const text = decodeUtf8(bytes);
  if (text === null) return { kind: 'unusable', rule: 'is not UTF-8: save it as UTF-8', raw: storableText(bytes) };
  return { kind: 'text', text: text.replace(/\r\n?/g, '\n') };
}

/** The format of a file by the extension of its name; undefined for a file that is not imported. */
export function importFormat(path: string): ImportFormat | undefined {
  return FORMATS[extname(path).toLowerCase()] ?? (isDocument(path) ? 'markdown' : undefined);
}

/** A file in another format is rejected: somebody waits for the article. `~$` begins the names of locks. */
export function isDocument(path: string): boolean {
  const isOther = OTHER_FORMATS.has(extname(path).toLowerCase());
  return isOther && !/^(?:~\$|readme|licen[cs]e|changes|changelog)/i.test(basename(path));
}

function reason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`;
}

/** The files that have changed since they were remembered, or never were. */
export async function findChangedFiles(db: Db, files: ImportFile[]): Promise<ImportFile[]> {
  const changed: ImportFile[] = [];
  for (const some of chunks(files, 500)) {
    const paths = some.map(({ path }) => path);
    const rows = await db.selectFrom('imported_files').selectAll().where('path', 'in', paths).execute();
    const known = new Map(rows.map(({ path, fingerprint }) => [path, fingerprint]));
    changed.push(...some.filter(({ path, fingerprint }) => known.get(path) !== fingerprint));
  }
  return changed;
}

/** The next import of the watched folders leaves these files out, unless they change. */
export async function rememberFiles(
  db: Db,
  files: Pick<ImportFile, 'path' | 'fingerprint'>[],
  now: number,
): Promise<void> {
  if (files.length === 0) return;
  await db
    .insertInto('imported_files')
    .values(files.map(({ path, fingerprint }) => ({ path, fingerprint, imported_at: now })))
    .onConflict((conflict) =>
      conflict.column('path').doUpdateSet((e) => ({
        fingerprint: e.ref('excluded.fingerprint'),
        imported_at: e.ref('excluded.imported_at'),
      })),
    )
    .execute();
}
