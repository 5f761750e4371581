/**
 * The file of rejected rows of a CSV import, next to the imported file: the unchanged fields with line and reason. It
 * can be corrected and imported again.
 */
import { rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errorLine } from '../../lib/text/clean-text.ts';
import type { CsvRecord } from './records.ts';
import { csvField } from './row.ts';

/** Rows of which a report lists line and reason. */
export const MAX_LISTED = 20;

export class RejectsFile {
  count = 0;
  /** The first rejected rows. */
  readonly listed: { line: number; reason: string }[] = [];
  readonly #path: string | null;
  #handle: FileHandle | null = null;

  /** @param importedFile null only counts and lists rejected rows */
  constructor(importedFile: string | null) {
    this.#path = importedFile === null ? null : `${importedFile}.rejects.csv`;
  }

  /**
   * Adds a row. The first one replaces the file of an earlier import.
   * @param cause may quote a field; its control characters, which a terminal would obey, are removed
   */
  async add(header: readonly string[], { fields, line }: CsvRecord, cause: string): Promise<void> {
    const reason = errorLine(cause);
    this.count += 1;
    if (this.listed.length < MAX_LISTED) this.listed.push({ line, reason });
    if (this.#path === null) return;
    if (this.#handle === null) {
      // A new file, since an existing one could be readable by other users.
      this.delete();
      this.#handle = await open(this.#path, 'wx', 0o600);
      await this.#write([...header, 'line', 'reason']);
    }
    const padded = header.map((_, index) => fields[index] ?? '');
    await this.#write([...padded, String(line), reason, ...fields.slice(header.length)]);
  }

  /** @returns the path of the file, or null if no row was rejected */
  async close(): Promise<string | null> {
    await this.#handle?.close();
    return this.#handle && this.#path;
  }

  delete(): void {
    if (this.#path !== null) rmSync(this.#path, { force: true });
  }

  async #write(fields: readonly string[]): Promise<void> {
    await this.#handle?.write(`${fields.map(csvField).join(',')}\n`);
  }
}
