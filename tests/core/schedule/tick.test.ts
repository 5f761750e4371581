import cron from 'node-cron';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { JobOutcome } from '../../../src/core/schedule/job.ts';
import { listRuns } from '../../../src/core/schedule/run-ledger.ts';
import { openTicker, startTicker } from '../../../src/core/schedule/tick.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { clockAt } from '../../support/clock.ts';
import { openMigrated } from '../../support/databases.ts';
import { openTestLog } from '../../support/test-log.ts';
import { jobOf } from './two-processes.ts';

// 07:30 in Shanghai.
const slot = Date.UTC(2026, 10, 23, 23, 30);
const everyMinute = { cron: '* * * * *', zone: 'UTC', graceMinutes: 60 };

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function countReads(store: Store): () => number {
  const read = vi.spyOn(store.db, 'selectFrom');
  return () => read.mock.calls.length;
}

describe('a tick', () => {
  it('reads the database only when a slot has come or fifteen seconds have passed', async () => {
    const store = await openMigrated();
    const at = clockAt(slot - 40 * SECOND);
    const job = jobOf();
    const ticker = await openTicker(store, [job], { clock: at.clock, log: openTestLog() });
    const reads = countReads(store);
    const checks: number[] = [];
    for (; at.now <= slot + 2 * SECOND; at.now += SECOND) {
      const before = reads();
      ticker.tick();
      await ticker.idle();
      if (reads() > before) checks.push((at.now - slot) / SECOND);
    }
    // After a run it checks again: the next slot may have come meanwhile.
    expect(checks).toEqual([-40, -25, -10, 0, 1]);
    expect(job.ran).toEqual([slot]);
  });

  it('checks at once after the clock was set back', async () => {
    const store = await openMigrated();
    const at = clockAt(slot - HOUR);
    const ticker = await openTicker(store, [jobOf()], { clock: at.clock, log: openTestLog() });
    ticker.tick();
    await ticker.idle();
    const reads = countReads(store);
    at.now -= HOUR;
    ticker.tick();
    await ticker.idle();
    expect(reads()).toBe(1);
  });

  it('does not start a job that runs, and a job that hangs does not delay others', async () => {
    const store = await openMigrated();
    const at = clockAt(slot);
    const { promise, resolve } = Promise.withResolvers<JobOutcome>();
    const slow = jobOf({ id: 'publish:slow', schedule: everyMinute, coalesce: true }, () => promise);
    const quick = jobOf({ id: 'publish:quick', schedule: everyMinute, coalesce: true });
    const ticker = await openTicker(store, [slow, quick], {
      clock: at.clock,
      log: openTestLog(),
    });
    for (at.now = slot + SECOND; at.now <= slot + 4 * MINUTE; at.now += SECOND) {
      ticker.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await vi.waitUntil(() => quick.ran.length === 4, { interval: 1, timeout: 20_000 });
    expect(slow.ran).toEqual([slot + MINUTE]);
    resolve({ kind: 'done' });
    await ticker.idle();
    ticker.tick();
    await ticker.idle();
    expect(slow.ran).toEqual([slot + MINUTE, slot + 4 * MINUTE]);
    expect(await listRuns(store.db, 1)).toMatchObject([{ slotAt: slot + 4 * MINUTE }]);
  });

  it('survives a failing database, and logs it', async () => {
    const store = await openMigrated();
    const at = clockAt(slot - MINUTE);
    const log = openTestLog();
    const job = jobOf();
    const ticker = await openTicker(store, [job], { clock: at.clock, log });
    const away = vi.spyOn(store.db, 'selectFrom').mockImplementation(() => {
      throw new Error('connection lost');
    });
    at.now = slot;
    ticker.tick();
    await ticker.idle();
    expect(log.lines.join()).toContain('connection lost');
    away.mockRestore();
    at.now = slot + 15 * SECOND;
    ticker.tick();
    await ticker.idle();
    expect(job.ran).toEqual([slot]);
  });

  it('logs a schedule without slots', async () => {
    const store = await openMigrated();
    const log = openTestLog();
    const job = jobOf({ schedule: { cron: '0 0 L-30 2 *', zone: 'UTC', graceMinutes: 60 } });
    await openTicker(store, [job], { clock: () => slot, log });
    expect(log.lines.join()).toContain('no slot within the next eight years');
  });
});

describe('the ticker', () => {
  it('runs what comes due, and stops after the running job', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: slot - 2_500 });
    const warn = vi.spyOn(console, 'warn');
    const store = await openMigrated();
    const { promise, resolve } = Promise.withResolvers<JobOutcome>();
    const job = jobOf({}, () => promise);
    const tasks = cron.getTasks().size;
    const ticker = await startTicker(store, [job], { clock: Date.now, log: openTestLog() });
    await vi.advanceTimersByTimeAsync(2_000);
    expect(job.ran).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(job.ran).toEqual([slot]);
    let isStopped = false;
    const stopping = ticker.stop().then(() => {
      isStopped = true;
    });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(isStopped).toBe(false);
    resolve({ kind: 'done' });
    await stopping;
    expect(await listRuns(store.db, 10)).toMatchObject([{ state: 'done', startedAt: slot }]);
    expect(cron.getTasks().size).toBe(tasks);
    expect(warn).not.toHaveBeenCalled();
  });

  it('runs a slot whose tick node-cron has dropped', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: slot - 1_500 });
    const warn = vi.spyOn(console, 'warn');
    const store = await openMigrated();
    const job = jobOf();
    const ticker = await startTicker(store, [job], { clock: Date.now, log: openTestLog() });
    // A long synchronous render: the clock moves on and no timer fires.
    vi.setSystemTime(slot + 20_000);
    await vi.advanceTimersByTimeAsync(3_000);
    await ticker.stop();
    expect(job.ran).toEqual([slot]);
    expect(warn).not.toHaveBeenCalled();
  });
});
