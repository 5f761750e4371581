/**
 * The run ledger: one row for each schedule and slot, whatever the number of processes (its primary key sees to it). An open row
 * has a lease: while it runs, until its process is taken for dead; after a failure, until its next attempt. A row without is over.
 */
import { sql } from 'kysely';
import { type ClaimId, updateClaimed } from '../store/lease.ts';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import type { Ledger, OpenRun, Settled } from './decide.ts';
import type { Job } from './job.ts';

export interface Run {
  schedule: string;
  slotAt: number;
  state: Tables['runs']['state'];
  reason: string | null;
  /** How many slots it stands for. */
  covers: number;
  attempts: number;
  /** When its last attempt began. */
  startedAt: number;
  finishedAt: number | null;
  /** An open run: `running` until then, or `failed` and tried again then. */
  leaseUntil: number | null;
}

/** The right to run a slot and to record its outcome, as long as nobody else has claimed it since. */
export interface Claim {
  schedule: string;
  slotAt: number;
  /** This attempt's number; it fences off the results of earlier ones. */
  attempt: number;
  startedAt: number;
}

// Open runs are always among a schedule's newest: no later slot is run or recorded without settling them.
const NEWEST = 20;
// A row has nine columns, and SQLite takes 32,766 parameters.
const ROWS_AT_ONCE = 1_000;

/**
 * Notes each schedule that is seen for the first time, or with another cron expression or zone: slots up to `now` are not due.
 * @returns the instant from which slots of each job are due, by job id
 */
export async function registerSchedules(
  db: Db,
  jobs: Pick<Job, 'id' | 'schedule'>[],
  now: number,
): Promise<Map<string, number>> {
  const rows = await db.selectFrom('schedules').selectAll().execute();
  const since = new Map<string, number>();
  for (const { id, schedule } of jobs) {
    const known = rows.find((row) => row.id === id);
    if (known?.cron === schedule.cron && known.zone === schedule.zone) {
      since.set(id, known.since);
      continue;
    }
    const row = { cron: schedule.cron, zone: schedule.zone, since: now };
    await db
      .insertInto('schedules')
      .values({ id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
    since.set(id, now);
  }
  return since;
}

/** Forgets the schedules that are no longer configured, so that one that comes back is seen for the first time. Runs are kept. */
export async function forgetOtherSchedules(db: Db, jobs: Pick<Job, 'id'>[]): Promise<void> {
  const ids = jobs.map((job) => job.id);
  await db
    .deleteFrom('schedules')
    .$if(ids.length > 0, (query) => query.where('id', 'not in', ids))
    .execute();
}

/** What `decide` needs to know of a schedule's runs. */
export async function readLedger(db: Db, schedule: string): Promise<Pick<Ledger, 'lastSlot' | 'open'>> {
  const rows = await db
    .selectFrom('runs')
    .selectAll()
    .where('schedule', '=', schedule)
    .orderBy('slot_at', 'desc')
    .limit(NEWEST)
    .execute();
  const runs = rows.map(toRun);
  return { lastSlot: runs[0]?.slotAt ?? null, open: runs.filter(isOpen).reverse() };
}

/**
 * Claims a slot: a new one, or an open one whose lease has lapsed. Of many processes one gets it; null for the others.
 */
export async function claimRun(
  db: Db,
  slot: { schedule: string; slotAt: number; covers: number },
  now: number,
  leaseUntil: number,
): Promise<Claim | null> {
  const { schedule, slotAt, covers } = slot;
  const fresh = await db
    .insertInto('runs')
    .values({
      schedule,
      slot_at: slotAt,
      state: 'running',
      reason: null,
      covers,
      attempts: 1,
      started_at: now,
      finished_at: null,
      lease_until: leaseUntil,
    })
    .onConflict((conflict) => conflict.columns(['schedule', 'slot_at']).doNothing())
    .returning('attempts')
    .executeTakeFirst();
  const claimed =
    fresh ??
    (await db
      .updateTable('runs')
      .set((e) => ({
        state: 'running',
        attempts: e('attempts', '+', 1),
        started_at: now,
        finished_at: null,
        lease_until: leaseUntil,
      }))
      .where('schedule', '=', schedule)
      .where('slot_at', '=', slotAt)
      .where('lease_until', '<=', now)
      .returning('attempts')
      .executeTakeFirst());
  return claimed === undefined ? null : { schedule, slotAt, attempt: claimed.attempts, startedAt: now };
}

function idOf({ schedule, slotAt, attempt }: Claim): ClaimId<'runs'> {
  return { schedule, slot_at: slotAt, attempts: attempt };
}

/** Keeps a claim for longer. False where another process has taken it over. */
export async function renewClaim(db: Db, claim: Claim, leaseUntil: number): Promise<boolean> {
  const row = await updateClaimed(db, 'runs', idOf(claim))
    .set({ lease_until: leaseUntil })
    .where('state', '=', 'running')
    .returning('slot_at')
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Records how a claimed run ended.
 * @param outcome `retryAt`: when a failed run is tried again
 * @returns the row, or null where another process has taken the claim over: its result counts
 */
export async function finishRun(
  db: Db,
  claim: Claim,
  outcome: { state: Exclude<Run['state'], 'running'>; reason: string | null; retryAt: number | null },
  now: number,
): Promise<Run | null> {
  const row = await updateClaimed(db, 'runs', idOf(claim))
    .set({ state: outcome.state, reason: outcome.reason, finished_at: now, lease_until: outcome.retryAt })
    .where('state', '=', 'running')
    .returningAll()
    .executeTakeFirst();
  return row === undefined ? null : toRun(row);
}

/** Records slots that end without another attempt. Returns those that no other process has recorded before. */
export async function settleRuns(db: Db, schedule: string, settled: Settled[], now: number): Promise<Run[]> {
  const recorded: Run[] = [];
  for (const { slotAt, state, reason } of settled.filter((slot) => slot.wasOpen)) {
    const row = await db
      .updateTable('runs')
      .set({ state, reason, finished_at: now, lease_until: null })
      .where('schedule', '=', schedule)
      .where('slot_at', '=', slotAt)
      // Not one that another process has begun to try again meanwhile.
      .where((e) =>
        e.or([e('lease_until', '<=', now), e.and([e('state', '=', 'failed'), e('lease_until', 'is not', null)])]),
      )
      .returningAll()
      .executeTakeFirst();
    if (row !== undefined) recorded.push(toRun(row));
  }
  const fresh = settled.filter((slot) => !slot.wasOpen);
  for (let at = 0; at < fresh.length; at += ROWS_AT_ONCE) {
    const rows = await db
      .insertInto('runs')
      .values(
        fresh.slice(at, at + ROWS_AT_ONCE).map(({ slotAt, covers, state, reason }) => ({
          schedule,
          slot_at: slotAt,
          state,
          reason,
          covers,
          attempts: 0,
          started_at: now,
          finished_at: now,
          lease_until: null,
        })),
      )
      .onConflict((conflict) => conflict.columns(['schedule', 'slot_at']).doNothing())
      .returningAll()
      .execute();
    recorded.push(...rows.map(toRun));
  }
  return recorded;
}

/** The newest runs of all schedules, newest slot first. */
export async function listRuns(db: Db, limit: number): Promise<Run[]> {
  const rows = await db
    .selectFrom('runs')
    .selectAll()
    .orderBy('slot_at', 'desc')
    .orderBy('schedule')
    .limit(limit)
    .execute();
  return rows.map(toRun);
}

/** The newest run of each schedule that has one, by schedule. */
export async function listLastRuns(db: Db): Promise<Run[]> {
  const rows = await db
    .selectFrom('schedules')
    .innerJoin('runs', (join) =>
      join.onRef('runs.schedule', '=', 'schedules.id').on('runs.slot_at', '=', (e) =>
        // One step into the primary key for each schedule, however many runs there are.
        e
          .selectFrom('runs as newest')
          .select((f) => f.fn.max('newest.slot_at').as('slot_at'))
          .whereRef('newest.schedule', '=', 'schedules.id'),
      ),
    )
    .selectAll('runs')
    .orderBy('runs.schedule')
    .execute();
  return rows.map(toRun);
}

/** Number of runs by schedule and state, those that were rolled up into totals included. */
export function countRunsEver(db: Db): Promise<{ schedule: string; state: string; count: number }[]> {
  const runs = db
    .selectFrom('runs')
    .select((e) => ['schedule', e.cast<string>('state', 'text').as('state'), e.fn.countAll<number>().as('count')])
    .groupBy(['schedule', 'state']);
  return db
    .selectFrom(runs.unionAll(db.selectFrom('run_totals').selectAll()).as('ever'))
    .select((e) => ['schedule', 'state', sql<number>`cast(${e.fn.sum('count')} as bigint)`.as('count')])
    .groupBy(['schedule', 'state'])
    .orderBy('schedule')
    .orderBy('state')
    .execute();
}

function isOpen(run: Run): run is Run & OpenRun {
  return run.leaseUntil !== null;
}

function toRun(row: Tables['runs']): Run {
  return {
    schedule: row.schedule,
    slotAt: row.slot_at,
    state: row.state,
    reason: row.reason,
    covers: row.covers,
    attempts: row.attempts,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    leaseUntil: row.lease_until,
  };
}
