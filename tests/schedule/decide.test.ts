import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import { decide, type Ledger, MOST_ATTEMPTS, MOST_ROWS, type OpenRun, retryAt } from '../../src/schedule/decide.ts';
import { slotsBetween } from '../../src/schedule/slots.ts';

const morning = Date.UTC(2026, 10, 24, 7, 30);
const newsletter = { schedule: { cron: '30 7 * * *', zone: 'UTC', graceMinutes: 240 }, coalesce: false };
const hourly = { schedule: { cron: '0 * * * *', zone: 'UTC', graceMinutes: 180 }, coalesce: false };
const feeds = { schedule: { cron: '*/10 * * * *', zone: 'UTC', graceMinutes: 60 }, coalesce: true };

function ledger(of: Partial<Ledger>): Ledger {
  return { since: morning - 30 * DAY, lastSlot: morning - DAY, open: [], ...of };
}

function open(of: Partial<OpenRun>): OpenRun {
  return {
    slotAt: morning,
    state: 'running',
    attempts: 1,
    covers: 1,
    leaseUntil: morning + 2 * MINUTE,
    reason: null,
    ...of,
  };
}

describe('what is due', () => {
  it('is nothing before the slot, and the slot from its instant on', () => {
    expect(decide(newsletter, ledger({}), morning - 1)).toEqual({ settle: [], run: null });
    expect(decide(newsletter, ledger({}), morning)).toEqual({ settle: [], run: { slotAt: morning, covers: 1 } });
  });

  it('is nothing that came before the schedule was first seen', () => {
    expect(decide(newsletter, { since: morning, lastSlot: null, open: [] }, morning + HOUR)).toEqual({
      settle: [],
      run: null,
    });
  });

  it('is a slot missed by less than its grace period, and not one missed by all of it', () => {
    const grace = 240 * MINUTE;
    expect(decide(newsletter, ledger({}), morning + grace - 1).run).toEqual({ slotAt: morning, covers: 1 });
    const { settle, run } = decide(newsletter, ledger({}), morning + grace);
    expect(run).toBeNull();
    expect(settle).toEqual([
      {
        slotAt: morning,
        covers: 1,
        state: 'skipped',
        reason: 'missed by 4 h, more than its grace period of 4 h',
        wasOpen: false,
      },
    ]);
  });

  it('is nothing while the clock stands before the newest recorded slot', () => {
    expect(decide(newsletter, ledger({ lastSlot: morning }), morning - HOUR)).toEqual({ settle: [], run: null });
  });

  it('of a newsletter down for days is today’s slot, and each of the others is skipped by itself', () => {
    const { settle, run } = decide(newsletter, ledger({ lastSlot: morning - 4 * DAY }), morning + HOUR);
    expect(run).toEqual({ slotAt: morning, covers: 1 });
    expect(settle.map(({ slotAt, state, covers }) => [slotAt, state, covers])).toEqual([
      [morning - 3 * DAY, 'skipped', 1],
      [morning - 2 * DAY, 'skipped', 1],
      [morning - DAY, 'skipped', 1],
    ]);
  });

  it('of several within grace is the newest; the others came together in it', () => {
    const noon = Date.UTC(2026, 10, 24, 12);
    const { settle, run } = decide(hourly, ledger({ lastSlot: noon - 5 * HOUR }), noon + 1);
    expect(run).toEqual({ slotAt: noon, covers: 1 });
    expect(settle.map(({ slotAt, reason }) => [(noon - slotAt) / HOUR, reason])).toEqual([
      [4, 'missed by 4 h, more than its grace period of 3 h'],
      [3, 'missed by 3 h, more than its grace period of 3 h'],
      [2, 'came together in the run of 2026-11-24 12:00'],
      [1, 'came together in the run of 2026-11-24 12:00'],
    ]);
  });

  it('of feeds is one run that counts the missed slots', () => {
    const { settle, run } = decide(feeds, ledger({ lastSlot: morning - DAY }), morning + MINUTE);
    expect(settle).toEqual([]);
    expect(run).toEqual({ slotAt: morning, covers: 144 });
  });

  it('of feeds whose newest slot is too old is one skipped row that counts them', () => {
    const daily = { ...feeds, schedule: { ...feeds.schedule, cron: '30 7 * * *' } };
    const { settle, run } = decide(daily, ledger({ lastSlot: morning - 5 * DAY }), morning + 2 * HOUR);
    expect(run).toBeNull();
    expect(settle).toMatchObject([{ slotAt: morning, covers: 5, state: 'skipped' }]);
  });

  it('after years of downtime stays within a bounded number of rows that stand for every slot', () => {
    const minutely = { ...newsletter, schedule: { ...newsletter.schedule, cron: '* * * * *' } };
    const { settle, run } = decide(minutely, ledger({ since: 0, lastSlot: morning - 800 * DAY }), morning);
    expect(run).toEqual({ slotAt: morning, covers: 1 });
    expect(settle.length).toBe(MOST_ROWS);
    expect(settle.reduce((sum, row) => sum + row.covers, 0) + 1).toBe(800 * 24 * 60);
  });

  it('accounts for every slot once, whatever the downtime', () => {
    const cron = fc.constantFrom('30 7 * * *', '0 * * * *', '*/10 * * * *', '0 9 * * 1');
    const span = fc.integer({ min: 0, max: 40 * DAY });
    fc.assert(
      fc.property(
        cron,
        fc.boolean(),
        fc.integer({ min: 1, max: 10_080 }),
        span,
        (expression, coalesce, graceMinutes, down) => {
          const schedule = { cron: expression, zone: 'America/New_York', graceMinutes };
          const { settle, run } = decide(
            { schedule, coalesce },
            ledger({ since: morning, lastSlot: null }),
            morning + down,
          );
          const covered = settle.reduce((sum, row) => sum + row.covers, 0) + (run?.covers ?? 0);
          expect(covered).toBe(slotsBetween(expression, schedule.zone, morning, morning + down).length);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a run that is not over', () => {
  const recorded = (run: OpenRun): Ledger => ledger({ lastSlot: run.slotAt, open: [run] });

  it('is left to the process that holds its lease, and the next slot waits for it', () => {
    const run = open({ leaseUntil: morning + 3 * DAY });
    expect(decide(newsletter, recorded(run), morning + MINUTE)).toEqual({ settle: [], run: null });
    expect(decide(newsletter, recorded(run), morning + DAY)).toEqual({ settle: [], run: null });
  });

  it('is run again when its lease has lapsed', () => {
    expect(decide(newsletter, recorded(open({})), morning + 2 * MINUTE).run).toEqual({ slotAt: morning, covers: 1 });
  });

  it('waits after a failure until its next attempt, and keeps the slots it stands for', () => {
    const run = open({ state: 'failed', leaseUntil: morning + MINUTE, covers: 7 });
    expect(decide(feeds, recorded(run), morning + MINUTE - 1)).toEqual({ settle: [], run: null });
    expect(decide(feeds, recorded(run), morning + MINUTE)).toEqual({ settle: [], run: { slotAt: morning, covers: 7 } });
  });

  it('ends as failed when its grace period is over', () => {
    const { settle, run } = decide(newsletter, recorded(open({})), morning + 5 * HOUR);
    expect(run).toBeNull();
    expect(settle).toEqual([
      {
        slotAt: morning,
        covers: 1,
        state: 'failed',
        reason: 'the process ended before the run did; its grace period is over',
        wasOpen: true,
      },
    ]);
  });

  it('gives way to the next slot', () => {
    const run = open({ state: 'failed', reason: 'the disk is full', leaseUntil: morning + HOUR });
    const decision = decide(feeds, recorded(run), morning + 10 * MINUTE);
    expect(decision.run).toEqual({ slotAt: morning + 10 * MINUTE, covers: 1 });
    expect(decision.settle).toMatchObject([
      { slotAt: morning, state: 'failed', reason: 'the disk is full; the run of 2026-11-24 07:40 takes its place' },
    ]);
  });

  it('ends as failed when the process died at every attempt', () => {
    const run = open({ attempts: MOST_ATTEMPTS });
    expect(decide(newsletter, recorded(run), morning + HOUR)).toMatchObject({
      run: null,
      settle: [{ state: 'failed', reason: `the process ended before the run did; after ${MOST_ATTEMPTS} attempts` }],
    });
  });
});

describe('a failed run is tried again', () => {
  it('after waits that double from one minute', () => {
    const waits = [1, 2, 3, 4].map((attempts) => retryAt(newsletter, { slotAt: morning, attempts }, morning) as number);
    expect(waits.map((at) => (at - morning) / MINUTE)).toEqual([1, 2, 4, 8]);
  });

  it('no more when its attempts are used up, its grace period would be over, or the next slot would have come', () => {
    expect(retryAt(newsletter, { slotAt: morning, attempts: MOST_ATTEMPTS }, morning)).toBeNull();
    expect(retryAt(newsletter, { slotAt: morning, attempts: 1 }, morning + 239 * MINUTE)).toBeNull();
    expect(retryAt(feeds, { slotAt: morning, attempts: 1 }, morning + 9 * MINUTE)).toBeNull();
    expect(retryAt(feeds, { slotAt: morning, attempts: 1 }, morning + 9 * MINUTE - 1)).toBe(morning + 10 * MINUTE - 1);
  });
});
