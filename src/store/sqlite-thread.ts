/**
 * A thread with a connection of its own to an SQLite file: its statements, commits and waits for locks hold up nobody else.
 */
import module from 'node:module';
import { dirname, extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Access } from './sqlite.ts';
import type { Answer, Failure, Request, Statement } from './sqlite-worker.ts';

/** In a checkout Node runs the .ts, in the published package the .js beside this file. */
const WORKER = new URL(`./sqlite-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

export type Done = Exclude<Answer, { failed: Failure }>;

interface Waiting {
  resolve(done: Done): void;
  reject(error: Error): void;
}

export class SqliteThread {
  readonly #path: string;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  /** Answers come in the order of the questions. */
  readonly #waiting: Waiting[] = [];
  #ended: Error | undefined;

  constructor(path: string, access: Access) {
    this.#path = path;
    this.#worker = new Worker(WORKER, {
      name: `sqlite ${access}`,
      workerData: { path, access },
      env: environment(),
      // The process's own flags (-e, --input-type, --require) are about its entry point.
      execArgv: [],
      // It makes only short-lived rows: the default of 48 MB would let as much rubbish gather.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    this.#worker.on('message', (answer: Answer) => this.#settle(answer));
    this.#worker.on('error', (error) => this.#end(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#end(new Error('it was stopped'));
        resolve();
      });
    });
    // An idle thread does not keep the process alive; one that owes an answer does.
    this.#worker.unref();
  }

  /** Whether it answers no more. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /**
   * Runs one statement, after all those asked for before.
   * @throws what SQLite throws, with its message, code and errcode; an Error that says so where the thread has ended
   */
  run(sql: string, parameters: readonly unknown[]): Promise<Done> {
    return this.#ask([sql, parameters]);
  }

  /**
   * Runs several statements as one transaction, after all that was asked for before.
   * @returns the rows of each
   * @throws as `run` does; the transaction is then undone
   */
  async runTogether(statements: readonly Statement[]): Promise<unknown[][]> {
    return ((await this.#ask({ batch: statements })) as { rows: unknown[][] }).rows;
  }

  #ask(request: Request): Promise<Done> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      this.#worker.postMessage(request);
      if (this.#waiting.push({ resolve, reject }) === 1) this.#worker.ref();
    });
  }

  /** Ends it when all that was asked for is answered. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.#worker.ref();
    this.#worker.postMessage(null satisfies Request);
    await this.#exited;
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if ('failed' in answer) waiting?.reject(toError(answer.failed));
    else waiting?.resolve(answer);
  }

  #end(cause: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = new Error(
      `the thread of the database ${this.#path} ended, and what it had not committed is undone: ${cause.message}`,
      { cause },
    );
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}

/** A thread does not share the process's compile cache unasked: without it, it starts in 90 ms and 38 MB, with it in 40 ms and 21 MB. */
function environment(): NodeJS.ProcessEnv {
  // Node makes the folder for its own version below the one it is told.
  const cache = module.getCompileCacheDir();
  return cache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: dirname(cache) };
}

function toError({ name, message, code, errcode, errstr }: Failure): Error {
  const error = name === 'TypeError' ? new TypeError(message) : new Error(message);
  const fields = { code, errcode, errstr };
  for (const [field, value] of Object.entries(fields))
    if (value !== undefined) Object.assign(error, { [field]: value });
  return error;
}
