/**
 * Imports subscribers from a CSV file of any length in flat memory. A row that cannot be used is reported with its line and kept,
 * as it was read, in a file of rejects, which can be mended and imported in its turn.
 */
import { createReadStream, createWriteStream, rmSync, statSync, type WriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { type CsvError, parse } from 'csv-parse';
import type { Store } from '../store/store.ts';
import { type Column, type ColumnMap, delimiterOf, mapColumns } from './csv-columns.ts';
import { csvField, type ImportRow, readRow } from './csv-row.ts';
import { type BatchReport, importBatch } from './import-batch.ts';
import type { SigningSecrets } from './secret.ts';

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

const ROWS_A_BATCH = 1_000;
const SHOWN_REJECTS = 20;
/** A quote that is never closed would otherwise swallow the file. */
const LONGEST_RECORD = 64 * 1024;

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
  const rejects = openRejects(`${file}.rejects.csv`);
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
    for await (const { record, line, raw, bytes } of recordsOf(file)) {
      if (columns === null) {
        header = record;
        columns = mapColumns(record, options.map);
        report.ignoredColumns = columns.ignored;
        continue;
      }
      report.rows += 1;
      const row = readRow(record, line, columns, { newsletters: options.newsletters, known: options.known });
      if (typeof row === 'string') {
        report.rejected += 1;
        if (report.rejects.length < SHOWN_REJECTS) report.rejects.push({ line, reason: row });
        await rejects.keep(header, raw, line, row);
      } else {
        batch.push(row);
        if (batch.length >= ROWS_A_BATCH) await flush();
      }
      onProgress?.({ rows: report.rows, rejected: report.rejected, bytes, totalBytes });
    }
    if (columns === null) throw new Error('it is empty: the first line must name the columns, such as email,zone');
    await flush();
  } catch (error) {
    if (error instanceof BrokenCsv) await flush();
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  } finally {
    report.rejectsFile = await rejects.close();
  }
  return report;
}

/** From here on nothing of the file can be read. */
class BrokenCsv extends Error {
  override name = 'BrokenCsv';
}

interface CsvRecord {
  record: string[];
  /** Where it begins, from 1. */
  line: number;
  raw: string[];
  bytes: number;
}

async function* recordsOf(file: string): AsyncGenerator<CsvRecord> {
  const parser = parse({
    bom: true,
    delimiter: delimiterOf(await firstLine(file)),
    info: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_RECORD,
  });
  const input = createReadStream(file);
  input.on('error', (error) => parser.destroy(error));
  input.pipe(parser);
  let last = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number; bytes: number };
    }>) {
      // The parser counts to the record's end; a quoted field may hold line ends.
      const height = record.reduce((lines, field) => lines + (field.match(/\r\n|\r|\n/g)?.length ?? 0), 0);
      last = info.lines;
      yield { record, line: info.lines - height, raw: record, bytes: info.bytes };
    }
  } catch (error) {
    const { code } = error as CsvError;
    if (code === 'CSV_MAX_RECORD_SIZE' || code === 'CSV_QUOTE_NOT_CLOSED') {
      throw new BrokenCsv(
        `behind line ${last}: a quotation mark is never closed; what stood before it has been imported`,
      );
    }
    throw error;
  } finally {
    input.destroy();
  }
}

async function firstLine(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(LONGEST_RECORD), 0, LONGEST_RECORD, 0);
    return buffer.toString('utf8', 0, bytesRead).split(/\r\n|\r|\n/, 1)[0] ?? '';
  } finally {
    await handle.close();
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    throw new Error(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

/** The file of rejects: made with the first one, and that of an earlier import is gone. */
function openRejects(path: string) {
  let file: WriteStream | null = null;
  return {
    async keep(header: string[], raw: string[], line: number, reason: string): Promise<void> {
      if (file === null) {
        file = createWriteStream(path, { mode: 0o600 });
        file.write(`${[...header, 'line', 'reason'].map(csvField).join(',')}\n`);
      }
      const width = header.length;
      const fields = Array.from({ length: width }, (_, index) => raw[index] ?? '');
      const whole = file.write(`${[...fields, String(line), reason].map(csvField).join(',')}\n`);
      if (!whole) await new Promise<void>((resolve) => file?.once('drain', resolve));
    },
    async close(): Promise<string | null> {
      if (file === null) {
        rmSync(path, { force: true });
        return null;
      }
      const stream = file;
      await new Promise<void>((resolve, reject) => {
        stream.once('error', reject);
        stream.end(resolve);
      });
      return path;
    },
  };
}
