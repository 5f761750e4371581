/**
 * Watches folders, and says which of their files have changed. It may miss changes, such as those that another machine
 * makes on a network disk: a caller that needs all of them also scans the folders now and then.
 */
import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Elsewhere the system reports a new file and its first write as one. */
const IS_PRECISE = process.platform === 'linux';
/** The system has a limit for all processes of a user. */
const MAX_FOLDERS = 1_000;

interface WatchedFolder {
  /** Tells a folder from another one that has taken its place; ext4 gives that one the same inode. */
  identity: string;
  watcher: FSWatcher;
}

interface Listeners {
  /** Files that are no longer written to; some may be gone already. */
  onChange(files: ChangedFile[]): void;
  /** A file has appeared that has content already: it was renamed into place, and `onChange` most likely follows. */
  onAppeared(path: string): void;
  /** A folder has appeared, or a watched one is gone: `watch` is to be called again. */
  onFolders(): void;
}

export class FolderWatcher {
  readonly #folders = new Map<string, WatchedFolder>();
  readonly #reports = new FileReports();
  readonly #listeners: Listeners;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
  }

  /**
   * Watches these folders and no others, without those below them. Does nothing on other systems than Linux. Files of
   * folders that later calls add count as written to just now. One call at a time.
   * @returns the reason why a folder is not watched, or null
   */
  async watch(folders: string[]): Promise<string | null> {
    if (!IS_PRECISE) return null;
    const wanted = new Set(folders.slice(0, MAX_FOLDERS));
    let problem = folders.length > MAX_FOLDERS ? `only ${MAX_FOLDERS} folders are watched` : null;
    for (const folder of this.#folders.keys()) if (!wanted.has(folder)) this.#forget(folder);
    const isFirst = this.#folders.size === 0;
    for (const folder of wanted) {
      const stats = await stat(folder).catch(() => null);
      const identity = stats && `${stats.ino} ${stats.birthtimeMs}`;
      if (this.#isClosed) return null;
      if (this.#folders.get(folder)?.identity === identity) continue;
      this.#forget(folder);
      if (identity === null) continue;
      try {
        this.#folders.set(folder, { identity, watcher: this.#open(folder) });
        if (!isFirst) await this.#reportContents(folder);
      } catch (error) {
        problem = (error as Error).message;
      }
    }
    return problem;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const folder of this.#folders.keys()) this.#forget(folder);
  }

  #open(folder: string): FSWatcher {
    const watcher = watch(folder, { persistent: false }, (event, name) => {
      // The folder itself was removed or moved; one in it may have the same name.
      if (event === 'rename' && name === basename(folder)) {
        this.#forget(folder);
        return this.#listeners.onFolders();
      }
      if (name === null || name.startsWith('.')) return;
      const path = join(folder, name);
      if (event === 'rename') void this.#look(path);
      else this.#reports.written(path, performance.now());
      this.#schedule();
    });
    watcher.on('error', () => this.#forget(folder));
    return watcher;
  }

  /** What was put into a folder before it was watched. Nothing tells whether those files are whole. */
  async #reportContents(folder: string): Promise<void> {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) this.#listeners.onFolders();
      else this.#reports.written(join(folder, entry.name), performance.now());
    }
    this.#schedule();
  }

  async #look(path: string): Promise<void> {
    const report = this.#reports.appeared(path, performance.now());
    const stats = await stat(path).catch(() => null);
    if (stats?.isDirectory() && !this.#isClosed) this.#listeners.onFolders();
    const hasContent = stats?.isFile() ? stats.size > 0 : null;
    report(hasContent, performance.now());
    if (hasContent && !this.#isClosed) this.#listeners.onAppeared(path);
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { nextAt } = this.#reports;
    if (this.#isClosed || nextAt === Number.POSITIVE_INFINITY) return;
    // After the reports that are waiting to be read: the timer may be late.
    const take = (): NodeJS.Immediate => setImmediate(() => this.#take());
    this.#timer = setTimeout(take, Math.max(0, nextAt - performance.now()));
    this.#timer.unref();
  }

  #take(): void {
    if (this.#isClosed) return;
    const files = this.#reports.take(performance.now());
    if (files.length > 0) this.#listeners.onChange(files);
    this.#schedule();
  }

  #forget(folder: string): void {
    this.#folders.get(folder)?.watcher.close();
    this.#folders.delete(folder);
  }
}

export interface ChangedFile {
  path: string;
  /** Whether nothing was written to it since it has this name. Otherwise nothing has been written for two seconds. */
  isWhole: boolean;
}

interface ReportedFile {
  /** Whether a write may follow. */
  isWritten: boolean;
  /** Time of the last report, or of the look at the file that found content; null until that look. */
  at: number | null;
}

/** A write that preceded a look at the file is reported within this time, in milliseconds. */
const REPORTED_WITHIN = 25;
/** A file that is written to in place counts as complete after this time without a write. */
const COMPLETE_AFTER = 2_100;
/** More files at once are not an edit but a copy of a folder. Reports could be lost, too. */
const MAX_FILES = 100;
const QUIET_AFTER = 1_000;

/** Times are milliseconds of a clock that is never set. */
export class FileReports {
  readonly #files = new Map<string, ReportedFile>();
  #ignoredUntil = Number.NEGATIVE_INFINITY;

  /**
   * A name appeared or disappeared: look at its file now.
   * @returns what takes the outcome of that look: whether there is a file with content
   */
  appeared(path: string, now: number): (hasContent: boolean | null, now: number) => void {
    const file: ReportedFile = { isWritten: false, at: null };
    this.#add(path, file, now);
    return (hasContent, lookedAt) => {
      // Another report of that name came meanwhile, or too many of all.
      if (this.#files.get(path) !== file) return;
      if (hasContent === null) this.#files.delete(path);
      else Object.assign(file, { isWritten: file.isWritten || !hasContent, at: file.at ?? lookedAt });
    };
  }

  /** Something was written to the file. */
  written(path: string, now: number): void {
    const file = this.#files.get(path);
    if (file === undefined) this.#add(path, { isWritten: true, at: now }, now);
    else Object.assign(file, { isWritten: true, at: now });
  }

  /** Takes the files of which it is known by now whether they are whole. */
  take(now: number): ChangedFile[] {
    const ready = [...this.#files].filter(([, file]) => dueAt(file) <= now);
    for (const [path] of ready) this.#files.delete(path);
    return ready.map(([path, { isWritten }]) => ({ path, isWhole: !isWritten }));
  }

  /** When there is something to take; infinity if there is nothing to wait for. */
  get nextAt(): number {
    return Math.min(...[...this.#files.values()].map(dueAt));
  }

  #add(path: string, file: ReportedFile, now: number): void {
    this.#files.set(path, file);
    if (this.#files.size > MAX_FILES || now < this.#ignoredUntil) {
      this.#files.clear();
      this.#ignoredUntil = now + QUIET_AFTER;
    }
  }
}

function dueAt({ isWritten, at }: ReportedFile): number {
  return at === null ? Number.POSITIVE_INFINITY : at + (isWritten ? COMPLETE_AFTER : REPORTED_WITHIN);
}
