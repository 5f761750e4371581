import { sql } from 'kysely';
import { describe, expect, it, vi } from 'vitest';
import { MAX_ATTEMPTS } from '../../../src/core/schedule/decide.ts';
import type { Job, JobOutcome, Readiness } from '../../../src/core/schedule/job.ts';
import { deleteOtherSchedules, registerSchedules } from '../../../src/core/schedule/register.ts';
import { runDue } from '../../../src/core/schedule/run-due.ts';
import { claimRun, listRuns } from '../../../src/core/schedule/run-ledger.ts';
import { LATE_AFTER, runSlot } from '../../../src/core/schedule/run-slot.ts';
import { openStore, type Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { clockAt, type TestClock } from '../../support/clock.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { openTestLog } from '../../support/test-log.ts';
import { createDatabase, jobOf, openTwice, runDueInTwoProcesses, type TestJob } from './two-processes.ts';

// 07:30 in Shanghai.
const slot = Date.UTC(2026, 10, 23, 23, 30);

function depsAt(at: TestClock) {
  return { clock: at.clock, log: openTestLog() };
}

/** Whether both stores of `openTwice` have asked their server whether it is there. */
async function areWatched({ db }: Store): Promise<boolean> {
  const { rows } = await sql`select 1 from pg_stat_activity
    where datname = current_database() and application_name = 'daywire watch' and state = 'idle'`.execute(db);
  return rows.length === 2;
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

    it('ends with its outcome, although the store could not be written when its work was done', async () => {
      const store = await open();
      const at = clockAt(slot - HOUR);
      const { log, ...deps } = depsAt(at);
      let failures = 1;
      const job = jobOf();
      await registerSchedules(store.db, [job], at.now);
      at.now = slot + SECOND;
      const db = store.db.withPlugin({
        transformQuery({ node }) {
          // The first write after the claim records the outcome.
          if (node.kind === 'UpdateQueryNode' && failures-- > 0)
            throw Object.assign(new Error('database is locked'), { errcode: 5 });
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      expect(await runSlot({ ...store, db }, job, { slotAt: slot, covers: 1 }, { ...deps, log })).toMatchObject({
        state: 'done',
        attempts: 1,
      });
      expect(log.lines[0]).toMatch(/^the database is locked: waiting for it/);
      expect(job.ran).toEqual([slot]);
    });

    it('says in its reason why it was late: its last attempt, or what kept it from beginning', async () => {
      const store = await open();
      const at = clockAt(slot);
      const job = jobOf({}, () => {
        if (job.ran.length === 1) throw new Error('the template is wrong');
        return { kind: 'done' };
      });
      const deps = { ...depsAt(at), delayedBy: '/srv/daywire.db: database is locked' };
      await runSlot(store, job, { slotAt: slot, covers: 1 }, deps);
      at.now += 2 * MINUTE;
      const second = await runSlot(store, job, { slotAt: slot, covers: 1 }, deps);
      expect(second?.reason).toBe('started 2 min after its slot (the template is wrong)');
      const third = await runSlot(store, job, { slotAt: slot - DAY, covers: 1 }, deps);
      expect(third?.reason).toMatch(/^started .* after its slot \(\/srv\/daywire\.db: database is locked\)$/);
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
      // Another change keeps what has run.
      await runDue(store, [daily('06:00')], depsAt(at));
      expect(await listRuns(store.db, 1)).toMatchObject([{ slotAt: at.now, state: 'done' }]);
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
      // Its time limit for a connection is of the clock that is turned.
      if (dialect === 'postgres') await vi.waitUntil(() => areWatched(store), { timeout: 60_000 });
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
      try {
        at.now = slot;
        const hanging = jobOf({}, () => new Promise(() => {}));
        const running = runSlot(store, hanging, { slotAt: slot, covers: 1 }, depsAt(at));
        await vi.waitUntil(() => hanging.ran.length === 1, { interval: 1, timeout: 20_000 });
        const rival = jobOf();
        for (let half = 1; half < 60; half++) {
          at.now += 30 * SECOND;
          // The store gives its server 20 s of this clock for an answer, which arrives before those of later queries.
          for (let part = 0; part < 10; part++) {
            vi.advanceTimersByTime(3 * SECOND);
            await listRuns(other.db, 1);
          }
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
});
