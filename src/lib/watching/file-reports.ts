/**
 * Decides which files of a folder are whole, from what the system reports of their names. A file that is created under
 * its name is empty until the first write, and each write is reported. So one that has content, and of which no write
 * has been reported since its name appeared, was complete before: it was renamed or linked into place.
 */

export interface ChangedFile {
  path: string;
  /** Whether nothing was written to it since it has this name. Otherwise nothing has been written for two seconds. */
  isWhole: boolean;
}

interface ReportedFile {
  /** Whether a write may follow. */
  isWritten: boolean;
  /** Of the last report, or of the look at the file that found content; null until that look. */
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
