/**
 * A thread with its own connection to an SQLite file: statements, commits and waits for locks do not block the event
 * loop.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { threadEnvironment } from '../../lib/threads/thread-job.ts';
import type { SqliteAccess } from './sqlite.ts';
import type { SerializedError, SqlStatement, WorkerRequest, WorkerResponse } from './sqlite-worker.ts';

/** The .ts file in a checkout, the .js file in the published package. */
const WORKER = new URL(`./sqlite-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

export type StatementResult = Exclude<WorkerResponse, { failed: SerializedError }>;

/** The last failure because the disk of the database is full, broken or not writable. */
export interface DiskFaults {
  last: string | null;
}

export class SqliteThread {
  readonly #path: string;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  /** In the order of the requests, which is that of the responses. */
  readonly #pending: { resolve(result: StatementResult): void; reject(error: Error): void }[] = [];
  readonly #faults: DiskFaults;
  #ended: Error | undefined;

  constructor(path: string, access: SqliteAccess, faults: DiskFaults) {
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
   * @throws the error of SQLite, with its message, code and errcode; an Error if the thread ends
   */
  run(sql: string, parameters: readonly unknown[]): Promise<StatementResult> {
    return this.#request([sql, parameters]);
  }

  /**
   * Runs several statements as one transaction, after all earlier requests.
   * @returns the rows of each
   * @throws as `run` does; the transaction is then rolled back
   */
  async runBatch(statements: readonly SqlStatement[]): Promise<unknown[][]> {
    return ((await this.#request({ batch: statements })) as { rows: unknown[][] }).rows;
  }

  #request(request: WorkerRequest): Promise<StatementResult> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      this.#worker.postMessage(request);
      if (this.#pending.push({ resolve, reject }) === 1) this.#worker.ref();
    });
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
    if ('failed' in response) request?.reject(toError(response.failed, this.#path, this.#faults));
    else request?.resolve(response);
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

/** Errors about the file or its disk (https://sqlite.org/rescode.html), which name no path. */
const FILE_ERRORS = new Set([
  8, // SQLITE_READONLY
  10, // SQLITE_IOERR
  11, // SQLITE_CORRUPT
  13, // SQLITE_FULL
  14, // SQLITE_CANTOPEN
  26, // SQLITE_NOTADB
]);

function toError({ name, message, code, errcode, errstr }: SerializedError, path: string, faults: DiskFaults): Error {
  // The lower byte of an extended code is the primary one.
  const isAboutFile = typeof errcode === 'number' && FILE_ERRORS.has(errcode & 0xff);
  const text = isAboutFile ? `${path}: ${message}` : message;
  if (isAboutFile) faults.last = text;
  const error = name === 'TypeError' ? new TypeError(text) : new Error(text);
  const fields = { code, errcode, errstr };
  for (const [field, value] of Object.entries(fields))
    if (value !== undefined) Object.assign(error, { [field]: value });
  return error;
}
