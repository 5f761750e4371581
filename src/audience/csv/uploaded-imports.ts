/**
 * Imports of subscribers from uploaded files: the file is written where only daywire's user can read it, checked in the
 * background, and imported when it is confirmed. It is deleted after that; the file of rejected rows stays a week.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppContext } from '../../core/app-context.ts';
import type { InTransaction } from '../../core/store/store.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../../lib/private-files.ts';
import { cleanLine, errorLine } from '../../lib/text/clean-text.ts';
import { DAY, HOUR, SECOND } from '../../lib/time.ts';
import { importSubscribers } from './import.ts';
import { FORM_FIELDS } from './import-words.ts';
import { parseStatusRules } from './statuses.ts';
import {
  deleteUploads,
  findUpload,
  insertUpload,
  moveUpload,
  recordUploadProgress,
  type UploadedImport,
  type UploadOptions,
} from './upload-ledger.ts';

type App = Pick<AppContext, 'config' | 'store' | 'keys' | 'clock' | 'log'>;

/** Bytes: a million rows or more. A request has a minute, and longer files are for the command line. */
export const MAX_UPLOAD = 64 * 1024 * 1024;
/** How long a file that nobody confirms is kept, and the rejected rows of an import. */
const UPLOAD_KEPT = DAY;
export const REJECTS_KEPT = 7 * DAY;
/** A running import writes its progress every second: one that has not done so for that long has ended. */
export const SILENT_AFTER = 60 * SECOND;

/** An upload that cannot be used; the message says why, as a sentence. */
export class UploadError extends Error {
  override name = 'UploadError';
  readonly field: 'file' | 'newsletter' | 'format' | 'status';

  constructor(message: string, field: UploadError['field'] = 'file') {
    super(message);
    this.field = field;
  }
}

/** A file that has arrived. */
export interface ReceivedFile {
  id: string;
  fileName: string;
  fileHash: string;
  size: number;
}

/**
 * Writes an upload to a new private file, as it arrives. Nothing is left of it after an error.
 * @param givenName as the browser sent it
 * @throws UploadError if it is empty, or what `content` throws
 */
export async function receiveUpload(
  { config }: Pick<App, 'config'>,
  givenName: string,
  content: AsyncIterable<Buffer>,
): Promise<ReceivedFile> {
  const id = randomBytes(12).toString('hex');
  const fileName = fileNameOf(givenName);
  const folder = folderOf(config, id);
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  try {
    const hash = createHash('sha256');
    let size = 0;
    const file = await open(join(folder, fileName), 'wx', PRIVATE_FILE);
    try {
      for await (const part of content) {
        size += part.length;
        hash.update(part);
        await file.writeFile(part);
      }
    } finally {
      await file.close();
    }
    if (size === 0) throw new UploadError('Choose a file that is not empty.');
    return { id, fileName, fileHash: hash.digest('hex'), size };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Deletes the file of an upload that is not used. */
export async function discardFile({ config }: Pick<App, 'config'>, id: string): Promise<void> {
  await rm(folderOf(config, id), { recursive: true, force: true });
}

/** Records an upload, and begins its check. @returns `ended` resolves at its end, and never rejects */
export async function beginCheck(
  app: App,
  file: ReceivedFile,
  { accountId, options }: { accountId: number; options: UploadOptions },
  onCommit: InTransaction,
): Promise<{ ended: Promise<void> }> {
  await insertUpload(app.store.db, { ...file, accountId, options }, app.clock(), onCommit);
  return { ended: runInBackground(app, file.id, 'checking') };
}

export type ConfirmedImport =
  | { kind: 'begun'; ended: Promise<void> }
  /** It is no longer waiting for that, or the file is another one. */
  | { kind: 'changed' }
  /** The file is on another machine, or was deleted. */
  | { kind: 'no-file' };

/**
 * Begins the import of a checked file.
 * @param hash of the file that was checked, as the form carried it
 */
export async function confirmImport(
  app: App,
  upload: UploadedImport,
  hash: string,
  onCommit: InTransaction,
): Promise<ConfirmedImport> {
  if (hash !== upload.fileHash || upload.state !== 'checked') return { kind: 'changed' };
  const path = join(folderOf(app.config, upload.id), upload.fileName);
  if (!existsSync(path)) return { kind: 'no-file' };
  if ((await hashOf(path)) !== hash) return { kind: 'changed' };
  const isMine = await moveUpload(app.store.db, upload.id, 'checked', { state: 'importing' }, app.clock(), onCommit);
  return isMine ? { kind: 'begun', ended: runInBackground(app, upload.id, 'importing') } : { kind: 'changed' };
}

/** Deletes a checked or refused file without importing it. */
export async function discardUpload(app: App, upload: UploadedImport, onCommit: InTransaction): Promise<boolean> {
  const { state } = upload;
  if (state !== 'checked' && state !== 'refused') return false;
  const isDone = await moveUpload(app.store.db, upload.id, state, { state: 'discarded' }, app.clock(), onCommit);
  if (isDone) await discardFile(app, upload.id);
  return isDone;
}

/** The file of rejected rows, or null. */
export function rejectsFileOf({ config }: Pick<App, 'config'>, { id, fileName }: UploadedImport): string | null {
  const path = join(folderOf(config, id), `${fileName}.rejects.csv`);
  return existsSync(path) ? path : null;
}

/** Deletes what is kept for a time: files that nobody confirmed, rejected rows, and the records of imports. */
export async function deleteOldUploads(app: Pick<App, 'config' | 'store'>, now: number): Promise<number> {
  const deleted = await deleteUploads(app.store.db, now - REJECTS_KEPT);
  const root = join(app.config.paths.data, FOLDER);
  const names = await readdir(root).catch(() => [] as string[]);
  for (const name of names) {
    const folder = join(root, name);
    const upload = await findUpload(app.store.db, name);
    const age =
      now -
      (await stat(folder).then(
        ({ mtimeMs }) => mtimeMs,
        () => now,
      ));
    // Without a record it is being received, or its process ended before it was recorded.
    const isOver = upload === null ? deleted.includes(name) || age > HOUR : isForgotten(upload, now);
    if (isOver) await rm(folder, { recursive: true, force: true });
  }
  return deleted.length;
}

function isForgotten({ state, createdAt, changedAt }: UploadedImport, now: number): boolean {
  if (state === 'checking' || state === 'importing') return changedAt < now - UPLOAD_KEPT;
  return state !== 'done' && state !== 'failed' && createdAt < now - UPLOAD_KEPT;
}

const FOLDER = 'imports';

function folderOf({ paths }: App['config'], id: string): string {
  return join(paths.data, FOLDER, id);
}

/** A harmless name in a folder of its own: the importer reads it, and records it as the source of consent. */
export function fileNameOf(given: string): string {
  const [last = ''] = cleanLine(given.slice(-1_000)).split(/[\\/]/).slice(-1);
  const safe = last.replace(/[^\p{L}\p{N} ._+-]/gu, '_').replace(/^[. ]+/, '');
  const cut = [...safe]
    .slice(-80)
    .join('')
    .replace(/^[. ]+/, '');
  return cut === '' ? 'upload.csv' : cut;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part);
  return hash.digest('hex');
}

/** Runs a check or an import, and records how it ends. */
async function runInBackground(app: App, id: string, state: 'checking' | 'importing'): Promise<void> {
  const { store, config, clock, log } = app;
  const isCheck = state === 'checking';
  try {
    const upload = await findUpload(store.db, id);
    if (upload === null) return;
    const path = join(folderOf(config, id), upload.fileName);
    try {
      const report = await runImporter(app, upload, isCheck);
      // Only the rejected rows of an import stay.
      if (!isCheck) await rm(path, { force: true });
      const done = { state: isCheck ? ('checked' as const) : ('done' as const), report };
      await moveUpload(store.db, id, state, done, clock());
    } catch (error) {
      // The importer names the path, which is none of the reader's business.
      const problem = errorLine(error).replaceAll(path, upload.fileName);
      await rm(path, { force: true });
      await moveUpload(store.db, id, state, { state: isCheck ? 'refused' : 'failed', problem }, clock());
    }
  } catch (error) {
    log.error({ import: id, error: errorLine(error) }, 'an import could not record how it ended');
  }
}

async function runImporter({ config, store, keys, clock }: App, upload: UploadedImport, dryRun: boolean) {
  const { id, fileName, options } = upload;
  let savedAt = performance.now();
  let saving: Promise<unknown> = Promise.resolve();
  const known = config.newsletters.map((one) => one.id);
  const report = await importSubscribers(store, await keys.signingSecrets(), join(folderOf(config, id), fileName), {
    newsletters: options.newsletters,
    known,
    map: options.statusColumns.length === 0 ? {} : { status: options.statusColumns },
    format: options.format ?? undefined,
    ignore: options.ignore,
    choices: { ...config, values: [] },
    status: parseStatusRules(options.status === '' ? [] : [options.status]),
    ...{ words: FORM_FIELDS, dryRun, clock },
    onProgress: (progress) => {
      if (performance.now() - savedAt < SECOND) return;
      savedAt = performance.now();
      // One after the other; a failure to show progress does not stop the import.
      saving = saving.then(() => recordUploadProgress(store.db, id, progress, clock())).catch(() => {});
    },
  });
  await saving;
  // The path says where files are; the page offers the rejected rows by a link.
  return { ...report, rejectsFile: report.rejectsFile === null ? null : `${fileName}.rejects.csv` };
}
