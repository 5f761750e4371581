/**
 * Imports subscribers from a CSV file of any length in constant memory. Rejected rows are reported, and written to a
 * file that can be corrected and imported again.
 */
import { rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import { analyseGrown } from '../../core/store/maintenance.ts';
import { inTransaction, rollBack, type Store, type Tx } from '../../core/store/store.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { checkFile, checkName, needsCheck } from './check-file.ts';
import { type ChoiceRules, openChoices } from './choices.ts';
import { checkStatusRules, type GivenColumns, type MappedColumns, mapColumns, statusesOf } from './columns.ts';
import { type BatchResult, importBatch, type SkippedRow } from './import-batch.ts';
import { COMMAND_OPTIONS, type ImportWords } from './import-words.ts';
import type { ListFormatName } from './list-formats.ts';
import { type CsvRecord, CsvSyntaxError, checkEncoding, readRecords } from './records.ts';
import { csvField, type ImportRow, parseRow, unguard } from './row.ts';
import { effectOf, type ImportStatus, NOT_IMPORTED, type StatusRules } from './statuses.ts';

export interface SubscriberImportResult extends BatchResult {
  /** The recognised export, or `plain`. */
  format: ListFormatName | 'plain';
  /** Whether nothing was stored. */
  dryRun: boolean;
  rows: number;
  /** Valid rows by the status in the file, with those that changed something. Only `subscribed` for a plain file. */
  statuses: Partial<Record<ImportStatus, { rows: number; effective: number }>>;
  /** Rows of people who have not confirmed, or are no longer mailed. */
  notImported: number;
  rejected: number;
  /** The first rejected rows. */
  rejects: { line: number; reason: string }[];
  /** The first skipped rows. */
  skipped: SkippedRow[];
  /** Path of the file with all rejected rows, or null. */
  rejectsFile: string | null;
  /** Unknown columns. */
  ignoredColumns: string[];
  /** Values of choices that choose nothing, with their numbers: the first different ones, then `others`. */
  unusedChoices?: [value: string, count: number][];
}

export interface SubscriberImportOptions {
  /** Ids of newsletters that the file is about, if it has no column for them. */
  newsletters: readonly string[];
  /** Ids of all newsletters of the configuration. */
  known: readonly string[];
  /** Headers named by the operator. */
  map?: GivenColumns;
  /** Name of a format, or `plain`; omitted, the header decides. */
  format?: string | undefined;
  /** Headers of columns that say nothing about consent, even if their names suggest it. */
  ignore?: readonly string[] | undefined;
  /** The operator's words for statuses. */
  status?: StatusRules | undefined;
  /** Default: no newsletter offers anything. */
  choices?: ChoiceRules | undefined;
  /** For errors. Default: the options of the command. */
  words?: ImportWords | undefined;
  /**
   * Counts what would be done, in transactions that are rolled back: one for each batch, so that others can write in
   * between. An address in two batches counts twice.
   */
  dryRun?: boolean | undefined;
  clock: () => number;
  onProgress?: (progress: { rows: number; rejected: number; bytes: number; totalBytes: number }) => void;
}

const BATCH_SIZE = 500;

const OVERSIZED = 'it has more than 64 KB: shorten it, or close its quotation mark';
const NO_RULES: StatusRules = { words: {}, all: null };
const NO_CHOICES: ChoiceRules = { values: [], sections: [], newsletters: [] };

/**
 * Imports a file, with one transaction per batch: an interrupted import keeps the finished batches, and can be
 * repeated. Where a column or a value may say that somebody must not get mail, and it is not understood, nothing is
 * imported. In a file with statuses, rows that end something are imported first, so that no other row of the same
 * address subscribes it.
 * @throws Error if the file cannot be read, its header cannot be mapped, a status is not understood, or a quote is not
 * closed, with the line
 */
export async function importSubscribers(
  store: Pick<Store, 'db' | 'dialect'>,
  secrets: SigningSecrets,
  file: string,
  options: SubscriberImportOptions,
): Promise<SubscriberImportResult> {
  const totalBytes = sizeOf(file);
  try {
    await checkEncoding(file);
    const columns = await readColumns(file, options);
    const { status: rules = NO_RULES, known, words = COMMAND_OPTIONS } = options;
    checkStatusRules(columns, rules);
    checkName(file, columns, rules, words);
    if (needsCheck(columns)) await checkFile(file, columns, rules, { known, words });
    const needed = options.map?.choices === undefined ? [] : options.newsletters;
    const chosen = openChoices(columns.choices, options.choices ?? NO_CHOICES, needed);
    const context = { columns, rules, chosen, totalBytes, ...options, words };
    const report = await new FileImport(store, secrets, file, context).run();
    if (!options.dryRun) await analyseGrown(store.db, ['subscribers', 'subscriptions'], report.added);
    return report;
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

interface Context extends SubscriberImportOptions {
  columns: MappedColumns;
  rules: StatusRules;
  chosen: ReturnType<typeof openChoices>;
  totalBytes: number;
  words: ImportWords;
}

class FileImport {
  readonly #store: Pick<Store, 'db' | 'dialect'>;
  readonly #secrets: SigningSecrets;
  readonly #file: string;
  readonly #context: Context;
  readonly #rejects: RejectsFile;
  readonly #totals: BatchResult = { added: 0, changed: 0, unchanged: 0, keptUnsubscribed: 0, suppressed: 0, left: 0 };
  readonly #statuses: SubscriberImportResult['statuses'] = {};
  readonly #skipped: SkippedRow[] = [];
  readonly #batch: ImportRow[] = [];
  #rows = 0;
  #notImported = 0;

  constructor(store: Pick<Store, 'db' | 'dialect'>, secrets: SigningSecrets, file: string, context: Context) {
    this.#store = store;
    this.#secrets = secrets;
    this.#file = file;
    this.#context = context;
    this.#rejects = new RejectsFile(context.dryRun ? null : file);
  }

  async run(): Promise<SubscriberImportResult> {
    const { columns, dryRun = false } = this.#context;
    const hasStatus = columns.statusColumns.length > 0 || columns.all.some((status) => status !== 'subscribed');
    let rejectsFile: string | null = null;
    try {
      if (hasStatus) await this.#read('ending');
      await this.#read(hasStatus ? 'subscribing' : 'all');
      if (this.#rejects.count === 0) this.#rejects.delete();
    } catch (error) {
      if (!(error instanceof CsvSyntaxError) || dryRun) throw error;
      await this.#flush();
      throw new Error(`${error.message}; the rows before it have been imported`, { cause: error });
    } finally {
      rejectsFile = await this.#rejects.close();
    }
    return {
      format: columns.format?.name ?? 'plain',
      dryRun,
      ...this.#totals,
      rows: this.#rows,
      statuses: this.#statuses,
      notImported: this.#notImported,
      rejected: this.#rejects.count,
      rejects: this.#rejects.listed,
      skipped: this.#skipped.sort((a, b) => a.line - b.line),
      rejectsFile,
      ignoredColumns: columns.ignored,
      unusedChoices: [...this.#context.chosen.unused],
    };
  }

  /** Imports the rows that end something, all others, or all in one reading. */
  async #read(which: 'ending' | 'subscribing' | 'all'): Promise<void> {
    const { columns, rules, onProgress, totalBytes } = this.#context;
    let isHeader = true;
    for await (const records of readRecords(this.#file, columns.format?.escape)) {
      for (const record of records) {
        if (isHeader) {
          isHeader = false;
          continue;
        }
        const fields = record.fields.map(unguard);
        const found = statusesOf(fields, columns, rules);
        const statuses = found.kind === 'known' && !record.isOversized ? found.statuses : null;
        if (which !== 'all' && isEnding(statuses) !== (which === 'ending')) continue;
        await this.#add(record, fields, statuses);
        onProgress?.({ rows: this.#rows, rejected: this.#rejects.count, bytes: record.bytes, totalBytes });
      }
    }
    await this.#flush();
  }

  /** @param statuses null if they are not known: the address is invalid, or the file has changed since its check */
  async #add(record: CsvRecord, fields: string[], statuses: readonly ImportStatus[] | null): Promise<void> {
    const { columns } = this.#context;
    const { read } = this.#context.chosen;
    this.#rows += 1;
    let row = record.isOversized ? OVERSIZED : parseRow(fields, record.line, columns, statuses ?? [], this.#context);
    if (typeof row !== 'string' && statuses === null) row = 'its status is not known';
    if (typeof row === 'string') {
      await this.#rejects.add(columns.header, { ...record, fields }, row);
      return;
    }
    this.#count(row.status, 'rows');
    const reason = NOT_IMPORTED[row.status];
    if (reason !== undefined) {
      this.#notImported += 1;
      if (this.#skipped.length < MAX_LISTED) this.#skipped.push({ line: row.line, reason });
    } else if (this.#batch.push({ ...row, choices: read(fields, row.newsletters) }) >= BATCH_SIZE) await this.#flush();
  }

  #count(status: ImportStatus, what: 'rows' | 'effective'): void {
    const counts = this.#statuses[status] ?? { rows: 0, effective: 0 };
    counts[what] += 1;
    this.#statuses[status] = counts;
  }

  async #flush(): Promise<void> {
    if (this.#batch.length === 0) return;
    const context = { source: basename(this.#file), now: this.#context.clock() };
    const batch = this.#batch.splice(0);
    const { db, dialect } = this.#store;
    const run = (tx: Tx) => importBatch({ db: tx, dialect }, this.#secrets, batch, context);
    const { skipped, effective, ...counts } = await (this.#context.dryRun ? rollBack : inTransaction)(db, run);
    this.#skipped.push(...skipped.slice(0, MAX_LISTED - this.#skipped.length));
    for (const row of effective) this.#count(row.status, 'effective');
    for (const key of Object.keys(counts) as (keyof BatchResult)[]) this.#totals[key] += counts[key];
  }
}

/** Whether a row ends a subscription or suppresses the address. */
function isEnding(statuses: readonly ImportStatus[] | null): boolean {
  const { subscription, suppressed } = effectOf(statuses ?? []);
  return subscription === 'ends' || suppressed !== null;
}

/** @throws Error if the file is empty, or its header cannot be mapped */
async function readColumns(file: string, { map, format, ignore, status, words }: SubscriberImportOptions) {
  for await (const [header] of readRecords(file)) {
    if (header !== undefined) return mapColumns(header.fields.map(unguard), map, { format, ignore, status, words });
  }
  throw new Error('it is empty: the first line must name the columns, such as email,zone');
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (error) {
    throw new Error(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
}

/** Rows of which a report lists line and reason. */
const MAX_LISTED = 20;

/** Next to the imported file: the unchanged fields of rejected rows with line and reason. Can be imported again. */
class RejectsFile {
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
