/** Runs one slot of a job: claims it, calls the job, and records the outcome with its alerts. */
import type { Log } from '../../lib/log.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { type Clock, formatDuration, localDateTime, MINUTE, SECOND } from '../../lib/time.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import type { AlertId } from '../alerts/alert-kind.ts';
import { raiseAlert, resolveAlerts } from '../alerts/alerts.ts';
import { retryWhileAway } from '../store/outages.ts';
import type { Store, Tx } from '../store/store.ts';
import { type DueSlot, MAX_ATTEMPTS, retryAt, waitsUntil } from './decide.ts';
import type { Job, JobOutcome } from './job.ts';
import { claimRun, findRun, finishRun, type Run, type RunClaim, recordEndedSlots, renewClaim } from './run-ledger.ts';

/** A run that starts later than this after its slot is late. */
export const LATE_AFTER = MINUTE;
// Two minutes after a process dies others may claim its run; one that lives renews its lease four times in between.
const LEASE = 2 * MINUTE;
const RENEW_EVERY = 30 * SECOND;
/** A job that hangs must not block its schedule for ever. */
const TIME_LIMIT = 30 * MINUTE;

export interface RunDeps {
  clock: Clock;
  log: Log;
  /** Its abortion ends the wait for a store that is away, locked or full, with outcomes that are not recorded. */
  signal?: AbortSignal | undefined;
  /** Why the run could not begin earlier. */
  delayedBy?: string | undefined;
}

type Outcome = JobOutcome | { kind: 'failed'; reason: string; stack: string | undefined };

type RunAlertKind = 'failed' | 'late' | 'skipped' | 'waiting';

/** The alert about the runs of a job that ended in a state, or wait. */
export function runAlert(kind: RunAlertKind, job: string): AlertId {
  return { kind, subject: { job } };
}

/**
 * Runs a slot, due or not, unless it has ended or another process runs it.
 * @param slot.covers number of slots that the run covers
 * @returns the recorded run, also if it failed; null where it was not run or another process has claimed it meanwhile
 * @throws Error of the store; errors of the job are recorded
 */
export async function runSlot(
  store: Store,
  job: Job,
  slot: DueSlot,
  { clock, log, signal = new AbortController().signal, delayedBy }: RunDeps,
): Promise<Run | null> {
  const { id } = job;
  const now = clock();
  const claim = await claimRun(store.db, { schedule: id, ...slot }, now, now + LEASE);
  if (claim === null) return null;
  claim.delayedBy ??= delayedBy ?? null;
  const renewal = setInterval(() => {
    renewClaim(store.db, claim, clock() + LEASE).catch((error: unknown) =>
      log.warn({ schedule: id, error: errorLine(error) }, 'renewing the lease of a run failed'),
    );
  }, RENEW_EVERY);
  let outcome: Outcome;
  try {
    outcome = await withTimeout(
      job.run(slot.slotAt, now),
      TIME_LIMIT,
      `did not end within ${formatDuration(TIME_LIMIT)}`,
    );
  } catch (error) {
    const reason = errorLine(error);
    outcome = { kind: 'failed', reason, stack: error instanceof Error ? error.stack : undefined };
  } finally {
    clearInterval(renewal);
  }
  // Otherwise the slot would end as that of a process that ended.
  const run = await retryWhileAway(() => recordOutcome(store, job, claim, outcome, clock()), { log, signal });
  logOutcome(log, job, run, outcome);
  return run;
}

/** One line for each run. */
function logOutcome(log: Log, { id, schedule }: Job, run: Run | null, outcome: Outcome): void {
  const error = outcome.kind === 'failed' ? { error: outcome.stack ?? outcome.reason } : {};
  if (run === null) {
    log.warn({ schedule: id, ...error }, 'run lost its lease: another process has claimed it');
    return;
  }
  const slot = localDateTime(run.slotAt, schedule.zone);
  if (outcome.kind === 'failed') log.error({ schedule: id, slot, ...error }, 'run failed');
  else log.info({ schedule: id, slot, reason: run.reason }, `run ${run.state}`);
}

function recordOutcome(store: Store, job: Job, claim: RunClaim, outcome: Outcome, now: number): Promise<Run | null> {
  return store.db.transaction().execute(async (tx) => {
    const run = await finishRun(tx, claim, resultOf(job, claim, outcome, now), now);
    if (run === null) return null;
    await resolveAlerts(tx, resolvedBy(job.id, run.state), now);
    // Nobody is surprised by a run that is late because an editor held it, or that had nothing to change.
    const isExpected = claim.waited !== null || (outcome.kind === 'done' && outcome.unchanged === true);
    const { state } = run;
    if (state === 'failed' || state === 'skipped' || state === 'waiting' || (state === 'late' && !isExpected)) {
      await raiseAlert(tx, { ...runAlert(state, job.id), message: alertMessage(job, run) }, now);
    }
    return run;
  });
}

/**
 * Ends the run of a slot that waits, because its work has been done in another way. Does nothing for any other run.
 * @param note by what
 */
export async function finishWaitingRun(
  tx: Tx,
  jobId: string,
  slotAt: number,
  note: string,
  now: number,
): Promise<void> {
  const run = await findRun(tx, jobId, slotAt);
  if (run?.state !== 'waiting') return;
  const waited = `waited ${formatDuration(Math.max(0, now - run.startedAt))}: ${run.reason}`;
  const state = now - slotAt <= LATE_AFTER ? 'done' : 'late';
  await recordEndedSlots(tx, jobId, [{ ...run, state, reason: `${waited}; ${note}`, wasOpen: true }], now);
  await resolveAlerts(tx, resolvedBy(jobId, state), now);
}

/** The alerts of earlier runs that a run of this state makes obsolete. */
function resolvedBy(jobId: string, state: Run['state']): AlertId[] {
  const kinds: Partial<Record<Run['state'], RunAlertKind[]>> = {
    waiting: [],
    done: ['waiting', 'failed', 'late', 'skipped'],
    late: ['waiting', 'failed', 'skipped'],
    skipped: ['waiting', 'failed'],
  };
  return (kinds[state] ?? ['waiting']).map((kind) => runAlert(kind, jobId));
}

function resultOf(job: Job, claim: RunClaim, outcome: Outcome, now: number): Parameters<typeof finishRun>[2] {
  const { waited } = claim;
  if (outcome.kind === 'waiting') return { state: 'waiting', reason: errorLine(outcome.reason), retryAt: null };
  if (outcome.kind === 'failed') {
    const at = retryAt(job, { slotAt: claim.slotAt, attempts: claim.attempt }, now);
    return { state: 'failed', reason: outcome.reason, retryAt: at };
  }
  const withWaiting = (...parts: (string | null | undefined)[]): string | null =>
    [waited, ...parts].filter((part) => part !== null && part !== undefined).join('; ') || null;
  if (outcome.kind === 'skipped') return { state: 'skipped', reason: withWaiting(outcome.reason), retryAt: null };
  const delay = claim.startedAt - claim.slotAt;
  if (delay <= LATE_AFTER) return { state: 'done', reason: withWaiting(outcome.note), retryAt: null };
  const why = claim.delayedBy === null ? '' : ` (${claim.delayedBy})`;
  const late = waited === null ? `started ${formatDuration(delay)} after its slot${why}` : null;
  return { state: 'late', reason: withWaiting(late, outcome.note), retryAt: null };
}

/** The message of an alert about a run that failed, was late, was skipped or waits. */
export function alertMessage(job: Pick<Job, 'id' | 'schedule' | 'coalesce'>, run: Run): string {
  const { id, schedule } = job;
  const { zone } = schedule;
  const earlier = run.covers > 1 ? ` and ${run.covers - 1} earlier slots` : '';
  const reason = (run.reason ?? 'no reason recorded').replace(/\.$/, '');
  const message = `${id}, slot ${localDateTime(run.slotAt, zone)} (${zone})${earlier}: ${run.state}: ${reason}.`;
  if (run.state === 'waiting')
    return `${message} It is skipped at ${localDateTime(waitsUntil(job, run.slotAt), zone)}.`;
  if (run.leaseUntil === null) return message;
  const attempt = `attempt ${run.attempts + 1} of ${MAX_ATTEMPTS}`;
  return `${message} Tried again at ${localDateTime(run.leaseUntil, zone)} (${attempt}).`;
}
