/** Folders that are full, or that cannot be written. The mounts end with the processes of the trial. */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Root may mount, and ignores the modes of folders. */
export const IS_ROOT = process.getuid?.() === 0;

export function mountSmallDisk(folder: string, megabytes: number): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
}

/** Without a failure if a process still uses it: then it goes with that process. */
export function unmount(folder: string): void {
  execFileSync('umount', ['--lazy', folder]);
}

/** Leaves no byte free. */
export function fillDisk(folder: string): void {
  const file = openSync(join(folder, FILLING), 'a');
  try {
    for (let size = 1024 * 1024; size >= 1; ) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}

export function emptyDisk(folder: string): void {
  rmSync(join(folder, FILLING), { force: true });
}

const FILLING = 'filling';

export function makeReadOnly(folder: string): void {
  if (IS_ROOT) {
    execFileSync('mount', ['--bind', folder, folder]);
    execFileSync('mount', ['-o', 'remount,bind,ro', folder]);
  } else chmodSync(folder, 0o500);
}

export function makeWritable(folder: string): void {
  if (IS_ROOT) unmount(folder);
  else chmodSync(folder, 0o700);
}
