/** Slots that have come and that no process has taken: none is running, or those that run do not schedule. */
import { DAY } from '../../lib/time.ts';
import type { Db } from '../store/store.ts';
import type { Job } from './job.ts';
import { listLastRuns } from './run-ledger.ts';
import { LATE_AFTER } from './run-slot.ts';
import { slotsBetween } from './slots.ts';

export interface OverdueSlot {
  schedule: string;
  /** The newest of them, epoch milliseconds. */
  slotAt: number;
  /** Number of slots, within the last two days. */
  count: number;
}

/** Slots are looked for so far back: a schedule can have one every minute. */
const LOOK_BACK = 2 * DAY;

/** In the order of the jobs; only of schedules that a process has registered. */
export async function findOverdueSlots(
  db: Db,
  jobs: readonly Pick<Job, 'id' | 'schedule'>[],
  now: number,
): Promise<OverdueSlot[]> {
  const schedules = await db.selectFrom('schedules').select(['id', 'since']).execute();
  const since = new Map(schedules.map((row) => [row.id, row.since]));
  const lastSlots = new Map((await listLastRuns(db)).map((run) => [run.schedule, run.slotAt]));
  return jobs.flatMap(({ id, schedule: { cron, zone } }) => {
    const registeredAt = since.get(id);
    if (registeredAt === undefined) return [];
    const after = Math.max(registeredAt, lastSlots.get(id) ?? registeredAt, now - LOOK_BACK);
    const slots = slotsBetween(cron, zone, after, now - LATE_AFTER);
    const slotAt = slots.at(-1);
    return slotAt === undefined ? [] : [{ schedule: id, slotAt, count: slots.length }];
  });
}
