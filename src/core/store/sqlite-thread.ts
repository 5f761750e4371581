/**
 * A thread with its own connection to an SQLite file: statements, commits and waits for locks do not block the event
 * loop.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { threadEnvironment } from '../../lib/threads/thread-job.ts';
import { LOCK_TIMEOUT, type SqliteAccess } from './sqlite.ts';
import type { SerializedError, SqlStatement, WorkerRequest, WorkerResponse } from './sqlite-worker.ts';

/** The .ts file in a checkout, the .js file in the published package. */
const WORKER = new URL(`./sqlite-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

export type StatementResult = Exclude<WorkerResponse, { failed: SerializedError }>;

/** What a process knows of the troubles of its store. */
export interface StoreFaults {
  /** The last failure because the database is away, or its disk is full, broken or not writable. */
  last: string | null;
  /** Since when another program locks the file of SQLite, by `performance.now()`; null while writes succeed. */
  lockedSince: number | null;
  /** Whether PostgreSQL leaves a question without an answer. */
  isSilent: boolean;
}

/** No troubles. */
export const noFaults = (): StoreFaults => ({ last: null, lockedSince: null, isSilent: false });

export class SqliteThread {
  readonly #path: string;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  /** In the order of the requests, which is that of the responses. */
  readonly #pending: { since: number; resolve(result: StatementResult): void; reject(error: Error): void }[] = [];
  readonly #faults: StoreFaults;
  #patience = LOCK_TIMEOUT;
  #ended: Error | undefined;

  constructor(path: string, access: SqliteAccess, faults: StoreFaults) {
    this.#path = path;
    this.#faults = faults;
    this.#worker = new Worker(WORKER, {
      name: `sqlite ${access}`,
      workerData: { path, access },
      env: threadEnvironment(),
      // The flags of the process (-e, --input-type, --require) concern its entry point.
      execArgv: [],
      // Its objects are short-lived rows: the default of 48 MB would let as much garbage accumulate. A flag of the
      // process overrides it (bin/memory-settings.js).
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    this.#worker.on('message', (response: WorkerResponse) => this.#complete(response));
    this.#worker.on('error', (error) => this.#end(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#end(new Error('it was stopped'));
        resolve();
      });
    });
    // An idle thread does not keep the process alive; one with pending requests does.
    this.#worker.unref();
  }

  /** Whether the thread has ended. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Runs one statement, after all earlier requests.
   * @param since when the caller began to wait, by `performance.now()`: while another program is known to lock the
   *   file, all that wait fail LOCK_TIMEOUT after that, instead of one after the other
   * @throws the error of SQLite, with its message, code and errcode; an Error if the thread ends
   */
  run(sql: string, parameters: readonly unknown[], since?: number): Promise<StatementResult> {
    return this.#request([sql, parameters], since);
  }

  /**
   * Runs several statements as one transaction, after all earlier requests.
   * @returns the rows of each
   * @throws as `run` does; the transaction is then rolled back
   */
  async runBatch(statements: readonly SqlStatement[], since?: number): Promise<unknown[][]> {
    return ((await this.#request({ batch: statements }, since)) as { rows: unknown[][] }).rows;
  }

  #request(request: WorkerRequest, since = performance.now()): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      this.#setPatience(this.#faults.lockedSince === null ? LOCK_TIMEOUT : since + LOCK_TIMEOUT - performance.now());
      this.#worker.postMessage(request);
      if (this.#pending.push({ since, resolve, reject }) === 1) this.#worker.ref();
    });
  }

  #setPatience(milliseconds: number): void {
    const patience = Math.max(0, Math.round(milliseconds));
    if (patience !== this.#patience) this.#worker.postMessage(patience satisfies WorkerRequest);
    this.#patience = patience;
  }

  /** Ends the thread after all earlier requests. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.#worker.ref();
    this.#worker.postMessage(null satisfies WorkerRequest);
    await this.#exited;
  }

  #complete(response: WorkerResponse): void {
    const request = this.#pending.shift();
    if (this.#pending.length === 0) this.#worker.unref();
    if ('failed' in response) {
      if (primaryCode(response.failed.errcode) === SQLITE_BUSY) this.#faults.lockedSince ??= request?.since ?? null;
      request?.reject(toError(response.failed, this.#path, this.#faults));
    } else {
      this.#faults.lockedSince = null;
      request?.resolve(response);
    }
  }

  #end(cause: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = new Error(
      `the thread of the database ${this.#path} ended, and its open transaction is rolled back: ${cause.message}`,
      { cause },
    );
    for (const { reject } of this.#pending.splice(0)) reject(this.#ended);
  }
}

export const SQLITE_BUSY = 5;

/** The lower byte of an extended code (https://sqlite.org/rescode.html); 0 if there is none. */
export const primaryCode = (errcode: unknown): number => Number(errcode) & 0xff;

/** Errors about the file or its disk, which name no path. */
const FILE_ERRORS = new Set([
  SQLITE_BUSY,
  8, // SQLITE_READONLY
  10, // SQLITE_IOERR
  11, // SQLITE_CORRUPT
  13, // SQLITE_FULL
  14, // SQLITE_CANTOPEN
  26, // SQLITE_NOTADB
]);

function toError({ name, message, code, errcode, errstr }: SerializedError, path: string, faults: StoreFaults): Error {
  const isAboutFile = FILE_ERRORS.has(primaryCode(errcode));
  const text = isAboutFile ? `${path}: ${message}` : message;
  if (isAboutFile && primaryCode(errcode) !== SQLITE_BUSY) faults.last = text;
  const error = name === 'TypeError' ? new TypeError(text) : new Error(text);
  const fields = { code, errcode, errstr };
  for (const [field, value] of Object.entries(fields))
    if (value !== undefined) Object.assign(error, { [field]: value });
  return error;
}
