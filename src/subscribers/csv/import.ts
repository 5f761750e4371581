/**
 * Imports subscribers from a CSV file of any length in constant memory. Rejected rows are reported, and written to a
 * file that can be corrected and imported again.
 */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import type { SigningSecrets } from '../../config/signing-secrets.ts';
import type { Store } from '../../store/store.ts';
import { type CsvColumn, type MappedColumns, mapColumns } from './columns.ts';
import { type BatchReport, importBatch, type SkippedRow } from './import-batch.ts';
import { CsvSyntaxError, readRecords } from './records.ts';
import { MAX_LISTED, RejectsFile } from './rejects-file.ts';
import { type ImportRow, parseRow, unguard } from './row.ts';

export interface SubscriberImportReport extends BatchReport {
  rows: number;
  rejected: number;
  /** The first rejected rows. */
  rejects: { line: number; reason: string }[];
  /** The first skipped rows. */
  skipped: SkippedRow[];
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

const OVERSIZED = 'it has more than 64 KB: shorten it, or close its quotation mark';

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
  const totalBytes = sizeOf(file);
  const rejects = new RejectsFile(file);
  const totals: BatchReport = { added: 0, changed: 0, unchanged: 0, keptUnsubscribed: 0, suppressed: 0, left: 0 };
  const skipped: SkippedRow[] = [];
  const batch: ImportRow[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const context = { source: basename(file), now: options.clock() };
    const result = await importBatch(store, secrets, batch.splice(0), context);
    skipped.push(...result.skipped.slice(0, MAX_LISTED - skipped.length));
    for (const key of Object.keys(totals) as (keyof BatchReport)[]) totals[key] += result[key];
  };
  let rows = 0;
  let columns: MappedColumns | null = null;
  let rejectsFile: string | null = null;
  try {
    for await (const records of readRecords(file)) {
      for (const record of records) {
        const fields = record.fields.map(unguard);
        if (columns === null) {
          columns = mapColumns(fields, options.map);
          continue;
        }
        rows += 1;
        const row = record.isOversized ? OVERSIZED : parseRow(fields, record.line, columns, options);
        if (typeof row === 'string') await rejects.add(columns.header, { ...record, fields }, row);
        else if (batch.push(row) >= BATCH_SIZE) await flush();
        options.onProgress?.({ rows, rejected: rejects.count, bytes: record.bytes, totalBytes });
      }
    }
    if (columns === null) throw new Error('it is empty: the first line must name the columns, such as email,zone');
    await flush();
    if (rejects.count === 0) rejects.delete();
  } catch (error) {
    if (error instanceof CsvSyntaxError) await flush();
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  } finally {
    rejectsFile = await rejects.close();
  }
  return {
    ...totals,
    rows,
    rejected: rejects.count,
    rejects: rejects.listed,
    skipped,
    rejectsFile,
    ignoredColumns: columns.ignored,
  };
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    throw new Error(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}
