/** Which files of watched folders have been imported, as they were then. */
import type { Db } from '../../../core/store/store.ts';
import { chunks } from '../../../lib/chunks.ts';
import type { ImportFile } from './import-files.ts';

/** The files that have changed since they were remembered, or never were. */
export async function findChangedFiles(db: Db, files: ImportFile[]): Promise<ImportFile[]> {
  const changed = new Map<string, ImportFile>();
  for (const some of chunks(files, 500)) {
    const paths = some.map((file) => file.path);
    const rows = await db.selectFrom('imported_files').selectAll().where('path', 'in', paths).execute();
    const known = new Map(rows.map((row) => [row.path, row.fingerprint]));
    for (const file of some) {
      if (known.get(file.path) !== file.fingerprint) changed.set(file.path, file);
    }
  }
  return [...changed.values()];
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
