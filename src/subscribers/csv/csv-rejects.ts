/**
 * The rows of a CSV file that could not be used: kept as they were read, with line and reason, in a file beside it that can be mended
 * and imported in its turn.
 */
import { rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { CsvRecord } from './csv-records.ts';
import { csvField } from './csv-row.ts';

export interface Rejects {
  keep(header: readonly string[], record: CsvRecord, reason: string): Promise<void>;
  /** @returns where they are kept, or null where there are none */
  close(): Promise<string | null>;
}

/** Those of that file. What an earlier import of it rejected is replaced by the first one kept. */
export function openRejects(file: string): Rejects {
  const path = rejectsPath(file);
  let handle: FileHandle | null = null;
  const write = (out: FileHandle, fields: readonly string[]) => out.write(`${fields.map(csvField).join(',')}\n`);
  return {
    async keep(header, { fields, line }, reason) {
      if (handle === null) {
        // Readable by its owner alone, which a file that is there already need not be.
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

/** Removes what an earlier import of that file rejected. */
export function forgetRejects(file: string): void {
  rmSync(rejectsPath(file), { force: true });
}

function rejectsPath(file: string): string {
  return `${file}.rejects.csv`;
}
