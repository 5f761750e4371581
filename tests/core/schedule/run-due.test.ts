import { describe, expect, it, vi } from 'vitest';
import { MAX_ATTEMPTS } from '../../../src/core/schedule/decide.ts';
import type { Job, JobOutcome, Readiness } from '../../../src/core/schedule/job.ts';
import { deleteOtherSchedules, registerSchedules } from '../../../src/core/schedule/register.ts';
import { runDue } from '../../../src/core/schedule/run-due.ts';
import { claimRun, listLastRuns, listRuns } from '../../../src/core/schedule/run-ledger.ts';
import { LATE_AFTER, runSlot } from '../../../src/core/schedule/run-slot.ts';
import { openStore, type Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE, SECOND, wallClock } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { clockAt, type TestClock } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { openTestLog } from '../../support/test-log.ts';
import { createDatabase, jobOf, noAlerts, openTwice, runDueInTwoProcesses, type TestJob } from './two-processes.ts';

// 07:30 in Shanghai.
const slot = Date.UTC(2026, 10, 23, 23, 30);

function depsAt(at: TestClock) {
  return { clock: at.clock, alerts: noAlerts, log: openTestLog() };
}

async function openAlertKeys(store: Store): Promise<string[]> {
  return (await openAlerts(store.db)).map((alert) => alert.key);
}

forBothDatabases((open, dialect) => {
  describe('a due slot', () => {
    it('runs once, however often it is checked, and is recorded as done with its note', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      const job = jobOf({}, () => ({ kind: 'done', note: 'edition 1' }));
      expect(await runDue(store, [job], depsAt(at))).toEqual([]);
      at.now = slot + SECOND;
      const runs = await runDue(store, [job], depsAt(at));
      expect(runs).toEqual([
        {
          schedule: 'newsletter:daily',
          slotAt: slot,
          state: 'done',
          reason: 'edition 1',
          covers: 1,
          attempts: 1,
          startedAt: slot + SECOND,
          finishedAt: slot + SECOND,
          leaseUntil: null,
        },
      ]);
      at.now += HOUR;
      expect(await runDue(store, [job], depsAt(at))).toEqual([]);
      expect(job.ran).toEqual([slot]);
      expect(await listRuns(store.db, 10)).toEqual(runs);
      expect(await openAlertKeys(store)).toEqual([]);
    });

    it('runs once in two processes that check at the same instants', async () => {
      const days = Array.from({ length: 30 }, (_, day) => slot + day * DAY);
      const { ran, recorded } = await runDueInTwoProcesses(await createDatabase(dialect), [slot - HOUR, ...days]);
      expect(ran.sort()).toEqual(days);
      // Each once too. The states differ: to the process whose clock is days ahead, the other's run looks abandoned.
      expect(recorded.map((run) => run.slotAt).sort()).toEqual(days);
    });

    it('is late more than a minute after its slot, which raises an alert until a run is on time', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      const job = jobOf();
      await runDue(store, [job], depsAt(at));
      at.now = slot + LATE_AFTER;
      expect(await runDue(store, [job], depsAt(at))).toMatchObject([{ state: 'done', reason: null }]);
      at.now = slot + DAY + LATE_AFTER + 1;
      expect(await runDue(store, [job], depsAt(at))).toMatchObject([
        { state: 'late', reason: 'started 1 min after its slot' },
      ]);
      expect(await openAlertKeys(store)).toEqual(['late:newsletter:daily']);
      at.now = slot + 2 * DAY;
      await runDue(store, [job], depsAt(at));
      expect(await openAlertKeys(store)).toEqual([]);
    });

    it('is recorded with the reason for which the job skips it, and raises an alert', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      const job = jobOf({}, () => ({ kind: 'skipped', reason: '2 stories, fewer than 3' }));
      await runDue(store, [job], depsAt(at));
      at.now = slot;
      expect(await runDue(store, [job], depsAt(at))).toMatchObject([
        { state: 'skipped', reason: '2 stories, fewer than 3' },
      ]);
      expect(await openAlerts(store.db)).toMatchObject([
        {
          key: 'skipped:newsletter:daily',
          message: 'newsletter:daily, slot 2026-11-24 07:30 (Asia/Shanghai): skipped: 2 stories, fewer than 3.',
        },
      ]);
    });
  });

  describe('a restart', () => {
    it('runs a slot late that was missed by less than its grace period', async () => {
      const store = await open();
      const job = jobOf();
      await runDue(store, [job], depsAt(clockAt(slot - HOUR)));
      const runs = await runDue(store, [job], depsAt(clockAt(slot + 239 * MINUTE)));
      expect(runs).toMatchObject([{ slotAt: slot, state: 'late', reason: 'started 3 h 59 min after its slot' }]);
    });

    it('records an older slot as skipped, and raises an alert', async () => {
      const store = await open();
      const job = jobOf();
      await runDue(store, [job], depsAt(clockAt(slot - HOUR)));
      const runs = await runDue(store, [job], depsAt(clockAt(slot + 5 * HOUR)));
      expect(runs).toMatchObject([
        { slotAt: slot, state: 'skipped', attempts: 0, reason: 'missed by 5 h, more than its grace period of 4 h' },
      ]);
      expect(job.ran).toEqual([]);
      expect(await openAlertKeys(store)).toEqual(['skipped:newsletter:daily']);
    });

    it('covers the feed slots of a month by one run and one row', async () => {
      const store = await open();
      const job = jobOf({
        id: 'publish',
        coalesce: true,
        schedule: { cron: '*/5 * * * *', zone: 'Asia/Shanghai', graceMinutes: 60 },
      });
      await runDue(store, [job], depsAt(clockAt(slot)));
      const runs = await runDue(store, [job], depsAt(clockAt(slot + 30 * DAY + MINUTE)));
      expect(runs).toMatchObject([{ slotAt: slot + 30 * DAY, state: 'done', covers: 30 * 288 }]);
      expect(await listRuns(store.db, 10)).toHaveLength(1);
    });

    it('records each edition missed in a month, and raises one alert, in two processes', async () => {
      const location = await createDatabase(dialect);
      const { recorded } = await runDueInTwoProcesses(location, [slot - HOUR, slot + 30 * DAY - HOUR]);
      expect(recorded).toHaveLength(30);
      const store = await openStore(location);
      expect(await listRuns(store.db, 100)).toHaveLength(30);
      expect(await openAlerts(store.db)).toMatchObject([{ key: 'skipped:newsletter:daily', count: 1 }]);
      await store.close();
    });

    it('tries a run of a dead process again when its lease has expired', async () => {
      const store = await open();
      const job = jobOf();
      await runDue(store, [job], depsAt(clockAt(slot - HOUR)));
      await claimRun(store.db, { schedule: job.id, slotAt: slot, covers: 1 }, slot, slot + 2 * MINUTE);
      expect(await runDue(store, [job], depsAt(clockAt(slot + MINUTE)))).toEqual([]);
      expect(await runDue(store, [job], depsAt(clockAt(slot + 2 * MINUTE)))).toMatchObject([
        { slotAt: slot, state: 'late', attempts: 2 },
      ]);
    });

    it('starts again with a changed cron expression, and keeps earlier runs', async () => {
      const store = await open();
      await runDue(store, [jobOf()], depsAt(clockAt(slot - HOUR)));
      await runDue(store, [jobOf()], depsAt(clockAt(slot)));
      const changed = jobOf({ schedule: { cron: '0 6 * * *', zone: 'Asia/Shanghai', graceMinutes: 240 } });
      expect(await runDue(store, [changed], depsAt(clockAt(slot + 2 * DAY)))).toEqual([]);
      const next = slot + 3 * DAY - 90 * MINUTE;
      expect(await runDue(store, [changed], depsAt(clockAt(next)))).toMatchObject([{ slotAt: next, state: 'done' }]);
      expect((await listRuns(store.db, 10)).map(({ slotAt, state }) => [slotAt, state])).toEqual([
        [next, 'done'],
        [slot + 2 * DAY, 'skipped'],
        [slot + DAY, 'skipped'],
        [slot, 'done'],
      ]);
    });

    it('treats a schedule that was removed and added again as new', async () => {
      const store = await open();
      await runDue(store, [jobOf()], depsAt(clockAt(slot - HOUR)));
      await deleteOtherSchedules(store.db, [{ id: 'publish' }], slot);
      expect(await runDue(store, [jobOf()], depsAt(clockAt(slot + 30 * DAY + HOUR)))).toEqual([]);
    });
  });

  describe('a job that throws', () => {
    const failing = (times: number): TestJob => {
      const job: TestJob = jobOf({}, () => {
        if (job.ran.length <= times) throw new Error(`the database is away\u0000 (${job.ran.length})`);
        return { kind: 'done' };
      });
      return job;
    };

    it('is recorded as failed with its message, and the next job runs', async () => {
      const store = await open();
      const jobs = [failing(1), jobOf({ id: 'publish' })];
      await runDue(store, jobs, depsAt(clockAt(slot - HOUR)));
      const log = openTestLog();
      const runs = await runDue(store, jobs, { ...depsAt(clockAt(slot)), log });
      expect(runs).toMatchObject([
        {
          schedule: 'newsletter:daily',
          state: 'failed',
          reason: 'the database is away (1)',
          leaseUntil: slot + MINUTE,
        },
        { schedule: 'publish', state: 'done' },
      ]);
      expect(log.lines.some((line) => line.includes('run failed') && line.includes('run-due.test.ts'))).toBe(true);
      expect((await openAlerts(store.db)).map((alert) => alert.message)).toEqual([
        'newsletter:daily, slot 2026-11-24 07:30 (Asia/Shanghai): failed: the database is away (1). ' +
          `Tried again at 2026-11-24 07:31 (attempt 2 of ${MAX_ATTEMPTS}).`,
      ]);
    });

    it('is tried again after one minute and then two, so that the day’s edition is not lost', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      const job = failing(2);
      await runDue(store, [job], depsAt(at));
      const tries: number[] = [];
      for (at.now = slot; at.now < slot + HOUR; at.now += 15 * SECOND) {
        for (const run of await runDue(store, [job], depsAt(at))) tries.push((run.startedAt - slot) / MINUTE);
      }
      expect(tries).toEqual([0, 1, 3]);
      expect(await listRuns(store.db, 10)).toMatchObject([{ state: 'late', attempts: 3, leaseUntil: null }]);
      expect(await openAlertKeys(store)).toEqual(['late:newsletter:daily']);
    });

    it('is tried a limited number of times', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      const job = failing(1_000);
      await runDue(store, [job], depsAt(at));
      for (at.now = slot; at.now < slot + 5 * HOUR; at.now += MINUTE) await runDue(store, [job], depsAt(at));
      expect(job.ran).toHaveLength(MAX_ATTEMPTS);
      expect(await listRuns(store.db, 10)).toMatchObject([
        { state: 'failed', attempts: MAX_ATTEMPTS, leaseUntil: null },
      ]);
      expect(await openAlerts(store.db)).toMatchObject([{ key: 'failed:newsletter:daily', count: MAX_ATTEMPTS }]);
    });

    it('is logged once, with its stack', async () => {
      const store = await open();
      const deps = depsAt(clockAt(slot));
      const job = jobOf({}, () => {
        throw new Error('no space left');
      });
      await runSlot(store, job, { slotAt: slot, covers: 1 }, deps);
      expect(deps.log.lines).toEqual([expect.stringMatching(/^run failed .*no space left.*run-due\.test\.ts/)]);
    });

    it('raises one alert, which the next successful run resolves', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      const feeds = {
        id: 'publish',
        coalesce: true,
        schedule: { cron: '*/10 * * * *', zone: 'UTC', graceMinutes: 60 },
      };
      let broken = true;
      const job = jobOf(feeds, () => {
        if (broken) throw new Error('no space left');
        return { kind: 'done' };
      });
      await runDue(store, [job], depsAt(at));
      for (at.now = slot; at.now <= slot + 30 * MINUTE; at.now += 10 * MINUTE) await runDue(store, [job], depsAt(at));
      expect(await openAlerts(store.db)).toMatchObject([{ key: 'failed:publish', firstAt: slot }]);
      broken = false;
      at.now = slot + 40 * MINUTE;
      await runDue(store, [job], depsAt(at));
      expect(await openAlertKeys(store)).toEqual([]);
    });
  });

  describe('a changed schedule', () => {
    const daily = (time: string) => {
      const [hour, minute] = time.split(':').map(Number);
      return jobOf({ schedule: { cron: `${minute} ${hour} * * *`, zone: 'Asia/Shanghai', graceMinutes: 60 } });
    };

    it('records the slots that it drops as skipped, and alerts of missed ones', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      await runDue(store, [daily('07:30')], depsAt(at));
      // Down from 06:30 until 09:00 of the next day; the new time of that day has passed.
      at.now = slot + DAY + 90 * MINUTE;
      const job = daily('07:00');
      expect(await runDue(store, [job], depsAt(at))).toEqual([]);
      const reason = 'dropped: the schedule changed from 30 7 * * * (Asia/Shanghai) to 0 7 * * * (Asia/Shanghai)';
      expect(await listRuns(store.db, 10)).toMatchObject([
        { slotAt: slot + DAY, state: 'skipped', reason, covers: 1 },
        { slotAt: slot, state: 'skipped', reason, covers: 1 },
      ]);
      expect(await openAlerts(store.db)).toMatchObject([
        { key: 'skipped:newsletter:daily', message: expect.stringContaining('and 1 earlier slots') },
      ]);
      at.now = slot + 2 * DAY - 30 * MINUTE;
      await runDue(store, [job], depsAt(at));
      expect(job.ran).toEqual([at.now]);
      expect(await openAlertKeys(store)).toEqual([]);
    });

    it('records the slot of today if its new time has passed, and runs it if the change is taken back', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      await runDue(store, [daily('07:30')], depsAt(at));
      await runDue(store, [daily('05:00')], depsAt(at));
      expect(await listRuns(store.db, 10)).toMatchObject([{ slotAt: slot, state: 'skipped' }]);
      expect(await openAlertKeys(store)).toEqual([]);
      // Later on the same day, the slot is moved, and not dropped.
      await runDue(store, [daily('08:00')], depsAt(at));
      expect(await listRuns(store.db, 10)).toEqual([]);
      const job = daily('07:30');
      await runDue(store, [job], depsAt(at));
      at.now = slot;
      await runDue(store, [job], depsAt(at));
      expect(job.ran).toEqual([slot]);
      expect(await listRuns(store.db, 10)).toMatchObject([{ slotAt: slot, state: 'done' }]);
    });
  });

  describe('a slot whose job is not ready', () => {
    const held = { kind: 'waiting', reason: 'held by Ada' } as const;

    async function openHeld(readiness: Job['readiness'] = async () => held) {
      const store = await open();
      const at = clockAt(slot - HOUR);
      const job = jobOf({ readiness }, () => ({ kind: 'done', note: 'edition 1' }));
      await runDue(store, [job], depsAt(at));
      const check = (now: number) => {
        at.now = now;
        return runDue(store, [job], depsAt(at));
      };
      return { store, job, check };
    }

    it('waits without a lease and without an attempt, and raises one alert', async () => {
      const { store, job, check } = await openHeld();
      const waiting = {
        ...{ slotAt: slot, state: 'waiting', reason: 'held by Ada', covers: 1, attempts: 0 },
        ...{ startedAt: slot, finishedAt: null, leaseUntil: null },
      };
      expect(await check(slot)).toMatchObject([waiting]);
      expect(await check(slot + 15 * SECOND)).toEqual([]);
      expect(await check(slot + HOUR)).toEqual([]);
      expect(await listRuns(store.db, 10)).toMatchObject([waiting]);
      expect(await openAlerts(store.db)).toMatchObject([
        {
          key: 'waiting:newsletter:daily',
          message:
            'newsletter:daily, slot 2026-11-24 07:30 (Asia/Shanghai): waiting: held by Ada. ' +
            'It is skipped at 2026-11-24 11:30.',
          count: 1,
        },
      ]);
      expect(job.ran).toEqual([]);
    });

    it('records what it waits for when that changes, and since when it waits', async () => {
      let reason = 'held by Ada';
      const { store, check } = await openHeld(async () => ({ kind: 'waiting', reason }));
      await check(slot);
      reason = 'held\u0000 by\nBen';
      expect(await check(slot + MINUTE)).toMatchObject([{ reason: 'held by Ben', startedAt: slot }]);
      expect(await openAlerts(store.db)).toMatchObject([
        { key: 'waiting:newsletter:daily', message: expect.stringContaining('held by Ben') },
      ]);
    });

    it('runs as soon as it is ready, and an expected delay raises no alert', async () => {
      let readiness: Readiness = held;
      const { store, job, check } = await openHeld(async () => readiness);
      await check(slot);
      readiness = { kind: 'ready' };
      expect(await check(slot + 40 * MINUTE)).toMatchObject([
        { state: 'late', reason: 'waited 40 min: held by Ada; edition 1', attempts: 1, startedAt: slot + 40 * MINUTE },
      ]);
      expect(job.ran).toEqual([slot]);
      expect(await openAlertKeys(store)).toEqual([]);
    });

    it('is skipped with what it waited for when its grace period is over', async () => {
      const { store, job, check } = await openHeld();
      await check(slot);
      expect(await check(slot + 240 * MINUTE - 1)).toEqual([]);
      expect(await check(slot + 240 * MINUTE)).toMatchObject([
        { slotAt: slot, state: 'skipped', reason: 'held by Ada; its grace period is over', attempts: 0 },
      ]);
      expect(await check(slot + 5 * HOUR)).toEqual([]);
      expect(job.ran).toEqual([]);
      expect(await openAlertKeys(store)).toEqual(['skipped:newsletter:daily']);
    });

    it('is superseded by the next slot, which may wait too', async () => {
      const { store, check } = await openHeld();
      await check(slot);
      expect(await check(slot + DAY)).toMatchObject([{ slotAt: slot, state: 'skipped' }, { state: 'waiting' }]);
      expect(await openAlertKeys(store)).toEqual(['skipped:newsletter:daily', 'waiting:newsletter:daily']);
    });

    it('fails where its readiness cannot be found out, and waits or runs afterwards', async () => {
      let broken = true;
      const { store, job, check } = await openHeld(async () => {
        if (broken) throw new Error('the draft cannot be read');
        return held;
      });
      expect(await check(slot)).toMatchObject([
        { state: 'failed', reason: 'the draft cannot be read', attempts: 1, leaseUntil: slot + MINUTE },
      ]);
      expect(await openAlertKeys(store)).toEqual(['failed:newsletter:daily']);
      broken = false;
      expect(await check(slot + MINUTE)).toMatchObject([{ state: 'waiting', attempts: 1, startedAt: slot + MINUTE }]);
      expect(job.ran).toEqual([]);
    });

    it('waits where the job finds out that it is not ready after all', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      let outcome: JobOutcome = held;
      const job = jobOf({}, () => outcome);
      await runDue(store, [job], depsAt(at));
      at.now = slot;
      expect(await runDue(store, [job], depsAt(at))).toMatchObject([
        { state: 'waiting', reason: 'held by Ada', finishedAt: null, leaseUntil: null },
      ]);
      expect(await openAlertKeys(store)).toEqual(['waiting:newsletter:daily']);
      outcome = { kind: 'done' };
      at.now = slot + 2 * MINUTE;
      expect(await runDue(store, [job], depsAt(at))).toMatchObject([
        { state: 'late', reason: 'waited 2 min: held by Ada' },
      ]);
      expect(await openAlertKeys(store)).toEqual([]);
    });

    it('runs once in two processes that find it ready at once', async () => {
      const stores = await openTwice(dialect);
      let readiness: Readiness = held;
      const job = jobOf({ readiness: async () => readiness });
      await runDue(stores[0], [job], depsAt(clockAt(slot - HOUR)));
      for (const [minute, kind] of [held, held, { kind: 'ready' } as const].entries()) {
        readiness = kind;
        await Promise.all(stores.map((store) => runDue(store, [job], depsAt(clockAt(slot + minute * MINUTE)))));
      }
      expect(job.ran).toEqual([slot]);
      expect(await listRuns(stores[0].db, 10)).toMatchObject([{ state: 'late', attempts: 1 }]);
      expect(await openAlertKeys(stores[0])).toEqual([]);
    });

    it('ends as skipped when its schedule is removed', async () => {
      const { store, check } = await openHeld();
      await check(slot);
      await deleteOtherSchedules(store.db, [{ id: 'publish' }], slot + HOUR);
      expect(await listRuns(store.db, 10)).toMatchObject([
        { state: 'skipped', reason: 'held by Ada; its schedule was removed', finishedAt: slot + HOUR },
      ]);
      expect(await openAlertKeys(store)).toEqual([]);
    });

    it('does not disturb a run that another process has claimed meanwhile', async () => {
      const { store, check } = await openHeld(async () => {
        await claimRun(store.db, { schedule: 'newsletter:daily', slotAt: slot, covers: 1 }, slot, slot + 2 * MINUTE);
        return held;
      });
      expect(await check(slot)).toEqual([]);
      expect(await listRuns(store.db, 10)).toMatchObject([{ state: 'running', attempts: 1 }]);
      expect(await openAlertKeys(store)).toEqual([]);
    });
  });

  it('raises no alert for a late run that had nothing to change', async () => {
    const store = await open();
    const at = clockAt(slot - HOUR);
    const feeds = { id: 'publish', coalesce: true, schedule: { cron: '0 * * * *', zone: 'UTC', graceMinutes: 60 } };
    let unchanged = true;
    const job = jobOf(feeds, () => ({ kind: 'done', unchanged }));
    await runDue(store, [job], depsAt(at));
    at.now = slot + 40 * MINUTE;
    expect(await runDue(store, [job], depsAt(at))).toMatchObject([{ state: 'late' }]);
    expect(await openAlertKeys(store)).toEqual([]);
    unchanged = false;
    at.now += HOUR;
    expect(await runDue(store, [job], depsAt(at))).toMatchObject([{ state: 'late' }]);
    expect(await openAlertKeys(store)).toEqual(['late:publish']);
  });

  describe('a long run', () => {
    it('renews its lease, so that no other process claims it, and ends at its time limit', async () => {
      const [store, other] = await openTwice(dialect);
      const at = clockAt(slot - HOUR);
      await registerSchedules(store.db, [jobOf()], at.now);
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
      try {
        at.now = slot;
        const hanging = jobOf({}, () => new Promise(() => {}));
        const running = runSlot(store, hanging, { slotAt: slot, covers: 1 }, depsAt(at));
        await vi.waitUntil(() => hanging.ran.length === 1, { interval: 1, timeout: 20_000 });
        const rival = jobOf();
        for (let half = 1; half < 60; half++) {
          at.now += 30 * SECOND;
          vi.advanceTimersByTime(30 * SECOND);
          const renewed = at.now + 2 * MINUTE;
          await vi.waitUntil(async () => (await listRuns(store.db, 1))[0]?.leaseUntil === renewed, {
            interval: 1,
            timeout: 20_000,
          });
          if (half % 10 !== 0) continue;
          expect(await runDue(other, [rival], depsAt(at))).toEqual([]);
        }
        at.now += 30 * SECOND;
        vi.advanceTimersByTime(30 * SECOND);
        expect(await running).toMatchObject({ state: 'failed', reason: 'did not end within 30 min' });
        expect(rival.ran).toEqual([]);
      } finally {
        vi.useRealTimers();
      }
    });

    it('records nothing when another process has claimed it meanwhile', async () => {
      const store = await open();
      const at = clockAt(slot);
      const log = openTestLog();
      const job = jobOf({}, async () => {
        await claimRun(
          store.db,
          { schedule: 'newsletter:daily', slotAt: slot, covers: 1 },
          slot + HOUR,
          slot + 2 * HOUR,
        );
        return { kind: 'done' };
      });
      expect(await runSlot(store, job, { slotAt: slot, covers: 1 }, { clock: at.clock, log })).toBeNull();
      expect(await listRuns(store.db, 1)).toMatchObject([{ state: 'running', attempts: 2 }]);
      expect(log.lines.join()).toContain('lost its lease');
    });
  });

  it('lists the run of the newest slot as the last of each schedule', async () => {
    const store = await open();
    const jobs = [jobOf(), jobOf({ id: 'publish' }), jobOf({ id: 'publish:none' })];
    await registerSchedules(store.db, jobs, slot - HOUR);
    for (const job of jobs.slice(0, 2)) {
      for (const day of [1, 0]) {
        await runSlot(store, job, { slotAt: slot + day * DAY, covers: 1 }, { clock: () => slot, log: openTestLog() });
      }
    }
    expect((await listLastRuns(store.db)).map((run) => [run.schedule, run.slotAt])).toEqual([
      ['newsletter:daily', slot + DAY],
      ['publish', slot + DAY],
    ]);
  });
});

describe('with an injected clock', () => {
  forBothDatabases((open) => {
    it('has 365 runs in a year in Shanghai, one on each date, none late', async () => {
      const store = await open();
      const start = Date.UTC(2025, 11, 31, 16);
      const at = clockAt(start);
      const job = jobOf();
      await runDue(store, [job], depsAt(at));
      for (let day = start; day < start + 365 * DAY; day += DAY) {
        for (const time of [7.5 * HOUR - 1, 7.5 * HOUR, 20 * HOUR]) {
          at.now = day + time;
          await runDue(store, [job], depsAt(at));
        }
      }
      const runs = await listRuns(store.db, 1_000);
      expect(runs).toHaveLength(365);
      expect(new Set(runs.map((run) => wallClock(run.slotAt, 'Asia/Shanghai').toPlainDate().toString())).size).toBe(
        365,
      );
      expect(runs.every((run) => run.state === 'done' && run.attempts === 1 && run.covers === 1)).toBe(true);
      expect(job.ran).toEqual(runs.map((run) => run.slotAt).reverse());
    });

    it('runs once in both nights of a clock change in New York, at a skipped and at a repeated time', async () => {
      const store = await open();
      const zone = 'America/New_York';
      for (const [cron, day] of [
        ['30 2 * * *', [2026, 2, 8]],
        ['30 1 * * *', [2026, 10, 1]],
      ] as const) {
        const start = Date.UTC(day[0], day[1], day[2] - 1, 12);
        const at = clockAt(start);
        const job = jobOf({ id: `newsletter:${cron}`, schedule: { cron, zone, graceMinutes: 240 } });
        for (; at.now < start + 2 * DAY; at.now += 30 * MINUTE) await runDue(store, [job], depsAt(at));
        const times = job.ran.map((slotAt) => wallClock(slotAt, zone).toPlainDateTime().toString());
        expect(times).toEqual(
          cron === '30 2 * * *'
            ? ['2026-03-08T03:30:00', '2026-03-09T02:30:00']
            : ['2026-11-01T01:30:00', '2026-11-02T01:30:00'],
        );
      }
      expect((await listRuns(store.db, 10)).map((run) => run.state)).toEqual(['done', 'done', 'done', 'done']);
    });
  });
});
