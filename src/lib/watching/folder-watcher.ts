/**
 * Watches folders, and says which of their files have changed. It may miss changes, such as those that another machine
 * makes on a network disk: a caller that needs all of them also scans the folders now and then.
 */
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChangedFile, FileReports } from './file-reports.ts';

/** Elsewhere the system reports a new file and its first write as one. */
const IS_PRECISE = process.platform === 'linux';
/** The system has a limit for all processes of a user. */
const MAX_FOLDERS = 1_000;

interface WatchedFolder {
  /** Tells a folder from another one that has taken its place. */
  inode: number;
  watcher: FSWatcher;
}

export class FolderWatcher {
  readonly #folders = new Map<string, WatchedFolder>();
  readonly #reports = new FileReports();
  readonly #onChange: (files: ChangedFile[]) => void;
  readonly #onAppeared: (path: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /**
   * @param onChange called with files that are no longer written to; some may be gone already
   * @param onAppeared called when a file has appeared that has content already, as one that was renamed into place:
   *   `onChange` most likely follows. Not for files that are written to in place.
   */
  constructor(onChange: (files: ChangedFile[]) => void, onAppeared: (path: string) => void = () => {}) {
    this.#onChange = onChange;
    this.#onAppeared = onAppeared;
  }

  /**
   * Watches these folders and no others, without those below them. Does nothing on other systems than Linux.
   * @returns the reason why a folder is not watched, or null
   */
  async watch(folders: string[]): Promise<string | null> {
    if (!IS_PRECISE) return null;
    const wanted = new Set(folders.slice(0, MAX_FOLDERS));
    let problem = folders.length > MAX_FOLDERS ? `only ${MAX_FOLDERS} folders are watched` : null;
    for (const folder of this.#folders.keys()) if (!wanted.has(folder)) this.#forget(folder);
    for (const folder of wanted) {
      const inode = await stat(folder).then(
        ({ ino }) => ino,
        () => null,
      );
      if (this.#isClosed) return null;
      if (this.#folders.get(folder)?.inode === inode) continue;
      this.#forget(folder);
      if (inode === null) continue;
      try {
        this.#folders.set(folder, { inode, watcher: this.#open(folder) });
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
      if (name === null || name.startsWith('.')) return;
      const path = join(folder, name);
      if (event === 'rename') void this.#look(path);
      else this.#reports.written(path, performance.now());
      this.#schedule();
    });
    watcher.on('error', () => this.#forget(folder));
    return watcher;
  }

  async #look(path: string): Promise<void> {
    const report = this.#reports.appeared(path, performance.now());
    const stats = await stat(path).catch(() => null);
    const hasContent = stats?.isFile() ? stats.size > 0 : null;
    report(hasContent, performance.now());
    if (hasContent && !this.#isClosed) this.#onAppeared(path);
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
    if (files.length > 0) this.#onChange(files);
    this.#schedule();
  }

  #forget(folder: string): void {
    this.#folders.get(folder)?.watcher.close();
    this.#folders.delete(folder);
  }
}
