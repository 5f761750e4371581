/**
 * The file of rejected rows of a CSV import, next to the imported file: the unchanged fields with line and reason. It
 * can be corrected and imported again.
 */
import { rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { CsvRecord } from './records.ts';
import { csvField } from './row.ts';

export interface RejectsFile {
  add(header: readonly string[], record: CsvRecord, reason: string): Promise<void>;
  /** @returns the path of the file, or null if no row was rejected */
  close(): Promise<string | null>;
}

/** Opens the rejects file of a CSV file. The first row added replaces the rejects of an earlier import. */
export function openRejectsFile(file: string): RejectsFile {
  const path = rejectsPath(file);
  let handle: FileHandle | null = null;
  const write = (out: FileHandle, fields: readonly string[]) => out.write(`${fields.map(csvField).join(',')}\n`);
  return {
    async add(header, { fields, line }, reason) {
      if (handle === null) {
        // A new file, since an existing one could be readable by other users.
        rmSync(path, { force: true });
        handle = await open(path, 'wx', 0o600);
        await write(handle, [...header, 'line', 'reason']);
      }
      const padded = header.map((_, at) => fields[at] ?? '');
      await write(handle, [...padded, String(line), reason, ...fields.slice(header.length)]);
    },
    async close() {
      await handle?.close();
      return handle === null ? null : path;
    },
  };
}

/** Deletes the rejects of an earlier import of that file. */
export function deleteRejectsFile(file: string): void {
  rmSync(rejectsPath(file), { force: true });
}

function rejectsPath(file: string): string {
  return `${file}.rejects.csv`;
}
