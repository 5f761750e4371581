/** Ids of articles whose Markdown files state none; docs/decisions/2026-11-30-ids-of-files.md says why. */
import { existsSync } from 'node:fs';
import { sep } from 'node:path';
import type { Db } from '../../../core/store/store.ts';
import { chunks } from '../../../lib/chunks.ts';
import { dayOfPlace, type FilePlace, idOfPath } from './file-place.ts';
import type { ImportFile } from './import-files.ts';

type PlacedFile = ImportFile & { place: FilePlace };

/**
 * Adds to each Markdown file of an import the day in its path, and an id: that of the article which it has brought
 * before; else its name; else its path, where other files of the import, or stored articles of the same folder, have
 * the name.
 * @param options.takeOver whether articles of other files go over to these ones
 */
export async function withDefaultIds(
  db: Db,
  files: readonly ImportFile[],
  { takeOver, now }: { takeOver: boolean; now: number },
): Promise<ImportFile[]> {
  const placed = files.filter((file): file is PlacedFile => file.place !== undefined);
  const namesakes = new Map<string, number>();
  for (const id of placed.map(shortId)) namesakes.set(id, (namesakes.get(id) ?? 0) + 1);
  const completed = new Map<ImportFile, ImportFile>();
  for (const some of chunks(placed, 200)) {
    const ids = some.map(shortId);
    const paths = some.map(({ path }) => path);
    const rows = await db
      .selectFrom('articles')
      .select(['id', 'origin'])
      .where((e) => e.or([e('id', 'in', ids), e('origin', 'in', paths)]))
      .orderBy('created_at')
      .execute();
    const owners = new Map(rows.map(({ id, origin }) => [id, origin ?? '']));
    const brought = new Map(rows.map(({ id, origin }) => [origin, id]));
    for (const file of some) {
      const short = shortId(file);
      const owner = owners.get(short) ?? '';
      const isTaken = !takeOver && owner.startsWith(`${file.pictures?.root}${sep}`) && existsSync(owner);
      const free = namesakes.get(short) === 1 && !isTaken ? short : longId(file);
      const defaultId = brought.get(file.path) ?? free;
      const published = dayOfPlace(file.place, now);
      const fields = { ...(published === null ? {} : { published }), ...file.defaults?.fields };
      completed.set(file, { ...file, defaultId, defaults: { address: null, ...file.defaults, fields } });
    }
  }
  return files.map((file) => completed.get(file) ?? file);
}

function shortId({ place: { name, language } }: PlacedFile): string {
  return idOfPath(language === undefined ? [name] : [language, name]);
}

function longId({ place: { folders, name, language } }: PlacedFile): string {
  return idOfPath([...(language === undefined ? [] : [language]), ...folders, name]);
}
