/**
 * Decides what is due: pure, from the ledger's rows and the instant.
 *
 * - A slot missed by less than the grace period runs; an older one is recorded as skipped.
 * - Of several that are due, only the newest runs. A job that coalesces counts the others in that run's `covers`; of any other job
 *   each is recorded as skipped, for what it would have taken up goes into the newest.
 * - A run that failed, or whose process ended, is tried again within its grace period until the next slot takes its place.
 */
import { MINUTE } from '../lib/time.ts';
import type { Job } from './job.ts';
import { nextSlot, slotsBetween } from './slots.ts';
import { duration, slotName } from './wording.ts';

/** A run is tried so often at most; with waits that double from one minute, over about two hours. */
export const MOST_ATTEMPTS = 8;
const FIRST_WAIT = MINUTE;

/** After a long downtime this many missed slots have rows of their own; those before them share one, which counts them. */
export const MOST_ROWS = 400;
const CHUNK = 31 * 24 * 60 * MINUTE;

/** A run that is not over: it holds a lease, or waits for its next attempt until the lease lapses. */
export interface OpenRun {
  slotAt: number;
  state: 'running' | 'failed';
  attempts: number;
  covers: number;
  leaseUntil: number;
  reason: string | null;
}

export interface Ledger {
  /** Slots up to then are nobody's: the schedule was not known yet. */
  since: number;
  /** The newest slot that has a row. */
  lastSlot: number | null;
  open: OpenRun[];
}

/** A slot that ends without another attempt. */
export interface Settled {
  slotAt: number;
  covers: number;
  state: 'skipped' | 'failed';
  reason: string;
  /** The row exists, and was open. */
  wasOpen: boolean;
}

export interface Decision {
  settle: Settled[];
  run: { slotAt: number; covers: number } | null;
}

type Scheduled = Pick<Job, 'schedule' | 'coalesce'>;

/** What is to be recorded and run at `now`. */
export function decide(job: Scheduled, ledger: Ledger, now: number): Decision {
  // One run of a schedule at a time: while another process runs an earlier slot, what is due waits for it.
  if (ledger.open.some((run) => run.state === 'running' && run.leaseUntil > now)) return { settle: [], run: null };
  const { cron, zone } = job.schedule;
  const missed = missedSlots(cron, zone, Math.max(ledger.since, ledger.lastSlot ?? ledger.since), now);
  const newest = missed.recent.at(-1);
  const fresh = newest !== undefined && isWithinGrace(job, newest, now) ? newest : null;
  const skipped = newest === undefined ? [] : skip(job, missed, fresh, now);
  const { settle, run } = takeUp(job, ledger, fresh, now);
  if (fresh === null) return { settle: [...settle, ...skipped], run };
  const covers = job.coalesce ? missed.recent.length + (missed.earlier?.count ?? 0) : 1;
  return { settle: [...settle, ...skipped], run: { slotAt: fresh, covers } };
}

/**
 * When a run that just failed is tried again, or null: its attempts are used up, its grace period would be over, or the next slot
 * would have come and taken its place.
 */
export function retryAt(job: Scheduled, run: { slotAt: number; attempts: number }, now: number): number | null {
  const at = now + FIRST_WAIT * 2 ** (run.attempts - 1);
  if (run.attempts >= MOST_ATTEMPTS || !isWithinGrace(job, run.slotAt, at)) return null;
  const following = nextSlot(job.schedule.cron, job.schedule.zone, run.slotAt);
  return following !== null && following <= at ? null : at;
}

function isWithinGrace(job: Scheduled, slotAt: number, at: number): boolean {
  return at - slotAt < job.schedule.graceMinutes * MINUTE;
}

interface Missed {
  /** At most MOST_ROWS, ascending. */
  recent: number[];
  earlier: { count: number; last: number } | null;
}

// In chunks, so that years of downtime of a schedule that runs every minute never stand in memory.
function missedSlots(cron: string, zone: string, after: number, now: number): Missed {
  let recent: number[] = [];
  const earlier = { count: 0, last: 0 };
  for (let from = after; from < now; from += CHUNK) {
    recent = [...recent, ...slotsBetween(cron, zone, from, Math.min(from + CHUNK, now))];
    const excess = recent.splice(0, Math.max(0, recent.length - MOST_ROWS));
    earlier.count += excess.length;
    earlier.last = excess.at(-1) ?? earlier.last;
  }
  return { recent, earlier: earlier.count === 0 ? null : earlier };
}

/** The missed slots that do not run: all but `fresh`. */
function skip(job: Scheduled, missed: Missed, fresh: number | null, now: number): Settled[] {
  const { zone, graceMinutes } = job.schedule;
  const tooOld = (slotAt: number): string =>
    `missed by ${duration(now - slotAt)}, more than its grace period of ${duration(graceMinutes * MINUTE)}`;
  const entry = (slotAt: number, covers: number, reason: string): Settled => ({
    slotAt,
    covers,
    state: 'skipped',
    reason,
    wasOpen: false,
  });
  if (job.coalesce) {
    if (fresh !== null) return [];
    const newest = missed.recent.at(-1) as number;
    return [entry(newest, missed.recent.length + (missed.earlier?.count ?? 0), tooOld(newest))];
  }
  const earlier =
    missed.earlier === null ? [] : [entry(missed.earlier.last, missed.earlier.count, tooOld(missed.earlier.last))];
  const each = missed.recent
    .filter((slotAt) => slotAt !== fresh)
    .map((slotAt) =>
      fresh !== null && isWithinGrace(job, slotAt, now)
        ? entry(slotAt, 1, `came together in the run of ${slotName(fresh, zone)}`)
        : entry(slotAt, 1, tooOld(slotAt)),
    );
  return [...earlier, ...each];
}

/** What becomes of the runs that are not over: tried again, or ended for a reason. */
function takeUp(job: Scheduled, ledger: Ledger, newerSlot: number | null, now: number): Decision {
  const newest = Math.max(newerSlot ?? Number.NEGATIVE_INFINITY, ledger.lastSlot ?? Number.NEGATIVE_INFINITY);
  const settle: Settled[] = [];
  let run: Decision['run'] = null;
  for (const open of ledger.open) {
    const { slotAt, covers } = open;
    const why = whyNoMore(job, open, newest, now);
    if (why !== null) {
      const what = open.state === 'failed' ? (open.reason ?? 'failed') : 'the process ended before the run did';
      settle.push({ slotAt, covers, state: 'failed', reason: `${what}; ${why}`, wasOpen: true });
    } else if (open.leaseUntil <= now) {
      run = { slotAt, covers };
    }
  }
  return { settle, run };
}

function whyNoMore(job: Scheduled, open: OpenRun, newest: number, now: number): string | null {
  if (newest > open.slotAt) return `the run of ${slotName(newest, job.schedule.zone)} takes its place`;
  if (!isWithinGrace(job, open.slotAt, now)) return 'its grace period is over';
  // A failed run has counted its attempts when it was given another; this one never got so far.
  if (open.attempts >= MOST_ATTEMPTS) return `after ${open.attempts} attempts`;
  return null;
}
