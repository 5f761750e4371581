/** Clears the rejections of files that no longer exist. */
import { existsSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import type { Store } from '../../../core/store/store.ts';
import { chunks } from '../../../lib/chunks.ts';
import { clearRejectionsOfFiles, countRejectionsByStage, listImportSources } from '../../rejections.ts';
import type { ImportFile } from '../files/import-files.ts';

/**
 * Clears the rejections of files at or below paths that an import did not find.
 * @param paths.listed those whose files are `found`
 * @param paths.failed those that could not be read. A folder may be on a disk that is not mounted: only a file that is
 * missing from an existing folder counts as gone.
 */
export async function clearGoneFiles(
  { db, reports }: Store,
  paths: { listed: string[]; failed: string[] },
  found: ImportFile[],
): Promise<void> {
  if ((await countRejectionsByStage(db)).import === 0) return;
  const present = new Set(found.map((file) => file.path));
  const unreadable = found.filter((file) => file.fingerprint === '').map((file) => file.path);
  const listed = paths.listed.map((path) => resolve(path));
  const failed = paths.failed.map((path) => resolve(path));
  const missing = failed.filter((path) => !existsSync(path) && existsSync(dirname(path)));
  const gone = (await listImportSources(reports)).filter(
    (source) =>
      !present.has(source) &&
      !unreadable.some((folder) => isBelow(source, folder)) &&
      (missing.includes(source) || listed.some((folder) => isBelow(source, folder))),
  );
  for (const some of chunks(gone, 500)) {
    // They count as new if they return.
    await db.deleteFrom('imported_files').where('path', 'in', some).execute();
    await clearRejectionsOfFiles(db, some);
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
