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

  describe('at a pace', () => {
    let change: (() => void) | null = null;
    const pace = {
      leastMs: 100,
      mostMs: 1_000,
      subscribe: (wake: () => void) => {
        change = wake;
        return () => {
          change = null;
        };
      },
    };

    it('executes soon after a change, and rarely without one', async () => {
      let executions = 0;
      const task = repeat(pace, 'publishing', log, async () => void executions++);
      await vi.advanceTimersByTimeAsync(100);
      expect(executions).toBe(1);
      await vi.advanceTimersByTimeAsync(999);
      expect(executions).toBe(1);
      await vi.advanceTimersByTimeAsync(501);
      expect(executions).toBe(2);
      change?.();
      change?.();
      await vi.advanceTimersByTimeAsync(1);
      expect(executions).toBe(3);
      await vi.advanceTimersByTimeAsync(50);
      change?.();
      await vi.advanceTimersByTimeAsync(48);
      change?.();
      expect(executions).toBe(3);
      await vi.advanceTimersByTimeAsync(1);
      expect(executions).toBe(4);
      await task.stop();
      expect(change).toBeNull();
      await vi.advanceTimersByTimeAsync(5_000);
      expect(executions).toBe(4);
    });

    it('executes again soon after an execution during which something has changed', async () => {
      let executions = 0;
      const held = Promise.withResolvers<void>();
      const task = repeat(pace, 'publishing', log, async () => {
        if (++executions === 1) await held.promise;
      });
      await vi.advanceTimersByTimeAsync(300);
      change?.();
      held.resolve();
      await vi.advanceTimersByTimeAsync(99);
      expect(executions).toBe(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(executions).toBe(2);
      await vi.advanceTimersByTimeAsync(999);
      expect(executions).toBe(2);
      await task.stop();
    });
  });
});
