/**
 * Decides what is due, from a schedule's runs and the current instant. Pure.
 *
 * - A slot missed by less than the grace period runs; an older one is recorded as skipped.
 * - Of several due slots only the newest runs. A job that coalesces counts the others in that run's `covers`. For any
 *   other job each of them is recorded as skipped: the newest run includes what they would have included.
 * - A run that failed, or whose process ended, is tried again within its grace period, until the next slot supersedes
 *   it.
 * - A run that waits until its job is ready is asked for with each check. It ends as skipped, with what it waited for,
 *   when its grace period is over or the next slot supersedes it.
 */
import { formatDuration, localDate, localDateTime, MINUTE } from '../../lib/time.ts';
import type { Job, ListedSlot } from './job.ts';
import { nextSlot, slotsBetween } from './slots.ts';

/** With delays that double from one minute: about two hours in all. */
export const MAX_ATTEMPTS = 8;
const FIRST_RETRY_DELAY = MINUTE;

/** Missed slots that get a row each after a long downtime. The earlier ones share a row that counts them. */
export const MAX_ROWS = 400;
const CHUNK = 31 * 24 * 60 * MINUTE;

/** A run that has not ended. */
export interface OpenRun {
  slotAt: number;
  state: 'running' | 'failed' | 'waiting';
  attempts: number;
  covers: number;
  /** Start of its last attempt, or of its waiting. */
  startedAt: number;
  /** `running`: while its process lives. `failed`: until the next attempt. `waiting`: null. */
  leaseUntil: number | null;
  reason: string | null;
}

export interface ScheduleState {
  /** When the schedule was first seen: earlier slots do not count. */
  since: number;
  /** The newest slot that has a row. */
  lastSlot: number | null;
  open: OpenRun[];
}

/** A slot that ends without another attempt. */
export interface EndedSlot {
  slotAt: number;
  covers: number;
  /** `done` and `late`: the work of a slot that waited was done in another way. */
  state: 'skipped' | 'failed' | 'done' | 'late';
  reason: string;
  /** Whether it is the slot of an open run. */
  wasOpen: boolean;
}

/** A slot to run, if its job is ready. */
export interface DueSlot {
  slotAt: number;
  covers: number;
  /** For how long it has waited and what for; absent where it did not wait. */
  waited?: string;
}

export interface Decision {
  ended: EndedSlot[];
  run: DueSlot | null;
}

type ScheduledJob = Pick<Job, 'schedule' | 'coalesce'>;

/** What to record and what to run at `now`. */
export function decide(job: ScheduledJob, state: ScheduleState, now: number): Decision {
  // One run of a schedule at a time: a due slot waits while another process runs an earlier one.
  if (state.open.some((run) => run.state === 'running' && !isClaimable(run, now))) return { ended: [], run: null };
  const { cron, zone } = job.schedule;
  const missed = missedSlots(cron, zone, Math.max(state.since, state.lastSlot ?? state.since), now);
  const newest = missed.recent.at(-1);
  const due = newest !== undefined && isWithinGrace(job, newest, now) ? newest : null;
  const skipped = newest === undefined ? [] : skippedSlots(job, missed, due, now);
  const { ended, run } = reviewOpenRuns(job, state, due, now);
  if (due === null) return { ended: [...ended, ...skipped], run };
  const covers = job.coalesce ? missed.recent.length + (missed.earlier?.count ?? 0) : 1;
  return { ended: [...ended, ...skipped], run: { slotAt: due, covers } };
}

/**
 * Decides about a listed slot at `now`: it ends, it runs if its job is ready, or (null) another process runs it or it
 * is tried again later.
 * @param open its run, or null
 */
export function decideListed(slot: ListedSlot, open: OpenRun | null, now: number): EndedSlot | DueSlot | null {
  const { slotAt, waitsUntil } = slot;
  if (open !== null && !isClaimable(open, now)) return null;
  const isWaiting = open === null || open.state === 'waiting';
  const why =
    now >= waitsUntil
      ? 'its grace period is over'
      : !isWaiting && open.attempts >= MAX_ATTEMPTS
        ? `after ${open.attempts} attempts`
        : null;
  if (why !== null) {
    const reason =
      open === null ? `missed by ${formatDuration(now - slotAt)}; ${why}` : `${whatHappened(open)}; ${why}`;
    return { slotAt, covers: 1, state: isWaiting ? 'skipped' : 'failed', reason, wasOpen: open !== null };
  }
  if (open?.state !== 'waiting') return { slotAt, covers: 1 };
  return { slotAt, covers: 1, waited: waitedFor(open, now) };
}

/**
 * The slots of a former schedule that its change drops: those that wait and that the new schedule does not have, those
 * that were missed, and the next one if the new schedule no longer has a slot on that day. Jobs that coalesce lose
 * nothing by the latter.
 * @param former since when it was registered
 */
export function droppedSlots(
  job: ScheduledJob,
  former: { cron: string; zone: string; since: number },
  { lastSlot, open }: Pick<ScheduleState, 'lastSlot' | 'open'>,
  now: number,
): EndedSlot[] {
  const { cron, zone } = job.schedule;
  const change = `${former.cron} (${former.zone}) to ${cron} (${zone})`;
  const why = `dropped: the schedule changed from ${change}`;
  const dropped = (slotAt: number, covers: number): EndedSlot => {
    return { slotAt, covers, state: 'skipped', reason: why, wasOpen: false };
  };
  const waiting = open
    .filter(({ state, slotAt }) => state === 'waiting' && slotsBetween(cron, zone, slotAt - 1, slotAt).length === 0)
    .map((run) => ({ ...dropped(run.slotAt, run.covers), reason: `${whatHappened(run)}; ${why}`, wasOpen: true }));
  const { recent, earlier } = missedSlots(former.cron, former.zone, Math.max(former.since, lastSlot ?? 0), now);
  const count = recent.length + (earlier?.count ?? 0);
  if (job.coalesce) return count === 0 ? waiting : [...waiting, dropped(recent.at(-1) as number, count)];
  const missed = [
    ...waiting,
    ...(earlier === null ? [] : [dropped(earlier.last, earlier.count)]),
    ...recent.map((at) => dropped(at, 1)),
  ];
  const next = nextSlot(former.cron, former.zone, now);
  if (next === null || next <= (lastSlot ?? 0)) return missed;
  const replacement = nextSlot(cron, zone, now);
  const isMoved = replacement !== null && localDate(replacement, zone) <= localDate(next, zone);
  return isMoved ? missed : [...missed, dropped(next, 1)];
}

/**
 * When to retry a run that just failed. Null where its attempts are used up, its grace period would be over, or the
 * next slot would have superseded it.
 */
export function retryAt(job: ScheduledJob, run: { slotAt: number; attempts: number }, now: number): number | null {
  const at = now + FIRST_RETRY_DELAY * 2 ** (run.attempts - 1);
  if (run.attempts >= MAX_ATTEMPTS || !isWithinGrace(job, run.slotAt, at)) return null;
  const following = nextSlot(job.schedule.cron, job.schedule.zone, run.slotAt);
  return following !== null && following <= at ? null : at;
}

/**
 * Until when a slot can wait: the end of its grace period, or the next slot.
 * @returns epoch milliseconds
 */
export function waitsUntil({ schedule }: ScheduledJob, slotAt: number): number {
  const graceEnd = slotAt + schedule.graceMinutes * MINUTE;
  return Math.min(graceEnd, nextSlot(schedule.cron, schedule.zone, slotAt) ?? graceEnd);
}

function isClaimable({ leaseUntil }: OpenRun, now: number): boolean {
  return leaseUntil === null || leaseUntil <= now;
}

function isWithinGrace(job: ScheduledJob, slotAt: number, at: number): boolean {
  return at - slotAt < job.schedule.graceMinutes * MINUTE;
}

interface MissedSlots {
  /** At most MAX_ROWS, ascending. */
  recent: number[];
  earlier: { count: number; last: number } | null;
}

// In chunks, to keep memory flat after years of downtime of a schedule that runs every minute.
function missedSlots(cron: string | null, zone: string, after: number, now: number): MissedSlots {
  let recent: number[] = [];
  const earlier = { count: 0, last: 0 };
  for (let from = after; from < now; from += CHUNK) {
    recent = [...recent, ...slotsBetween(cron, zone, from, Math.min(from + CHUNK, now))];
    const excess = recent.splice(0, Math.max(0, recent.length - MAX_ROWS));
    earlier.count += excess.length;
    earlier.last = excess.at(-1) ?? earlier.last;
  }
  return { recent, earlier: earlier.count === 0 ? null : earlier };
}

/** The missed slots that do not run: all but the due one. */
function skippedSlots(
  job: ScheduledJob,
  { recent, earlier }: MissedSlots,
  due: number | null,
  now: number,
): EndedSlot[] {
  const { zone, graceMinutes } = job.schedule;
  const grace = formatDuration(graceMinutes * MINUTE);
  const skipped = (slotAt: number, covers: number): EndedSlot => {
    const isCovered = due !== null && isWithinGrace(job, slotAt, now);
    const reason = isCovered
      ? `covered by the run of ${localDateTime(due, zone)}`
      : `missed by ${formatDuration(now - slotAt)}, more than its grace period of ${grace}`;
    return { slotAt, covers, state: 'skipped', reason, wasOpen: false };
  };
  if (job.coalesce) {
    return due === null ? [skipped(recent.at(-1) as number, recent.length + (earlier?.count ?? 0))] : [];
  }
  const each = recent.filter((slotAt) => slotAt !== due).map((slotAt) => skipped(slotAt, 1));
  return earlier === null ? each : [skipped(earlier.last, earlier.count), ...each];
}

/** Which open run to try again, and which ones end. */
function reviewOpenRuns(job: ScheduledJob, state: ScheduleState, due: number | null, now: number): Decision {
  const newest = Math.max(due ?? Number.NEGATIVE_INFINITY, state.lastSlot ?? Number.NEGATIVE_INFINITY);
  const ended: EndedSlot[] = [];
  let run: Decision['run'] = null;
  for (const open of state.open) {
    const { slotAt, covers } = open;
    const why = whyEnded(job, open, newest, now);
    if (why !== null) {
      const state = open.state === 'waiting' ? 'skipped' : 'failed';
      ended.push({ slotAt, covers, state, reason: `${whatHappened(open)}; ${why}`, wasOpen: true });
    } else if (isClaimable(open, now)) {
      run = { slotAt, covers, ...(open.state === 'waiting' ? { waited: waitedFor(open, now) } : {}) };
    }
  }
  return { ended, run };
}

function waitedFor(open: OpenRun, now: number): string {
  return `waited ${formatDuration(Math.max(0, now - open.startedAt))}: ${whatHappened(open)}`;
}

function whatHappened({ state, reason }: OpenRun): string {
  return state === 'running' ? 'the process ended during the run' : (reason ?? state);
}

function whyEnded(job: ScheduledJob, open: OpenRun, newest: number, now: number): string | null {
  if (newest > open.slotAt) return `superseded by the run of ${localDateTime(newest, job.schedule.zone)}`;
  if (!isWithinGrace(job, open.slotAt, now)) return 'its grace period is over';
  // For a failed run `retryAt` has checked the attempts; a run whose process ended has not come so far.
  if (open.state !== 'waiting' && open.attempts >= MAX_ATTEMPTS) return `after ${open.attempts} attempts`;
  return null;
}
