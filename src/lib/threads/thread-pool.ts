/**
 * Threads for work that may block: parsing what others wrote, and rendering editions. They start when there is work and
 * end when there has been none for a while, and none keeps the process alive. Child processes may take their place.
 */
import { SECOND } from '../time.ts';
import { PoolThread, type ThreadKind } from './pool-thread.ts';
import type { JobFunction, JobRequest, ThreadJob } from './thread-job.ts';

export interface JobLimits {
  /** Milliseconds, from the start of the function: neither waiting nor loading counts. */
  timeLimit: number;
  /** Its abortion ends the job, and its thread. */
  signal?: AbortSignal | undefined;
}

interface WaitingJob {
  request: JobRequest;
  start(thread: PoolThread): void;
}

export class ThreadPool {
  readonly #size: number;
  readonly #idleTime: number;
  readonly #kind: ThreadKind;
  readonly #threads = new Set<PoolThread>();
  readonly #idle = new Map<PoolThread, NodeJS.Timeout>();
  readonly #waiting: WaitingJob[] = [];
  /** By URL of the module: resolved when the thread that loads it is ready. */
  readonly #warmingUp = new Map<string, Promise<void>>();

  /**
   * @param size threads at most
   * @param idleTime milliseconds until a thread without work ends
   * @param kind child processes are for what loads much: they leave no memory behind
   */
  constructor(size: number, idleTime: number, kind: ThreadKind = 'thread') {
    this.#size = size;
    this.#idleTime = idleTime;
    this.#kind = kind;
  }

  /** Threads that are running or idle. */
  get threads(): number {
    return this.#threads.size;
  }

  /**
   * Runs a function in a thread, after the jobs that wait already.
   * @throws JobError if it throws, takes too long, or ends its thread; the reason of `signal`; Error if it cannot be
   *   loaded
   */
  run<F extends JobFunction>(
    job: ThreadJob<F>,
    argument: Parameters<F>[0],
    limits: JobLimits,
  ): Promise<Awaited<ReturnType<F>>> {
    const ready = this.#warmingUp.get(job.module);
    if (ready === undefined) return this.#run(job, argument, limits);
    // Otherwise a second thread would be started beside the one that is about to be ready.
    return withSignal(ready, limits.signal).then(() => this.#run(job, argument, limits));
  }

  /**
   * Sees to it that an idle thread has the module of a job: it runs the job once, unless there is such a thread. Result
   * and error are dropped: the next job of the module has its own.
   */
  warmUp<F extends JobFunction>(job: ThreadJob<F>, argument: Parameters<F>[0], timeLimit: number): Promise<void> {
    const { module } = job;
    const loaded = [...this.#idle.keys()].find((thread) => thread.modules.has(module));
    if (loaded !== undefined) {
      clearTimeout(this.#idle.get(loaded));
      this.#rest(loaded);
      return Promise.resolve();
    }
    const current = this.#warmingUp.get(module);
    if (current !== undefined) return current;
    const ready = this.#run(job, argument, { timeLimit })
      .then(
        () => {},
        () => {},
      )
      .finally(() => this.#warmingUp.delete(module));
    this.#warmingUp.set(module, ready);
    return ready;
  }

  #run<F extends JobFunction>(
    job: ThreadJob<F>,
    argument: Parameters<F>[0],
    { timeLimit, signal }: JobLimits,
  ): Promise<Awaited<ReturnType<F>>> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    const request = { module: job.module, name: job.name, argument };
    return new Promise<Awaited<ReturnType<F>>>((resolve, reject) => {
      let started: PoolThread | null = null;
      const abort = (): void => {
        if (started === null) this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        else void started.terminate();
        reject(signal?.reason);
      };
      const waiting: WaitingJob = {
        request,
        start: (thread) => {
          started = thread;
          void thread
            .run(request, timeLimit)
            .finally(() => {
              signal?.removeEventListener('abort', abort);
              if (this.#threads.has(thread)) this.#rest(thread);
              this.#startWaiting();
            })
            .then((result) => resolve(result as Awaited<ReturnType<F>>), reject);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#waiting.push(waiting);
      this.#startWaiting();
    });
  }

  /** Ends the threads that have no work. The promise resolves when they have ended. */
  async endIdle(): Promise<void> {
    await Promise.all([...this.#idle.keys()].map((thread) => thread.terminate()));
  }

  /** Ends all threads, and with them the jobs under way. */
  close(): void {
    for (const thread of [...this.#threads]) void thread.terminate();
  }

  #startWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const thread = this.#threadFor(next.request.module);
      if (thread === null) return;
      this.#waiting.shift();
      clearTimeout(this.#idle.get(thread));
      this.#idle.delete(thread);
      next.start(thread);
    }
  }

  /** An idle thread, best one that has loaded the module, or a new one. Null while all are busy. */
  #threadFor(module: string): PoolThread | null {
    const idle = [...this.#idle.keys()];
    const loaded = idle.find((thread) => thread.modules.has(module));
    if (loaded !== undefined) return loaded;
    if (this.#threads.size >= this.#size) return idle[0] ?? null;
    const thread: PoolThread = new PoolThread(this.#kind, () => {
      this.#threads.delete(thread);
      clearTimeout(this.#idle.get(thread));
      this.#idle.delete(thread);
    });
    this.#threads.add(thread);
    return thread;
  }

  #rest(thread: PoolThread): void {
    this.#idle.set(thread, setTimeout(() => void thread.terminate(), this.#idleTime).unref());
  }
}

/** Waits. @throws the reason of the signal */
async function withSignal(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  await Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', abort));
}

/** An idle thread holds 17 to 70 MB, and starts again in 40 ms. */
const IDLE_TIME = 5 * SECOND;

/** One for what an import parses, and two for what is read meanwhile. */
const POOL = new ThreadPool(3, IDLE_TIME);

/** Runs a function in a thread of this process. @throws as `ThreadPool.run` */
export function runInThread<F extends JobFunction>(
  job: ThreadJob<F>,
  argument: Parameters<F>[0],
  limits: JobLimits,
): Promise<Awaited<ReturnType<F>>> {
  return POOL.run(job, argument, limits);
}

/** As `ThreadPool.warmUp`, for jobs of this process that are about to come. */
export function warmUpThread<F extends JobFunction>(
  job: ThreadJob<F>,
  argument: Parameters<F>[0],
  timeLimit: number,
): Promise<void> {
  return POOL.warmUp(job, argument, timeLimit);
}

/** Ends the threads of this process that have no work, where none is to come soon: they hold their memory. */
export function endIdleThreads(): Promise<void> {
  return POOL.endIdle();
}
