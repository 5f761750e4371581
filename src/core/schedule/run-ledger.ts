/**
 * The run ledger: one row for each schedule and slot, however many processes there are (its primary key guarantees it).
 * The row of an open run has a lease: while it runs, until its process counts as dead; after a failure, until its next
 * attempt. One that waits until its job is ready has none.
 */
import { sql } from 'kysely';
import { chunks } from '../../lib/chunks.ts';
import { type ClaimId, updateClaimed } from '../store/lease.ts';
import type { Db } from '../store/store.ts';
import type { RunState } from '../store/tables.ts';
import type { DueSlot, EndedSlot, OpenRun, ScheduleState } from './decide.ts';

export interface Run {
  schedule: string;
  slotAt: number;
  state: RunState;
  reason: string | null;
  /** Number of slots that it covers. */
  covers: number;
  attempts: number;
  /** Start of its last attempt, or of its waiting. */
  startedAt: number;
  finishedAt: number | null;
  /** An open run is `running` until then, or `failed` and tried again then. */
  leaseUntil: number | null;
}

/** The columns of a run. */
export const RUN = [
  ...(['runs.schedule', 'runs.slot_at as slotAt', 'runs.state', 'runs.reason', 'runs.covers'] as const),
  ...(['runs.attempts', 'runs.started_at as startedAt', 'runs.finished_at as finishedAt'] as const),
  'runs.lease_until as leaseUntil',
] as const;

/** The right to run a slot and to record its outcome, until another process claims it. */
export interface RunClaim {
  schedule: string;
  slotAt: number;
  /** The number of this attempt, which is its fence. */
  attempt: number;
  startedAt: number;
  /** For how long it had waited, and what for; null where it did not wait. */
  waited: string | null;
  /** Why its last attempt failed, or why it could not begin earlier; null where it was not delayed. */
  delayedBy: string | null;
}

// Open runs are always among a schedule's newest: a later slot is run or recorded only after they have ended.
const NEWEST = 20;
// A row has nine columns, and SQLite allows 32,766 parameters.
const ROWS_PER_INSERT = 1_000;

/** The part of a schedule's state that the ledger holds. */
export async function readScheduleState(db: Db, schedule: string): Promise<Pick<ScheduleState, 'lastSlot' | 'open'>> {
  const runs: Run[] = await db
    .selectFrom('runs')
    .select(RUN)
    .where('schedule', '=', schedule)
    .orderBy('slot_at', 'desc')
    .limit(NEWEST)
    .execute();
  return { lastSlot: runs[0]?.slotAt ?? null, open: runs.filter(isOpenRun).reverse() };
}

/** The run of a slot, or null. */
export async function findRun(db: Db, schedule: string, slotAt: number): Promise<Run | null> {
  const row = await db
    .selectFrom('runs')
    .select(RUN)
    .where('schedule', '=', schedule)
    .where('slot_at', '=', slotAt)
    .executeTakeFirst();
  return row ?? null;
}

/**
 * Claims a slot: a new one, one that waited, or one whose lease has expired.
 * @returns null where another process has claimed it, or it has ended
 */
export async function claimRun(
  db: Db,
  { schedule, slotAt, covers, waited }: DueSlot & { schedule: string },
  now: number,
  leaseUntil: number,
): Promise<RunClaim | null> {
  const started = { state: 'running', started_at: now, finished_at: null, lease_until: leaseUntil } as const;
  const claimed = await db
    .insertInto('runs')
    .values({ schedule, slot_at: slotAt, covers, attempts: 1, ...started })
    .onConflict((conflict) =>
      conflict
        .columns(['schedule', 'slot_at'])
        .doUpdateSet((e) => ({
          ...started,
          attempts: e('runs.attempts', '+', 1),
          ...(waited === undefined ? {} : { reason: waited }),
        }))
        .where(isClaimable(now)),
    )
    .returning(['attempts', 'reason'])
    .executeTakeFirst();
  if (claimed === undefined) return null;
  const delayedBy = waited === undefined ? claimed.reason : null;
  return { schedule, slotAt, attempt: claimed.attempts, startedAt: now, waited: waited ?? null, delayedBy };
}

/** Condition: the run waits, or its lease has expired. */
function isClaimable(now: number) {
  return sql<boolean>`(runs.state = 'waiting' or runs.lease_until <= ${now})`;
}

/**
 * Records what a slot waits for. It keeps the instant at which it began to wait.
 * @returns null where that is recorded already, another process runs the slot, or it has ended
 */
export async function recordWaitingRun(
  db: Db,
  { schedule, slotAt, covers }: DueSlot & { schedule: string },
  reason: string,
  now: number,
): Promise<Run | null> {
  const waiting = { state: 'waiting', reason, finished_at: null, lease_until: null } as const;
  const row = await db
    .insertInto('runs')
    .values({ schedule, slot_at: slotAt, covers, attempts: 0, started_at: now, ...waiting })
    .onConflict((conflict) =>
      conflict
        .columns(['schedule', 'slot_at'])
        .doUpdateSet({
          ...waiting,
          started_at: sql`case when runs.state = 'waiting' then runs.started_at else excluded.started_at end`,
        })
        .where(isClaimable(now))
        .where(sql<boolean>`(runs.state <> 'waiting' or runs.reason is distinct from excluded.reason)`),
    )
    .returning(RUN)
    .executeTakeFirst();
  return row ?? null;
}

/** Extends the lease of a claim. Does nothing where another process has claimed the run. */
export async function renewClaim(db: Db, claim: RunClaim, leaseUntil: number): Promise<void> {
  await updateRunning(db, claim).set({ lease_until: leaseUntil }).execute();
}

/**
 * Records the outcome of a claimed run.
 * @param outcome.state `waiting`: it has turned out not to be ready
 * @param outcome.retryAt when a failed run is tried again
 * @returns null where another process has claimed the run: its outcome counts
 */
export async function finishRun(
  db: Db,
  claim: RunClaim,
  { state, reason, retryAt }: { state: Exclude<RunState, 'running'>; reason: string | null; retryAt: number | null },
  now: number,
): Promise<Run | null> {
  const row = await updateRunning(db, claim)
    .set({ state, reason, finished_at: state === 'waiting' ? null : now, lease_until: retryAt })
    .returning(RUN)
    .executeTakeFirst();
  return row ?? null;
}

function updateRunning(db: Db, { schedule, slotAt, attempt }: RunClaim) {
  const id: ClaimId<'runs'> = { schedule, slot_at: slotAt, attempts: attempt };
  return updateClaimed(db, 'runs', id).where('state', '=', 'running');
}

/** Records slots that end without another attempt. @returns those that no other process has recorded before */
export async function recordEndedSlots(db: Db, schedule: string, ended: EndedSlot[], now: number): Promise<Run[]> {
  const recorded: Run[] = [];
  for (const { slotAt, state, reason } of ended.filter((slot) => slot.wasOpen)) {
    const row = await db
      .updateTable('runs')
      .set({ state, reason, finished_at: now, lease_until: null })
      .where('schedule', '=', schedule)
      .where('slot_at', '=', slotAt)
      // Not one that another process has started to retry meanwhile.
      .where((e) => e.or([isClaimable(now), e.and([e('state', '=', 'failed'), e('lease_until', 'is not', null)])]))
      .returning(RUN)
      .executeTakeFirst();
    if (row !== undefined) recorded.push(row);
  }
  const fresh = ended.filter((slot) => !slot.wasOpen);
  const common = { schedule, attempts: 0, started_at: now, finished_at: now };
  for (const chunk of chunks(fresh, ROWS_PER_INSERT)) {
    const rows = await db
      .insertInto('runs')
      .values(chunk.map(({ slotAt, covers, state, reason }) => ({ ...common, slot_at: slotAt, state, reason, covers })))
      .onConflict((conflict) => conflict.columns(['schedule', 'slot_at']).doNothing())
      .returning(RUN)
      .execute();
    recorded.push(...rows);
  }
  return recorded;
}

/** Records work that no schedule asked for and that is done, such as a poll that brought articles. */
export async function recordDoneRun(
  db: Db,
  { schedule, startedAt, reason }: { schedule: string; startedAt: number; reason: string },
  now: number,
): Promise<void> {
  await db
    .insertInto('runs')
    .values({
      ...{ schedule, slot_at: startedAt, state: 'done', reason, covers: 1, attempts: 1 },
      ...{ started_at: startedAt, finished_at: now, lease_until: null },
    })
    .onConflict((conflict) => conflict.columns(['schedule', 'slot_at']).doNothing())
    .execute();
}

/** Deletes slots to come that a changed schedule had dropped. */
export async function deleteForeseenSlots(db: Db, schedule: string, now: number): Promise<void> {
  await db
    .deleteFrom('runs')
    .where('schedule', '=', schedule)
    .where('slot_at', '>', now)
    .where('state', '=', 'skipped')
    .where('attempts', '=', 0)
    .execute();
}

/** The schedules that have a waiting run, also those that are not registered. */
export async function listWaitingSchedules(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('runs').select('schedule').distinct().where('state', '=', 'waiting').execute();
  return rows.map(({ schedule }) => schedule);
}

/** Ends the waiting runs of schedules as skipped. @param why follows what they wait for */
export async function endWaitingRuns(db: Db, schedules: string[], why: string, now: number): Promise<void> {
  await db
    .updateTable('runs')
    .set({ state: 'skipped', reason: sql`${sql.ref('reason')} || ${`; ${why}`}`, finished_at: now })
    .where('state', '=', 'waiting')
    .where('schedule', 'in', schedules)
    .execute();
}

/** The newest runs of all schedules, newest slot first. */
export function listRuns(db: Db, limit: number): Promise<Run[]> {
  return db.selectFrom('runs').select(RUN).orderBy('slot_at', 'desc').orderBy('schedule').limit(limit).execute();
}

/** The newest run of each schedule that has one, by schedule. */
export function listLastRuns(db: Db): Promise<Run[]> {
  return (
    db
      .selectFrom('schedules')
      // For SQLite, a cross join that begins with the schedules: it would begin with all the runs otherwise.
      .crossJoin('runs')
      .whereRef('runs.schedule', '=', 'schedules.id')
      // One search of the primary key for each schedule, however many runs there are.
      .where(
        sql<boolean>`runs.slot_at = (select max(slot_at) from runs as newest where newest.schedule = schedules.id)`,
      )
      .select(RUN)
      .orderBy('runs.schedule')
      .execute()
  );
}

/** Number of runs with a slot after `since`, by schedule and state, of registered schedules. */
export function countRunsSince(
  db: Db,
  since: number,
): Promise<{ schedule: string; state: Run['state']; count: number }[]> {
  return db
    .selectFrom('schedules')
    .innerJoin('runs', 'runs.schedule', 'schedules.id')
    .select((e) => ['runs.schedule', 'runs.state', e.fn.countAll<number>().as('count')])
    .where('runs.slot_at', '>', since)
    .groupBy(['runs.schedule', 'runs.state'])
    .orderBy('runs.schedule')
    .orderBy('runs.state')
    .execute();
}

export function isOpenRun(run: Run): run is Run & OpenRun {
  return run.leaseUntil !== null || run.state === 'waiting';
}

/** Rows per statement: a few tens of milliseconds of writing. */
const BATCH = 5_000;

/**
 * Deletes runs of slots before an instant. Keeps running and waiting ones, and the newest of each schedule, which
 * records up to where its slots are done.
 * @returns number of deleted runs
 */
export async function deleteOldRuns(db: Db, before: number): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { numAffectedRows = 0n } = await sql`
      delete from runs where (schedule, slot_at) in (
        select old.schedule, old.slot_at from runs as old
        where old.slot_at < ${before} and old.state not in ('running', 'waiting') and exists (
          select 1 from runs as newer where newer.schedule = old.schedule and newer.slot_at > old.slot_at
        )
        limit ${BATCH}
      )`.execute(db);
    if (numAffectedRows === 0n) return deleted;
    deleted += Number(numAffectedRows);
  }
}
