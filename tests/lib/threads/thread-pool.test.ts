import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { threadJob } from '../../../src/lib/threads/thread-job.ts';
import { ThreadPool } from '../../../src/lib/threads/thread-pool.ts';
import { until } from '../../support/until.ts';

type Jobs = typeof import('./jobs.ts');
const job = <K extends keyof Jobs>(name: K) => threadJob<Jobs[K]>(import.meta.url, './jobs', name);

const LIMIT = { timeLimit: 100_000 };
const execFileAsync = promisify(execFile);
const urlOf = (path: string) => new URL(path, import.meta.url).href;

describe.each(['thread', 'process'] as const)('a pool of the kind %s', (kind) => {
  function openPool(size = 1, idleTime = 60_000): ThreadPool {
    const pool = new ThreadPool(size, idleTime, kind);
    onTestFinished(() => pool.close());
    return pool;
  }

  it('runs functions in threads, which it starts with the first job and uses again', async () => {
    const pool = openPool(2);
    expect(pool.threads).toBe(0);
    expect(await pool.run(job('double'), 21, LIMIT)).toBe(42);
    const used = await pool.run(job('thread'), undefined, LIMIT);
    expect(used).not.toBe(`${process.pid}.0`);
    expect(await pool.run(job('thread'), undefined, LIMIT)).toBe(used);
    expect(pool.threads).toBe(1);
    const numbers = await Promise.all([1, 2, 3, 4, 5].map((n) => pool.run(job('double'), n, LIMIT)));
    expect(numbers).toEqual([2, 4, 6, 8, 10]);
    expect(pool.threads).toBe(2);
  });

  it('warms up one thread for the jobs that follow, however often it is asked to', async () => {
    const pool = openPool(3);
    const warmingUp = [1, 2].map(() => pool.warmUp(job('thread'), undefined, LIMIT.timeLimit));
    const first = await pool.run(job('thread'), undefined, LIMIT);
    await Promise.all(warmingUp);
    await pool.warmUp(job('double'), 1, LIMIT.timeLimit);
    expect(await pool.run(job('thread'), undefined, LIMIT)).toBe(first);
    expect(pool.threads).toBe(1);
  });

  it('warms up another thread where the one that has the module is busy', async () => {
    const pool = openPool(2);
    await pool.run(job('double'), 1, LIMIT);
    const stop = new AbortController();
    const busy = pool.run(job('spin'), undefined, { ...LIMIT, signal: stop.signal });
    await pool.warmUp(job('double'), 1, LIMIT.timeLimit);
    expect(pool.threads).toBe(2);
    expect(await pool.run(job('double'), 21, LIMIT)).toBe(42);
    stop.abort(new Error('no longer needed'));
    await expect(busy).rejects.toThrow('no longer needed');
  });

  it('ends a job at once whose signal is aborted while it waits for a thread to warm up', async () => {
    const pool = openPool();
    const warmingUp = pool.warmUp(job('thread'), undefined, LIMIT.timeLimit);
    const controller = new AbortController();
    const waiting = pool.run(job('thread'), undefined, { ...LIMIT, signal: controller.signal });
    controller.abort(new Error('no longer needed'));
    await expect(waiting).rejects.toThrow('no longer needed');
    await warmingUp;
  });

  it('leaves the failure of a warm-up to the job that follows', async () => {
    const pool = openPool();
    const missing = threadJob<Jobs['double']>(import.meta.url, './missing', 'double');
    await pool.warmUp(missing, 1, LIMIT.timeLimit);
    await expect(pool.run(missing, 1, LIMIT)).rejects.toThrow(/missing/);
  });

  it('ends its idle threads on request, and none that runs a job', async () => {
    const pool = openPool(2);
    await Promise.all([1, 2].map((n) => pool.run(job('double'), n, LIMIT)));
    const next = pool.run(job('double'), 3, LIMIT);
    await pool.endIdle();
    expect(pool.threads).toBe(1);
    expect(await next).toBe(6);
  });

  it('ends the thread of a job that takes too long, and runs the next one in another thread', async () => {
    const pool = openPool();
    const first = await pool.run(job('thread'), undefined, LIMIT);
    const [slow, next] = await Promise.allSettled([
      pool.run(job('spin'), undefined, { timeLimit: 20 }),
      pool.run(job('thread'), undefined, LIMIT),
    ]);
    expect(slow).toMatchObject({
      reason: { name: 'JobError', reason: 'too slow', message: 'took longer than 0.02 s' },
    });
    expect(next).toMatchObject({ status: 'fulfilled', value: expect.any(String) });
    expect(next).not.toMatchObject({ value: first });
  });

  it('ends a job whose signal is aborted, whether it runs or waits', async () => {
    const pool = openPool();
    const [running, waiting] = [new AbortController(), new AbortController()];
    const jobs = Promise.allSettled([
      pool.run(job('spin'), undefined, { ...LIMIT, signal: running.signal }),
      pool.run(job('spin'), undefined, { ...LIMIT, signal: waiting.signal }),
      pool.run(job('double'), 4, LIMIT),
    ]);
    waiting.abort(new Error('no longer needed'));
    running.abort(new Error('stopped'));
    expect(await jobs).toMatchObject([
      { reason: { message: 'stopped' } },
      { reason: { message: 'no longer needed' } },
      { value: 8 },
    ]);
    const signal = AbortSignal.abort(new Error('before'));
    await expect(pool.run(job('double'), 1, { ...LIMIT, signal })).rejects.toThrow('before');
  });

  it('reports what a function throws, and what ends its thread', async () => {
    const pool = openPool();
    const first = await pool.run(job('thread'), undefined, LIMIT);
    await expect(pool.run(job('fail'), 'too far', LIMIT)).rejects.toMatchObject({
      reason: 'threw',
      message: 'RangeError: too far',
    });
    expect(await pool.run(job('thread'), undefined, LIMIT)).toBe(first);
    await expect(pool.run(job('end'), undefined, LIMIT)).rejects.toMatchObject({ reason: 'ended' });
    expect(await pool.run(job('double'), 3, LIMIT)).toBe(6);
  });

  it('does not take the fault of a module that cannot be loaded, or of an argument, for one of the job', async () => {
    const pool = openPool();
    const missing = threadJob<Jobs['double']>(import.meta.url, './missing', 'double');
    await expect(pool.run(missing, 1, LIMIT)).rejects.not.toHaveProperty('reason');
    await expect(pool.run(job('argumentOf'), () => {}, LIMIT)).rejects.toThrow('could not be cloned');
    expect(await pool.run(job('double'), 3, LIMIT)).toBe(6);
  });

  it('ends threads that have had no work for a while', async () => {
    const pool = openPool(1, 10);
    await pool.run(job('double'), 1, LIMIT);
    await until(() => pool.threads === 0);
    expect(await pool.run(job('double'), 1, LIMIT)).toBe(2);
  });
});

it.each(['thread', 'process'])('does not keep the process alive for an idle %s, nor itself', async (kind) => {
  const code = `
    const { ThreadPool } = await import('${urlOf('../../../src/lib/threads/thread-pool.ts')}');
    const job = { module: '${urlOf('./jobs.ts')}', name: 'double' };
    const pool = new ThreadPool(1, 60_000, '${kind}');
    console.log(await pool.run(job, 8, { timeLimit: 60_000 }));`;
  const { stdout } = await execFileAsync(process.execPath, ['--input-type=module', '--eval', code]);
  expect(stdout).toBe('16\n');
});

it('ends a child process when its parent is killed, and not by signals to the group', async () => {
  const pool = new ThreadPool(1, 60_000, 'process');
  onTestFinished(() => pool.close());
  const [pid] = (await pool.run(job('thread'), undefined, LIMIT)).split('.').map(Number);
  process.kill(pid!, 'SIGTERM');
  process.kill(pid!, 'SIGINT');
  expect(await pool.run(job('thread'), undefined, LIMIT)).toBe(`${pid}.0`);

  const code = `
    const { ThreadPool } = await import('${urlOf('../../../src/lib/threads/thread-pool.ts')}');
    const job = { module: '${urlOf('./jobs.ts')}', name: 'thread' };
    console.log(await new ThreadPool(1, 60_000, 'process').run(job, undefined, { timeLimit: 60_000 }));
    process.kill(process.pid, 'SIGKILL');`;
  const killed = execFileAsync(process.execPath, ['--input-type=module', '--eval', code]);
  const { stdout } = await killed.catch((error: { stdout: string }) => error);
  const isRunning = (one: number): boolean => existsSync(`/proc/${one}`);
  await until(() => !isRunning(Number.parseInt(stdout, 10)));
});
