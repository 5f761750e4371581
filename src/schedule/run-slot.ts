/**
 * Runs one slot of a job: claims it, calls the job, records what came of it together with its alert.
 */
import type { Log } from '../lib/log.ts';
import { type Clock, MINUTE, SECOND } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import { raiseAlert, resolveAlerts } from './alerts.ts';
import { MOST_ATTEMPTS, retryAt } from './decide.ts';
import type { Job, JobOutcome } from './job.ts';
import { type Claim, claimRun, finishRun, type Run, renewClaim } from './run-ledger.ts';
import { duration, reasonOf, slotName } from './wording.ts';

/** A run that begins later than this after its slot is late. */
export const LATE_AFTER = MINUTE;
// A process that dies leaves its run to others after two minutes; one that is only busy renews four times in between.
const LEASE = 2 * MINUTE;
const RENEW_EVERY = 30 * SECOND;
/** A job that hangs must not hold up its schedule for good. */
const TIME_LIMIT = 30 * MINUTE;

/** The keys of alerts that a job's runs raise. */
export function alertKeys(jobId: string): Record<'failed' | 'late' | 'skipped', string> {
  return { failed: `failed:${jobId}`, late: `late:${jobId}`, skipped: `skipped:${jobId}` };
}

/**
 * Runs a slot, whether it is due or not: one that is done, or that another process runs, is left alone.
 * @param slot `covers`: how many slots the run stands for
 * @returns the run as recorded, failed ones included; null where it was not ours to run
 * @throws Error of the store alone; what the job throws is recorded
 */
export async function runSlot(
  store: Store,
  job: Job,
  slot: { slotAt: number; covers: number },
  deps: { clock: Clock; log: Log },
): Promise<Run | null> {
  const { clock, log } = deps;
  const now = clock();
  const claim = await claimRun(store.db, { schedule: job.id, ...slot }, now, now + LEASE);
  if (claim === null) return null;
  const renewal = setInterval(() => {
    renewClaim(store.db, claim, clock() + LEASE).catch((error: unknown) =>
      log.warn({ schedule: job.id, error: reasonOf(error) }, 'the lease of a run could not be renewed'),
    );
  }, RENEW_EVERY);
  let outcome: JobOutcome | { kind: 'failed'; reason: string };
  try {
    outcome = await withinTimeLimit(job.run(slot.slotAt, now));
  } catch (error) {
    const reason = reasonOf(error);
    log.error({ schedule: job.id, error: error instanceof Error ? error.stack : reason }, 'a run failed');
    outcome = { kind: 'failed', reason };
  } finally {
    clearInterval(renewal);
  }
  const run = await record(store, job, claim, outcome, clock());
  if (run === null) log.warn({ schedule: job.id }, 'a run lost its lease: another process has taken it over');
  else
    log.info(
      { schedule: job.id, slot: slotName(run.slotAt, job.schedule.zone), reason: run.reason },
      `run ${run.state}`,
    );
  return run;
}

async function withinTimeLimit(work: Promise<JobOutcome>): Promise<JobOutcome> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${duration(TIME_LIMIT)}`)), TIME_LIMIT);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

async function record(
  store: Store,
  job: Job,
  claim: Claim,
  outcome: JobOutcome | { kind: 'failed'; reason: string },
  now: number,
): Promise<Run | null> {
  const result = resultOf(job, claim, outcome, now);
  const keys = alertKeys(job.id);
  return store.db.transaction().execute(async (tx) => {
    const run = await finishRun(tx, claim, result, now);
    if (run === null) return null;
    if (run.state === 'done') await resolveAlerts(tx, Object.values(keys), now);
    if (run.state === 'late') await resolveAlerts(tx, [keys.failed, keys.skipped], now);
    if (run.state === 'skipped') await resolveAlerts(tx, [keys.failed], now);
    if (run.state === 'failed' || run.state === 'late' || run.state === 'skipped') {
      await raiseAlert(tx, { key: keys[run.state], message: alertMessage(job, run) }, now);
    }
    return run;
  });
}

function resultOf(
  job: Job,
  claim: Claim,
  outcome: JobOutcome | { kind: 'failed'; reason: string },
  now: number,
): Parameters<typeof finishRun>[2] {
  if (outcome.kind === 'skipped') return { state: 'skipped', reason: outcome.reason, retryAt: null };
  if (outcome.kind === 'failed') {
    const again = retryAt(job, { slotAt: claim.slotAt, attempts: claim.attempt }, now);
    return { state: 'failed', reason: outcome.reason, retryAt: again };
  }
  const lateBy = claim.startedAt - claim.slotAt;
  if (lateBy <= LATE_AFTER) return { state: 'done', reason: outcome.note ?? null, retryAt: null };
  const began = `began ${duration(lateBy)} after its slot`;
  return { state: 'late', reason: outcome.note === undefined ? began : `${began}; ${outcome.note}`, retryAt: null };
}

/** What an operator is told of a run that did not go as planned. */
export function alertMessage(job: Pick<Job, 'id' | 'schedule'>, run: Run): string {
  const { zone } = job.schedule;
  const slots = run.covers > 1 ? ` and ${run.covers - 1} slots before it` : '';
  const reason = (run.reason ?? 'no reason recorded').replace(/\.$/, '');
  const what = `${job.id}, slot ${slotName(run.slotAt, zone)} (${zone})${slots}: ${run.state}: ${reason}.`;
  if (run.leaseUntil === null) return what;
  return `${what} Tried again at ${slotName(run.leaseUntil, zone)} (attempt ${run.attempts + 1} of ${MOST_ATTEMPTS}).`;
}
