/** One thread of a pool, or one child process in its place. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type JobRequest, type JobResponse, threadEnvironment } from './thread-job.ts';
import { WorkerProcess } from './worker-process.ts';

/** Why a job has no result, though it began. */
export class JobError extends Error {
  override name = 'JobError';
  /** `threw`: the function threw this message. `ended`: its thread ended, as for lack of memory. */
  readonly reason: 'threw' | 'too slow' | 'ended';

  constructor(reason: JobError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The .ts file in a checkout, the .js file in the published package. */
const CODE = new URL(`./thread${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

export type ThreadKind = 'thread' | 'process';

interface RunningJob {
  resolve(result: unknown): void;
  reject(error: Error): void;
  timeLimit: number;
  isStarted: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class PoolThread {
  /** URLs of the modules that it has loaded. */
  readonly modules = new Set<string>();
  readonly #worker: Worker | WorkerProcess;
  readonly #kind: ThreadKind;
  readonly #onEnd: () => void;
  #job: RunningJob | null = null;
  #hasEnded = false;

  /** @param onEnd called once, when the thread can run nothing more */
  constructor(kind: ThreadKind, onEnd: () => void) {
    this.#kind = kind;
    this.#onEnd = onEnd;
    this.#worker = kind === 'thread' ? startThread() : new WorkerProcess(CODE);
    this.#worker.on('message', (response: JobResponse) => this.#receive(response));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('it was stopped')));
    // An idle thread does not keep this process alive.
    this.#worker.unref();
  }

  /**
   * Runs one job, while no other runs.
   * @param timeLimit milliseconds, from the start of the function; then the thread ends
   * @throws JobError; Error if the function cannot be loaded
   */
  run(request: JobRequest, timeLimit: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#hasEnded) throw new Error('the thread has ended');
      this.#worker.postMessage(request);
      this.#worker.ref();
      this.#job = { resolve, reject, timeLimit, isStarted: false, timer: undefined };
      this.modules.add(request.module);
    });
  }

  /** Ends the thread at once, also during a job. The promise resolves when the thread has ended. */
  async terminate(reason = new Error('it was stopped')): Promise<void> {
    this.#end(reason);
    await this.#worker.terminate();
  }

  #receive(response: JobResponse): void {
    const job = this.#job;
    if (job === null) return;
    switch (response.kind) {
      case 'started':
        job.isStarted = true;
        job.timer = setTimeout(() => this.#checkOverrun(job), job.timeLimit);
        return;
      case 'done':
        this.#complete().resolve(response.result);
        return;
      case 'threw': {
        const { name, message } = response;
        this.#complete().reject(new JobError('threw', name === 'Error' ? message : `${name}: ${message}`));
        return;
      }
      case 'not loaded':
        this.#complete().reject(new Error(response.message));
    }
  }

  #checkOverrun(job: RunningJob): void {
    // This thread may have been busy itself: what has been received meanwhile comes first.
    setImmediate(() => {
      if (this.#job !== job) return;
      void this.terminate(new JobError('too slow', `took longer than ${job.timeLimit / 1_000} s`));
    });
  }

  #complete(): RunningJob {
    const job = this.#job as RunningJob;
    this.#job = null;
    clearTimeout(job.timer);
    this.#worker.unref();
    return job;
  }

  #end(cause: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd();
    if (this.#job === null) return;
    const job = this.#complete();
    if (cause instanceof JobError || !job.isStarted) job.reject(cause);
    else job.reject(new JobError('ended', `ended its ${this.#kind}: ${cause.message}`, { cause }));
  }
}

function startThread(): Worker {
  return new Worker(CODE, {
    name: 'jobs',
    env: threadEnvironment(),
    // The flags of the process (-e, --input-type, --require) concern its entry point.
    execArgv: [],
    // A flag of the process overrides the limit of the young generation (bin/memory-settings.js).
    resourceLimits: { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 16 },
  });
}
