import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Log } from '../../src/lib/log.ts';
import { repeat } from '../../src/lib/repeat.ts';

describe('repeated work', () => {
  const logged: string[] = [];
  const log: Log = {
    info: (_, message) => logged.push(message),
    debug: () => {},
    warn: (_, message) => logged.push(message),
    error: (details, message) => logged.push(`${(details as { error: string }).error} | ${message}`),
  };
  beforeEach(() => {
    vi.useFakeTimers();
    logged.length = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('continues after a failure, and logs each error once and its end', async () => {
    const errors: (string | null)[] = ['away', 'away', 'away', 'odd', null, null, 'away'];
    let executions = 0;
    const task = repeat(250, 'publishing', log, async () => {
      const error = errors[executions++] ?? null;
      if (error !== null) throw new Error(error);
    });
    await vi.advanceTimersByTimeAsync(250 * errors.length);
    await task.stop();
    expect(executions).toBe(errors.length);
    expect(logged).toEqual([
      'Error: away | publishing failed; retrying',
      'Error: odd | publishing failed; retrying',
      'publishing works again',
      'Error: away | publishing failed; retrying',
    ]);
  });

  it('logs work that throws before it returns a promise', async () => {
    const task = repeat(250, 'publishing', log, () => {
      throw new Error('at once');
    });
    await vi.advanceTimersByTimeAsync(250);
    await task.stop();
    expect(logged).toEqual(['Error: at once | publishing failed; retrying']);
  });

  it('executes once at a time, and stops after the execution under way, whose signal is aborted', async () => {
    let begun = 0;
    let ended = 0;
    const aborted: boolean[] = [];
    const held = Promise.withResolvers<void>();
    const task = repeat(10, 'importing', log, async (signal) => {
      begun++;
      await held.promise;
      aborted.push(signal.aborted);
      ended++;
    });
    await vi.advanceTimersByTimeAsync(60);
    expect([begun, ended]).toEqual([1, 0]);
    const stopped = task.stop();
    held.resolve();
    await stopped;
    await vi.advanceTimersByTimeAsync(1_000);
    expect([begun, ended]).toEqual([1, 1]);
    expect(aborted).toEqual([true]);
  });

  it('executes at once when woken, or again after the execution under way, and not when stopped', async () => {
    let begun = 0;
    const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const task = repeat(10_000, 'importing', log, () => held[begun++]?.promise ?? Promise.resolve());
    task.wake();
    task.wake();
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toBe(1);
    task.wake();
    task.wake();
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toBe(1);
    for (const { resolve } of held) resolve();
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toBe(2);
    await vi.advanceTimersByTimeAsync(9_990);
    expect(begun).toBe(2);
    await vi.advanceTimersByTimeAsync(10);
    expect(begun).toBe(3);
    await task.stop();
    task.wake();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(begun).toBe(3);
  });
});
