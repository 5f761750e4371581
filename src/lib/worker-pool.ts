/**
 * Runs tasks against other people's servers, with limits per host, per queue and in all: a slow server delays neither
 * the tasks for other servers nor the caller.
 */
import { SECOND } from './time.ts';

export interface HostTask {
  host: string;
  /** Does the task and records its outcome. */
  run(signal: AbortSignal): Promise<void>;
}

/** A source of tasks. Queues are served in the order given. */
export interface TaskQueue {
  /** Number of its tasks that may run at once. */
  limit: number;
  /** Claims due tasks, as far as the capacity allows. */
  claim(capacity: Capacity): Promise<HostTask[]>;
}

/** Limits on the tasks that may be claimed now. */
export interface Capacity {
  /** Hosts that have as many tasks as they may. */
  busyHosts: readonly string[];
  /** Picks those of the due tasks that may run now, in their order. */
  pick<T extends { host: string }>(due: readonly T[]): T[];
}

/** How long running tasks may continue after `stop`. */
const GRACE_PERIOD = 2 * SECOND;

export class WorkerPool {
  readonly #queues: readonly TaskQueue[];
  readonly #limits: { total: number; perHost: number };
  readonly #onError: (error: unknown) => void;
  readonly #running = new Map<Promise<void>, { queue: TaskQueue; host: string }>();
  readonly #abort = new AbortController();
  #isStopped = false;
  #tick: Promise<number> | null = null;
  #nextTick: Promise<number> | null = null;
  /** Whether the last tick left due tasks, for lack of capacity. */
  #hasMore = false;

  /**
   * @param limits.total tasks that may run at once
   * @param limits.perHost of these, tasks for one host
   * @param onError takes the errors of tasks, which were not recorded: their leases expire, and they are claimed again
   */
  constructor(
    queues: readonly TaskQueue[],
    limits: { total: number; perHost: number },
    onError: (error: unknown) => void,
  ) {
    this.#queues = queues;
    this.#limits = limits;
    this.#onError = onError;
  }

  /** Claims due tasks and starts them. Does not wait for their end. @throws what claiming throws */
  async tick(): Promise<void> {
    await this.#requestTick();
  }

  /** Ticks until nothing is due and nothing runs. @throws what claiming throws */
  async drain(): Promise<void> {
    while (!this.#isStopped) {
      // A tick that starts while tasks run does not see what they leave to do.
      const wasIdle = this.#running.size === 0 && this.#tick === null;
      const started = await this.#requestTick();
      if (wasIdle && started === 0 && this.#running.size === 0 && !this.#hasMore) return;
      await Promise.all(this.#running.keys());
    }
  }

  /** Starts nothing more, waits up to 2 seconds for running tasks, then aborts them. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    // Its caller gets the error.
    await this.#tick?.catch(() => {});
    const timer = setTimeout(() => this.#abort.abort(), GRACE_PERIOD);
    await Promise.all(this.#running.keys());
    clearTimeout(timer);
  }

  /** Ticks now, or after the current tick, which may have claimed before there was capacity. @returns tasks started */
  #requestTick(): Promise<number> {
    if (this.#tick === null) return this.#startTick();
    const start = (): Promise<number> => this.#startTick();
    this.#nextTick ??= this.#tick.then(start, start);
    return this.#nextTick;
  }

  #startTick(): Promise<number> {
    this.#nextTick = null;
    if (this.#isStopped) return Promise.resolve(0);
    this.#tick = this.#claimAll().finally(() => {
      this.#tick = null;
    });
    return this.#tick;
  }

  async #claimAll(): Promise<number> {
    let started = 0;
    this.#hasMore = false;
    for (const queue of this.#queues) {
      const free = this.#freeSlots(queue);
      if (free <= 0) {
        this.#hasMore = true;
        continue;
      }
      const tasks = await queue.claim(this.#capacity(free));
      for (const task of tasks) this.#start(queue, task);
      started += tasks.length;
    }
    return started;
  }

  #freeSlots(queue: TaskQueue): number {
    const ofQueue = [...this.#running.values()].filter((task) => task.queue === queue).length;
    return Math.min(this.#limits.total - this.#running.size, queue.limit - ofQueue);
  }

  #capacity(free: number): Capacity {
    const { perHost } = this.#limits;
    const counts = new Map<string, number>();
    for (const { host } of this.#running.values()) counts.set(host, (counts.get(host) ?? 0) + 1);
    return {
      busyHosts: [...counts].filter(([, count]) => count >= perHost).map(([host]) => host),
      pick: (due) => {
        const picked = due.filter(({ host }) => {
          const count = counts.get(host) ?? 0;
          counts.set(host, count + 1);
          return count < perHost;
        });
        if (due.length > Math.min(picked.length, free)) this.#hasMore = true;
        return picked.slice(0, free);
      },
    };
  }

  #start(queue: TaskQueue, { host, run }: HostTask): void {
    const task: Promise<void> = run(this.#abort.signal)
      .catch(this.#onError)
      .finally(() => {
        this.#running.delete(task);
        // Its slot is free for another one.
        if (this.#hasMore && !this.#isStopped) this.#requestTick().catch(this.#onError);
      });
    this.#running.set(task, { queue, host });
  }
}
