/** Knows which places cannot be written, in memory, because the store may be one of them. Alerts are made of it. */
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import { QuietPeriod } from '../../lib/quiet-period.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { SECOND } from '../../lib/time.ts';
import { writeMeta } from '../store/meta.ts';
import type { Db, Store } from '../store/store.ts';
import { findAlert, type RaisedAlert, syncAlerts } from './alerts.ts';

/** `backup`: where the last backup was to be written. */
type StoragePlace = 'store' | 'feeds' | 'media' | 'backup';

/** Codes of a disk that is full, broken or not writable. */
const DISK_CODES: ReadonlySet<unknown> = new Set([
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO', 'ENOENT', 'ENOTDIR', 'EEXIST'],
]);

const KIND = 'storage';
/** How long the store must not have failed before it is tried. */
const STORE_QUIET = 15 * SECOND;
/** Backups and large imports of other programs may lock it for some seconds. */
const LOCK_TOLD_AFTER = 30 * SECOND;

/** Whether a text says that a disk or a quota is full: SQLite's, PostgreSQL's or the operating system's. */
const FULL = /disk is full|no space left|quota exceeded/i;
/** Bytes. A few would find room on a disk that is full. */
const PROBE = 64 * 1024;

export class StorageWatch {
  /** Null: it can be written. */
  readonly #problems = new Map<StoragePlace, string | null>();
  /** Places whose alert must be raised or resolved. */
  readonly #changed = new Set<StoragePlace>();
  readonly #afterStoreFailed = new QuietPeriod();
  #storeFailedAt = 0;

  /** The alerts of all places that cannot be written. */
  failing(): RaisedAlert[] {
    return [...this.#problems].flatMap(([place, message]) => (message === null ? [] : { ...alertOf(place), message }));
  }

  /**
   * Writes to a folder.
   * @param what begins the message, such as `The folder of feeds /srv/feeds`
   * @returns whether it succeeded
   * @throws an error that is not one of the disk
   */
  async attempt(place: StoragePlace, what: string, write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
    } catch (error) {
      const { code, errno } = error as NodeJS.ErrnoException;
      if (!DISK_CODES.has(code)) throw error;
      this.set(place, `${what} cannot be written: ${getSystemErrorMessage(errno ?? 0)} (${code}).`);
      return false;
    }
    this.set(place, null);
    return true;
  }

  set(place: StoragePlace, reason: string | null): void {
    const isFull = reason !== null && FULL.test(reason);
    const problem = isFull ? `${reason} Free space on its disk: the work goes on by itself.` : reason;
    if (this.#problems.get(place) === problem) return;
    this.#problems.set(place, problem);
    this.#changed.add(place);
  }

  /** @returns whether the store has failed since the last call, or is locked for some time */
  noteFault({ faults, location }: Store, now: number): boolean {
    const isLocked = performance.now() - (faults.lockedSince ?? Number.POSITIVE_INFINITY) >= LOCK_TOLD_AFTER;
    if (faults.last === null && !isLocked) return false;
    this.#storeFailedAt = now;
    const locked =
      `The store ${location} is locked by another program: nothing can be written. Wait for it, or end it ` +
      `("fuser ${location}" lists the processes that have it open); the work goes on by itself.`;
    this.set('store', isLocked ? locked : `The store cannot be written: ${errorLine(faults.last ?? '')}.`);
    faults.last = null;
    return true;
  }

  /** Tries the store some time after it has failed. @throws the error of the store */
  async lookAtStore(store: Store, now: number): Promise<void> {
    const { db } = store;
    if (this.noteFault(store, now)) this.#afterStoreFailed.begin(now, STORE_QUIET);
    if (this.#problems.get('store') === null) return;
    const alert = await findAlert(db, alertOf('store'));
    // Otherwise it would be raised again, after another process has tried the store and resolved it.
    const isResolved = (alert?.resolvedAt ?? 0) > this.#storeFailedAt;
    // One that is over must be told, too: it is raised first.
    const isUntold = this.#changed.has('store') && alert?.resolvedAt !== null;
    if (!isResolved && (isUntold || this.#afterStoreFailed.lasts(now))) return;
    // A process that starts tries it only if another one has failed.
    if (!isResolved && (this.#problems.has('store') || alert?.resolvedAt === null)) {
      await writeMeta(db, 'storage.probe', randomBytes(PROBE / 2).toString('hex'));
      await writeMeta(db, 'storage.probe', null);
    }
    this.set('store', null);
  }

  /** Raises and resolves the alerts. @throws the error of the store; the next call does the same */
  async sync(db: Db, now: number): Promise<void> {
    const changed = [...this.#changed];
    const alerts = this.failing();
    const concerned = new Set<unknown>([...changed, ...alerts.map(({ subject }) => subject.place)]);
    // Before the store is asked: a place may change meanwhile.
    this.#changed.clear();
    try {
      await syncAlerts(db, KIND, alerts, now, ({ place }) => concerned.has(place));
    } catch (error) {
      for (const place of changed) this.#changed.add(place);
      throw error;
    }
  }
}

/** Without the name of the machine: that of a container changes, and nothing would resolve the alert. */
function alertOf(place: StoragePlace) {
  return { kind: KIND, subject: { place } };
}

/** Writes a file into a folder and deletes it. @throws the error of the file system */
export async function probeFolder(folder: string): Promise<void> {
  // The name of a temporary file of mirror.ts, which deletes those that are left.
  const file = join(folder, `.daywire-${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeFile(file, Buffer.alloc(PROBE));
  } finally {
    await rm(file, { force: true });
  }
}
