/** Free disk space, asked before a piece of work that needs much of it. */
import { statfs } from 'node:fs/promises';

/** Bytes that may be written to the file system of a folder. */
export async function freeSpace(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** For an operator: rounded up. */
export function toMegabytes(bytes: number): number {
  return Math.ceil(bytes / (1024 * 1024));
}
