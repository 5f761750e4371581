import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/lib/time.ts';
import {
  decide,
  MAX_ATTEMPTS,
  MAX_ROWS,
  type OpenRun,
  retryAt,
  type ScheduleState,
} from '../../src/schedule/decide.ts';
import { slotsBetween } from '../../src/schedule/slots.ts';

const morning = Date.UTC(2026, 10, 24, 7, 30);
const newsletter = { schedule: { cron: '30 7 * * *', zone: 'UTC', graceMinutes: 240 }, coalesce: false };
const hourly = { schedule: { cron: '0 * * * *', zone: 'UTC', graceMinutes: 180 }, coalesce: false };
const feeds = { schedule: { cron: '*/10 * * * *', zone: 'UTC', graceMinutes: 60 }, coalesce: true };

function state(of: Partial<ScheduleState>): ScheduleState {
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
    expect(decide(newsletter, state({}), morning - 1)).toEqual({ ended: [], run: null });
    expect(decide(newsletter, state({}), morning)).toEqual({ ended: [], run: { slotAt: morning, covers: 1 } });
  });

  it('is no slot from before the schedule was first seen', () => {
    expect(decide(newsletter, { since: morning, lastSlot: null, open: [] }, morning + HOUR)).toEqual({
      ended: [],
      run: null,
    });
  });

  it('is a slot missed by less than its grace period', () => {
    const grace = 240 * MINUTE;
    expect(decide(newsletter, state({}), morning + grace - 1).run).toEqual({ slotAt: morning, covers: 1 });
    const { ended, run } = decide(newsletter, state({}), morning + grace);
    expect(run).toBeNull();
    expect(ended).toEqual([
      {
        slotAt: morning,
        covers: 1,
        state: 'skipped',
        reason: 'missed by 4 h, more than its grace period of 4 h',
        wasOpen: false,
      },
    ]);
  });

  it('is nothing while the clock is before the newest recorded slot', () => {
    expect(decide(newsletter, state({ lastSlot: morning }), morning - HOUR)).toEqual({ ended: [], run: null });
  });

  it('is today’s slot of a newsletter after days of downtime, and each of the others is skipped', () => {
    const { ended, run } = decide(newsletter, state({ lastSlot: morning - 4 * DAY }), morning + HOUR);
    expect(run).toEqual({ slotAt: morning, covers: 1 });
    expect(ended.map(({ slotAt, state, covers }) => [slotAt, state, covers])).toEqual([
      [morning - 3 * DAY, 'skipped', 1],
      [morning - 2 * DAY, 'skipped', 1],
      [morning - DAY, 'skipped', 1],
    ]);
  });

  it('is the newest of several slots within the grace period, and its run covers the others', () => {
    const noon = Date.UTC(2026, 10, 24, 12);
    const { ended, run } = decide(hourly, state({ lastSlot: noon - 5 * HOUR }), noon + 1);
    expect(run).toEqual({ slotAt: noon, covers: 1 });
    expect(ended.map(({ slotAt, reason }) => [(noon - slotAt) / HOUR, reason])).toEqual([
      [4, 'missed by 4 h, more than its grace period of 3 h'],
      [3, 'missed by 3 h, more than its grace period of 3 h'],
      [2, 'covered by the run of 2026-11-24 12:00'],
      [1, 'covered by the run of 2026-11-24 12:00'],
    ]);
  });

  it('is one run that counts the missed slots, for a job that coalesces', () => {
    const { ended, run } = decide(feeds, state({ lastSlot: morning - DAY }), morning + MINUTE);
    expect(ended).toEqual([]);
    expect(run).toEqual({ slotAt: morning, covers: 144 });
  });

  it('is nothing where the newest slot is too old, and one skipped row counts all, for a job that coalesces', () => {
    const daily = { ...feeds, schedule: { ...feeds.schedule, cron: '30 7 * * *' } };
    const { ended, run } = decide(daily, state({ lastSlot: morning - 5 * DAY }), morning + 2 * HOUR);
    expect(run).toBeNull();
    expect(ended).toMatchObject([{ slotAt: morning, covers: 5, state: 'skipped' }]);
  });

  it('has a bounded number of rows after years of downtime, which count every slot', () => {
    const minutely = { ...newsletter, schedule: { ...newsletter.schedule, cron: '* * * * *' } };
    const { ended, run } = decide(minutely, state({ since: 0, lastSlot: morning - 800 * DAY }), morning);
    expect(run).toEqual({ slotAt: morning, covers: 1 });
    expect(ended.length).toBe(MAX_ROWS);
    expect(ended.reduce((sum, row) => sum + row.covers, 0) + 1).toBe(800 * 24 * 60);
  });

  it('counts every slot once, after any downtime', () => {
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
          const { ended, run } = decide(
            { schedule, coalesce },
            state({ since: morning, lastSlot: null }),
            morning + down,
          );
          const covered = ended.reduce((sum, row) => sum + row.covers, 0) + (run?.covers ?? 0);
          expect(covered).toBe(slotsBetween(expression, schedule.zone, morning, morning + down).length);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('an open run', () => {
  const recorded = (run: OpenRun): ScheduleState => state({ lastSlot: run.slotAt, open: [run] });

  it('belongs to the process that holds its lease, and the next slot waits for it', () => {
    const run = open({ leaseUntil: morning + 3 * DAY });
    expect(decide(newsletter, recorded(run), morning + MINUTE)).toEqual({ ended: [], run: null });
    expect(decide(newsletter, recorded(run), morning + DAY)).toEqual({ ended: [], run: null });
  });

  it('is tried again when its lease has expired', () => {
    expect(decide(newsletter, recorded(open({})), morning + 2 * MINUTE).run).toEqual({ slotAt: morning, covers: 1 });
  });

  it('waits after a failure until its next attempt, and keeps covering its slots', () => {
    const run = open({ state: 'failed', leaseUntil: morning + MINUTE, covers: 7 });
    expect(decide(feeds, recorded(run), morning + MINUTE - 1)).toEqual({ ended: [], run: null });
    expect(decide(feeds, recorded(run), morning + MINUTE)).toEqual({ ended: [], run: { slotAt: morning, covers: 7 } });
  });

  it('fails when its grace period is over', () => {
    const { ended, run } = decide(newsletter, recorded(open({})), morning + 5 * HOUR);
    expect(run).toBeNull();
    expect(ended).toEqual([
      {
        slotAt: morning,
        covers: 1,
        state: 'failed',
        reason: 'the process ended during the run; its grace period is over',
        wasOpen: true,
      },
    ]);
  });

  it('is superseded by the next slot', () => {
    const run = open({ state: 'failed', reason: 'the disk is full', leaseUntil: morning + HOUR });
    const decision = decide(feeds, recorded(run), morning + 10 * MINUTE);
    expect(decision.run).toEqual({ slotAt: morning + 10 * MINUTE, covers: 1 });
    expect(decision.ended).toMatchObject([
      { slotAt: morning, state: 'failed', reason: 'the disk is full; superseded by the run of 2026-11-24 07:40' },
    ]);
  });

  it('fails when the process ended at every attempt', () => {
    const run = open({ attempts: MAX_ATTEMPTS });
    expect(decide(newsletter, recorded(run), morning + HOUR)).toMatchObject({
      run: null,
      ended: [{ state: 'failed', reason: `the process ended during the run; after ${MAX_ATTEMPTS} attempts` }],
    });
  });
});

describe('a failed run', () => {
  it('is tried again after delays that double from one minute', () => {
    const retries = [1, 2, 3, 4].map(
      (attempts) => retryAt(newsletter, { slotAt: morning, attempts }, morning) as number,
    );
    expect(retries.map((at) => (at - morning) / MINUTE)).toEqual([1, 2, 4, 8]);
  });

  it('is not tried again after its last attempt, its grace period, or the next slot', () => {
    expect(retryAt(newsletter, { slotAt: morning, attempts: MAX_ATTEMPTS }, morning)).toBeNull();
    expect(retryAt(newsletter, { slotAt: morning, attempts: 1 }, morning + 239 * MINUTE)).toBeNull();
    expect(retryAt(feeds, { slotAt: morning, attempts: 1 }, morning + 9 * MINUTE)).toBeNull();
    expect(retryAt(feeds, { slotAt: morning, attempts: 1 }, morning + 9 * MINUTE - 1)).toBe(morning + 10 * MINUTE - 1);
  });
});
