import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decide,
  decideListed,
  MAX_ATTEMPTS,
  MAX_ROWS,
  type OpenRun,
  retryAt,
  type ScheduleState,
  waitsUntil,
} from '../../../src/core/schedule/decide.ts';
import { slotsBetween } from '../../../src/core/schedule/slots.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { runs } from '../../support/run-scope.ts';

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
    startedAt: morning,
    leaseUntil: morning + 2 * MINUTE,
    reason: null,
    ...of,
  };
}

describe('a listed slot', () => {
  const slot = { slotAt: morning, waitsUntil: morning + HOUR };
  const waiting = open({ state: 'waiting', attempts: 0, leaseUntil: null, reason: 'not approved' });

  it('runs if its job is ready, after waiting, a failure or the end of its process too', () => {
    expect(decideListed(slot, null, morning)).toEqual({ slotAt: morning, covers: 1 });
    expect(decideListed(slot, waiting, morning + 5 * MINUTE)).toEqual({
      ...{ slotAt: morning, covers: 1, waited: 'waited 5 min: not approved' },
    });
    const failed = open({ state: 'failed', leaseUntil: morning + MINUTE });
    expect(decideListed(slot, failed, morning + MINUTE - 1)).toBeNull();
    expect(decideListed(slot, failed, morning + MINUTE)).toEqual({ slotAt: morning, covers: 1 });
    expect(decideListed(slot, open({}), morning + MINUTE)).toBeNull();
    expect(decideListed(slot, open({}), morning + 2 * MINUTE)).toEqual({ slotAt: morning, covers: 1 });
  });

  it('ends when it has waited for too long, with what it waited for', () => {
    const ended = { slotAt: morning, covers: 1, state: 'skipped' };
    expect(decideListed(slot, waiting, morning + HOUR)).toEqual({
      ...{ ...ended, wasOpen: true, reason: 'not approved; its grace period is over' },
    });
    expect(decideListed(slot, null, morning + HOUR)).toEqual({
      ...{ ...ended, wasOpen: false, reason: 'missed by 1 h; its grace period is over' },
    });
    expect(decideListed({ ...slot, waitsUntil: Number.POSITIVE_INFINITY }, waiting, morning + DAY)).toMatchObject({
      waited: 'waited 24 h: not approved',
    });
  });

  it('ends as failed after its last attempt', () => {
    const last = open({ attempts: MAX_ATTEMPTS });
    expect(decideListed(slot, last, morning + 3 * MINUTE)).toMatchObject({ state: 'failed', wasOpen: true });
  });
});

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
      { numRuns: runs(60) },
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

describe('a run that waits until its job is ready', () => {
  const held = (of: Partial<OpenRun> = {}): OpenRun =>
    open({ state: 'waiting', attempts: 0, leaseUntil: null, reason: 'held by Ada', ...of });
  const recorded = (run: OpenRun): ScheduleState => state({ lastSlot: run.slotAt, open: [run] });

  it('is asked for with each check, with how long it has waited and what for', () => {
    for (const minutes of [0, 1, 40, 239]) {
      const waited = `waited ${minutes === 239 ? '3 h 59 min' : minutes === 0 ? '0 s' : `${minutes} min`}: held by Ada`;
      expect(decide(newsletter, recorded(held()), morning + minutes * MINUTE)).toEqual({
        ended: [],
        run: { slotAt: morning, covers: 1, waited },
      });
    }
  });

  it('is skipped when its grace period is over, with what it waited for', () => {
    expect(decide(newsletter, recorded(held()), morning + 240 * MINUTE)).toEqual({
      ended: [
        {
          slotAt: morning,
          covers: 1,
          state: 'skipped',
          reason: 'held by Ada; its grace period is over',
          wasOpen: true,
        },
      ],
      run: null,
    });
  });

  it('is skipped when the next slot comes, which runs', () => {
    const { ended, run } = decide(hourly, recorded(held({ slotAt: morning - 30 * MINUTE })), morning + 30 * MINUTE);
    expect(ended).toMatchObject([
      { state: 'skipped', reason: 'held by Ada; superseded by the run of 2026-11-24 08:00', wasOpen: true },
    ]);
    expect(run).toEqual({ slotAt: morning + 30 * MINUTE, covers: 1 });
  });

  it('spends no attempt: it is asked for after any number of them', () => {
    const run = held({ attempts: MAX_ATTEMPTS });
    expect(decide(newsletter, recorded(run), morning + HOUR).run).toMatchObject({ slotAt: morning });
  });

  it('waits until the end of its grace period, or until the next slot', () => {
    expect(waitsUntil(newsletter, morning)).toBe(morning + 240 * MINUTE);
    expect(waitsUntil(hourly, morning)).toBe(morning + 30 * MINUTE);
  });

  it('never waits longer than that, whenever it is checked, and ends once', () => {
    const job = fc.record({
      schedule: fc.record({
        cron: fc.constantFrom('30 7 * * *', '0 * * * *', '*/10 * * * *'),
        zone: fc.constantFrom('UTC', 'Europe/Berlin'),
        graceMinutes: fc.integer({ min: 1, max: 1_440 }),
      }),
      coalesce: fc.boolean(),
    });
    const checks = fc.array(fc.record({ after: fc.integer({ min: 1, max: 6 * HOUR }), isReady: fc.boolean() }), {
      minLength: 1,
      maxLength: 30,
    });
    // The autumn night of Berlin.
    const start = Date.UTC(2026, 9, 24, 20);
    let waited = 0;
    fc.assert(
      fc.property(job, checks, (one, steps) => {
        const rows = new Map<number, { state: string; covers: number; from: number }>();
        let now = start;
        for (const { after, isReady } of steps) {
          now += after;
          const open = [...rows].flatMap(([slotAt, { state, covers, from }]): OpenRun[] =>
            state === 'waiting' ? [held({ slotAt, covers, startedAt: from })] : [],
          );
          const lastSlot = rows.size === 0 ? null : Math.max(...rows.keys());
          const { ended, run } = decide(one, { since: start, lastSlot, open }, now);
          for (const { slotAt, covers, state, wasOpen } of ended) {
            expect(rows.get(slotAt)?.state).toBe(wasOpen ? 'waiting' : undefined);
            expect(state).toBe('skipped');
            rows.set(slotAt, { state, covers, from: now });
          }
          if (run !== null) {
            expect(now).toBeLessThan(waitsUntil(one, run.slotAt));
            expect(run.waited === undefined).toBe(!rows.has(run.slotAt));
            const from = rows.get(run.slotAt)?.from ?? now;
            rows.set(run.slotAt, { state: isReady ? 'done' : 'waiting', covers: run.covers, from });
            waited += isReady ? 0 : 1;
          }
          const waiting = [...rows].filter(([, { state }]) => state === 'waiting');
          expect(waiting.length).toBeLessThanOrEqual(1);
          for (const [slotAt] of waiting) expect(now).toBeLessThan(waitsUntil(one, slotAt));
        }
        const { cron, zone } = one.schedule;
        const counted = [...rows.values()].reduce((sum, { covers }) => sum + covers, 0);
        expect(counted).toBe(slotsBetween(cron, zone, start, now).length);
      }),
      { numRuns: runs(60) },
    );
    expect(waited).toBeGreaterThan(0);
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
