import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type HostTask, type TaskQueue, WorkerPool } from '../../src/lib/worker-pool.ts';

interface Due {
  host: string;
  /** Ends the task. */
  finish: () => void;
  signal?: AbortSignal;
}

/** A queue of tasks that run until a test finishes them. */
function testQueue(hosts: string[], limit = 100) {
  const due: Due[] = [];
  const running: Due[] = [];
  const finished: string[] = [];
  const add = (host: string): void => void due.push({ host, finish: () => {} });
  hosts.forEach(add);
  const start = (one: Due): HostTask => {
    due.splice(due.indexOf(one), 1);
    running.push(one);
    return {
      host: one.host,
      run: async (signal) => {
        one.signal = signal;
        await new Promise<void>((resolve) => {
          one.finish = resolve;
          signal.addEventListener('abort', () => resolve());
        });
        running.splice(running.indexOf(one), 1);
        finished.push(one.host);
      },
    };
  };
  const queue: TaskQueue = { limit, claim: async ({ pick }) => pick(due).map(start) };
  return { queue, add, due, running, finished, hosts: () => running.map(({ host }) => host) };
}

function openPool(queues: TaskQueue[], limits = { total: 4, perHost: 2 }) {
  const errors: unknown[] = [];
  const pool = new WorkerPool(queues, limits, (error) => errors.push(error));
  onTestFinished(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stopped = pool.stop();
    await vi.runAllTimersAsync();
    await stopped;
    vi.useRealTimers();
  });
  return { pool, errors };
}

describe('a worker pool', () => {
  it('runs as many tasks at once as the limits per host and in all allow', async () => {
    const tasks = testQueue(['a', 'a', 'a', 'b', 'b', 'c']);
    const { pool } = openPool([tasks.queue]);
    await pool.tick();
    expect(tasks.hosts()).toEqual(['a', 'a', 'b', 'b']);
    await pool.tick();
    expect(tasks.running).toHaveLength(4);
    tasks.running.find(({ host }) => host === 'b')?.finish();
    await expect.poll(tasks.hosts).toEqual(['a', 'a', 'b', 'c']);
    expect(tasks.due.map(({ host }) => host)).toEqual(['a']);
  });

  it('keeps slots free for other queues, where a queue has a limit', async () => {
    const slow = testQueue(['a', 'b', 'c'], 1);
    const fast = testQueue(['d', 'e']);
    const { pool } = openPool([slow.queue, fast.queue]);
    await pool.tick();
    expect(slow.hosts()).toEqual(['a']);
    expect(fast.hosts()).toEqual(['d', 'e']);
  });

  it('drains its queues, including tasks that are added meanwhile', async () => {
    const tasks = testQueue(['a', 'a', 'a', 'b']);
    const { pool } = openPool([tasks.queue], { total: 2, perHost: 1 });
    const drained = pool.drain();
    let isAdded = false;
    while (tasks.finished.length < 5) {
      await expect.poll(() => tasks.running.length).toBeGreaterThan(0);
      if (!isAdded) tasks.add('c');
      isAdded = true;
      tasks.running[0]?.finish();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await drained;
    expect(tasks.finished.toSorted()).toEqual(['a', 'a', 'a', 'b', 'c']);
  });

  it('reports the errors of tasks, and those of claims that no caller waits for', async () => {
    const failing: HostTask = { host: 'a', run: () => Promise.reject(new Error('not recorded')) };
    const claims = [
      async ({ pick }: Parameters<TaskQueue['claim']>[0]) => pick([failing, failing]).slice(0, 1),
      () => Promise.reject(new Error('no database')),
    ];
    const queue: TaskQueue = { limit: 1, claim: (capacity) => claims.shift()?.(capacity) ?? Promise.resolve([]) };
    const { pool, errors } = openPool([queue]);
    await pool.tick();
    await expect.poll(() => errors.map((error) => (error as Error).message)).toEqual(['not recorded', 'no database']);
  });

  it('rejects a tick whose claim fails, and goes on with the next', async () => {
    const claims = [() => Promise.reject(new Error('no database'))];
    const queue: TaskQueue = { limit: 1, claim: () => claims.shift()?.() ?? Promise.resolve([]) };
    const { pool, errors } = openPool([queue]);
    await expect(pool.tick()).rejects.toThrow('no database');
    await pool.tick();
    expect(errors).toEqual([]);
  });

  it('aborts running tasks two seconds after it is stopped, and starts no others', async () => {
    const tasks = testQueue(['a', 'a', 'a']);
    const { pool } = openPool([tasks.queue]);
    await pool.tick();
    const [first, second] = tasks.running;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stopped = pool.stop();
    first?.finish();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(second?.signal?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await stopped;
    expect(second?.signal?.aborted).toBe(true);
    await pool.tick();
    expect(tasks.finished).toEqual(['a', 'a']);
    expect(tasks.due).toHaveLength(1);
  });
});
