/**
 * Imports subscribers from a CSV file of any length in flat memory. A row that cannot be used is reported with its line and kept,
 * as it was read, in a file of rejects, which can be mended and imported in its turn.
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Store } from '../../store/store.ts';
import type { SigningSecrets } from '../tokens/secret.ts';
import { type Column, type ColumnMap, mapColumns } from './csv-columns.ts';
import { BrokenCsv, recordsOf } from './csv-records.ts';
import { forgetRejects, openRejects } from './csv-rejects.ts';
import { type ImportRow, readRow } from './csv-row.ts';
import { type BatchReport, importBatch } from './import-batch.ts';

export interface ImportReport extends BatchReport {
  rows: number;
  rejected: number;
  /** The first of them. */
  rejects: { line: number; reason: string }[];
  /** Where all of them are kept, or null where there are none. */
  rejectsFile: string | null;
  /** Columns that say nothing to us. */
  ignoredColumns: string[];
}

export interface ImportOptions {
  /** Ids of newsletters for rows of a file that has no such column. */
  newsletters: readonly string[];
  /** Ids of all newsletters of the configuration. */
  known: readonly string[];
  /** Headers named by the operator. */
  map?: Partial<Record<Column, string>>;
  clock: () => number;
  onProgress?: (so: { rows: number; rejected: number; bytes: number; totalBytes: number }) => void;
}

const ROWS_A_BATCH = 500;
const SHOWN_REJECTS = 20;

/**
 * Imports the file, a batch to a transaction: what stops it in the middle keeps what was done, and it can be run again.
 * @throws Error where the file cannot be read, its header cannot be mapped, or its quotes are broken, with the line
 */
export async function importSubscribers(
  store: Pick<Store, 'db' | 'dialect'>,
  secrets: SigningSecrets,
  file: string,
  options: ImportOptions,
): Promise<ImportReport> {
  const { clock, onProgress } = options;
  const totalBytes = sizeOf(file);
  const rejects = openRejects(file);
  const report: ImportReport = {
    rows: 0,
    added: 0,
    changed: 0,
    unchanged: 0,
    keptUnsubscribed: 0,
    suppressed: 0,
    rejected: 0,
    rejects: [],
    rejectsFile: null,
    ignoredColumns: [],
  };
  const batch: ImportRow[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const done = await importBatch(store, secrets, batch.splice(0), { source: basename(file), now: clock() });
    for (const key of ['added', 'changed', 'unchanged', 'keptUnsubscribed', 'suppressed'] as const)
      report[key] += done[key];
  };
  let columns: ColumnMap | null = null;
  let header: string[] = [];
  try {
    for await (const records of recordsOf(file)) {
      for (const record of records) {
        if (columns === null) {
          header = record.fields;
          columns = mapColumns(header, options.map);
          report.ignoredColumns = columns.ignored;
          continue;
        }
        report.rows += 1;
        const row = readRow(record.fields, record.line, columns, options);
        if (typeof row === 'string') {
          report.rejected += 1;
          if (report.rejects.length < SHOWN_REJECTS) report.rejects.push({ line: record.line, reason: row });
          await rejects.keep(header, record, row);
        } else {
          batch.push(row);
          if (batch.length >= ROWS_A_BATCH) await flush();
        }
        onProgress?.({ rows: report.rows, rejected: report.rejected, bytes: record.bytes, totalBytes });
      }
    }
    if (columns === null) throw new Error('it is empty: the first line must name the columns, such as email,zone');
    await flush();
    if (report.rejected === 0) forgetRejects(file);
  } catch (error) {
    if (error instanceof BrokenCsv) await flush();
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  } finally {
    report.rejectsFile = await rejects.close();
  }
  return report;
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    throw new Error(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}
