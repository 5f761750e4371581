/**
 * Imports subscribers from a CSV file of any length in constant memory. Rejected rows are reported, and written to a
 * file that can be corrected and imported again.
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { SigningSecrets } from '../../config/signing-secrets.ts';
import type { Store } from '../../store/store.ts';
import { type ColumnMap, type CsvColumn, mapColumns } from './columns.ts';
import { type BatchReport, importBatch } from './import-batch.ts';
import { CsvSyntaxError, readRecords } from './records.ts';
import { deleteRejectsFile, openRejectsFile } from './rejects-file.ts';
import { type ImportRow, parseRow } from './row.ts';

export interface SubscriberImportReport extends BatchReport {
  rows: number;
  rejected: number;
  /** The first rejected rows. */
  rejects: { line: number; reason: string }[];
  /** Path of the file with all rejected rows, or null. */
  rejectsFile: string | null;
  /** Unknown columns. */
  ignoredColumns: string[];
}

export interface SubscriberImportOptions {
  /** Ids of newsletters to subscribe to if the file has no column for them. */
  newsletters: readonly string[];
  /** Ids of all newsletters of the configuration. */
  known: readonly string[];
  /** Headers named by the operator. */
  map?: Partial<Record<CsvColumn, string>>;
  clock: () => number;
  onProgress?: (progress: { rows: number; rejected: number; bytes: number; totalBytes: number }) => void;
}

const BATCH_SIZE = 500;
const MAX_LISTED_REJECTS = 20;

/**
 * Imports a file, with one transaction per batch: an interrupted import keeps the finished batches, and can be
 * repeated.
 * @throws Error if the file cannot be read, its header cannot be mapped, or a quote is not closed, with the line
 */
export async function importSubscribers(
  store: Pick<Store, 'db' | 'dialect'>,
  secrets: SigningSecrets,
  file: string,
  options: SubscriberImportOptions,
): Promise<SubscriberImportReport> {
  const { clock, onProgress } = options;
  const totalBytes = sizeOf(file);
  const rejects = openRejectsFile(file);
  const report: SubscriberImportReport = {
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
    const result = await importBatch(store, secrets, batch.splice(0), { source: basename(file), now: clock() });
    for (const key of ['added', 'changed', 'unchanged', 'keptUnsubscribed', 'suppressed'] as const)
      report[key] += result[key];
  };
  let columns: ColumnMap | null = null;
  let header: string[] = [];
  try {
    for await (const records of readRecords(file)) {
      for (const record of records) {
        if (columns === null) {
          header = record.fields;
          columns = mapColumns(header, options.map);
          report.ignoredColumns = columns.ignored;
          continue;
        }
        report.rows += 1;
        const row = parseRow(record.fields, record.line, columns, options);
        if (typeof row === 'string') {
          report.rejected += 1;
          if (report.rejects.length < MAX_LISTED_REJECTS) report.rejects.push({ line: record.line, reason: row });
          await rejects.add(header, record, row);
        } else {
          batch.push(row);
          if (batch.length >= BATCH_SIZE) await flush();
        }
        onProgress?.({ rows: report.rows, rejected: report.rejected, bytes: record.bytes, totalBytes });
      }
    }
    if (columns === null) throw new Error('it is empty: the first line must name the columns, such as email,zone');
    await flush();
    if (report.rejected === 0) deleteRejectsFile(file);
  } catch (error) {
    if (error instanceof CsvSyntaxError) await flush();
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
