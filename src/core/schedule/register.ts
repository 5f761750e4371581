/** Registers the schedules of the configuration. A slot that a changed schedule drops is recorded as skipped. */
import { raiseAlert, resolveAlerts } from '../alerts/alerts.ts';
import { type Db, inTransaction, type Tx } from '../store/store.ts';
import { droppedSlots } from './decide.ts';
import type { Job } from './job.ts';
import {
  deleteForeseenSlots,
  endWaitingRuns,
  listWaitingSchedules,
  readScheduleState,
  recordEndedSlots,
} from './run-ledger.ts';
import { alertMessage, runAlert } from './run-slot.ts';

type RegisteredJob = Pick<Job, 'id' | 'schedule' | 'coalesce'>;

/** Stored in place of a cron expression for a job that lists its slots. */
const LISTED = '';

/**
 * Registers each schedule that is new, or has another cron expression or zone: slots of the new one up to `now` are not
 * due.
 * @returns the instant after which slots are due, by job id
 */
export async function registerSchedules(db: Db, jobs: RegisteredJob[], now: number): Promise<Map<string, number>> {
  const rows = await db.selectFrom('schedules').selectAll().execute();
  const since = new Map<string, number>();
  for (const job of jobs) {
    const { id, schedule } = job;
    const { zone } = schedule;
    const cron = schedule.cron ?? LISTED;
    const known = rows.find((row) => row.id === id);
    if (known?.cron === cron && known.zone === zone) {
      since.set(id, known.since);
      continue;
    }
    const row = { cron, zone, since: now };
    await inTransaction(db, async (tx) => {
      if (known !== undefined) await endFormerSlots(tx, job, known, now);
      await tx
        .insertInto('schedules')
        .values({ id, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute();
    });
    since.set(id, now);
  }
  return since;
}

interface FormerSchedule {
  cron: string;
  zone: string;
  since: number;
}

async function endFormerSlots(tx: Tx, job: RegisteredJob, former: FormerSchedule, now: number): Promise<void> {
  const isListed = job.schedule.cron === null;
  // A job that lists its slots does not know those of a cron expression, and the other way round.
  if (isListed !== (former.cron === LISTED)) await endWaiting(tx, [job.id], now);
  else if (!isListed) await recordDroppedSlots(tx, job, former, now);
}

async function recordDroppedSlots(tx: Tx, job: RegisteredJob, former: FormerSchedule, now: number): Promise<void> {
  // An earlier change may have dropped a slot to come, which this one brings back.
  await deleteForeseenSlots(tx, job.id, now);
  const ended = droppedSlots(job, former, await readScheduleState(tx, job.id), now);
  const runs = await recordEndedSlots(tx, job.id, ended, now);
  if (ended.some(({ wasOpen }) => wasOpen)) await resolveAlerts(tx, [runAlert('waiting', job.id)], now);
  const missed = runs.filter((run) => run.slotAt <= now);
  const newest = missed.at(-1);
  // The next run of a job that coalesces does what the dropped ones would have done.
  if (newest === undefined || job.coalesce) return;
  const covers = missed.reduce((sum, run) => sum + run.covers, 0);
  await raiseAlert(tx, { ...runAlert('skipped', job.id), message: alertMessage(job, { ...newest, covers }) }, now);
}

/**
 * Deletes the schedules that are no longer configured, so that one that returns counts as new. Runs are kept; a slot
 * that waits ends as skipped, because nothing will ask for it any longer.
 */
export async function deleteOtherSchedules(db: Db, jobs: Pick<Job, 'id'>[], now: number): Promise<void> {
  const ids = jobs.map((job) => job.id);
  await inTransaction(db, async (tx) => {
    await tx
      .deleteFrom('schedules')
      .$if(ids.length > 0, (query) => query.where('id', 'not in', ids))
      .execute();
    const waiting = (await listWaitingSchedules(tx)).filter((id) => !ids.includes(id));
    if (waiting.length > 0) await endWaiting(tx, waiting, now);
  });
}

async function endWaiting(tx: Tx, ids: string[], now: number): Promise<void> {
  await endWaitingRuns(tx, ids, 'its schedule was removed', now);
  const alerts = ids.map((id) => runAlert('waiting', id));
  await resolveAlerts(tx, alerts, now);
}
