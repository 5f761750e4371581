/**
 * Files and folders with personal data, which only the user of daywire may read. They have their mode from the moment
 * they are created; those that exist keep theirs.
 */
import { closeSync, openSync } from 'node:fs';

export const PRIVATE_FILE = 0o600;
/** Mode of every folder that is created on the way. */
export const PRIVATE_FOLDER = 0o700;

/**
 * Creates an empty file, unless it exists: for programs that take over the mode of an existing file. One that exists is
 * not opened, since closing it would release the locks that SQLite has on it.
 * @throws the error of the file system, other than that the file exists
 */
export function createPrivateFile(path: string): void {
  try {
    closeSync(openSync(path, 'ax', PRIVATE_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
