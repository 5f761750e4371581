/** Runs what is due. Calling it again, or in another process, runs nothing twice. */
import type { Log } from '../../lib/log.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { formatDuration, localDateTime, MINUTE } from '../../lib/time.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import { listOpenAlerts, raiseAlert, resolveAlerts } from '../alerts/alerts.ts';
import type { Store, Tx } from '../store/store.ts';
import { type DueSlot, decide, decideListed, type EndedSlot } from './decide.ts';
import type { Job, Readiness } from './job.ts';
import { registerSchedules } from './register.ts';
import { findRun, type Run, readScheduleState, recordEndedSlots, recordWaitingRun } from './run-ledger.ts';
import { alertMessage, type RunDeps, runAlert, runSlot } from './run-slot.ts';

/**
 * Registers the jobs and runs what is due, one job after another. A job that throws is recorded as failed, and the next
 * one runs.
 * @returns the runs recorded by this call, skipped and failed ones included
 * @throws Error of the store
 */
export async function runDue(store: Store, jobs: Job[], deps: RunDeps): Promise<Run[]> {
  const since = await registerSchedules(store.db, jobs, deps.clock());
  const runs: Run[] = [];
  for (const job of jobs) runs.push(...(await runJobIfDue(store, job, since.get(job.id) as number, deps)));
  return runs;
}

/**
 * Records a job's missed slots and runs the due one.
 * @param since slots up to then are not due
 */
export async function runJobIfDue(store: Store, job: Job, since: number, deps: RunDeps): Promise<Run[]> {
  const { clock, log } = deps;
  const now = clock();
  const state = await readScheduleState(store.db, job.id);
  const { ended, due } = job.listSlots === undefined ? byClock(job, since, state, now) : await byList(job, state, now);
  const recorded = ended.length === 0 ? [] : await recordEnded(store, job, ended, { now, log });
  for (const slot of due) {
    if (deps.signal?.aborted) break;
    const result = await runIfReady(store, job, slot, deps);
    if (result !== null) recorded.push(result);
  }
  return recorded;
}

type LedgerState = Awaited<ReturnType<typeof readScheduleState>>;

interface DueSlots {
  ended: EndedSlot[];
  due: DueSlot[];
}

function byClock(job: Job, since: number, state: LedgerState, now: number): DueSlots {
  const { ended, run } = decide(job, { since, ...state }, now);
  return { ended, due: run === null ? [] : [run] };
}

async function byList(job: Job, { open }: LedgerState, now: number): Promise<DueSlots> {
  const slots: DueSlots = { ended: [], due: [] };
  for (const listed of (await job.listSlots?.()) ?? []) {
    const decision = decideListed(listed, open.find(({ slotAt }) => slotAt === listed.slotAt) ?? null, now);
    if (decision === null) continue;
    if ('wasOpen' in decision) slots.ended.push(decision);
    else slots.due.push(decision);
  }
  return slots;
}

async function recordEnded(
  store: Store,
  job: Job,
  ended: EndedSlot[],
  { now, log }: { now: number; log: Log },
): Promise<Run[]> {
  const runs = await store.db.transaction().execute(async (tx) => {
    const runs = await recordEndedSlots(tx, job.id, ended, now);
    await syncRunAlerts(tx, job, runs, ended, now);
    return runs;
  });
  const newest = runs.at(-1);
  if (newest !== undefined) {
    const slot = localDateTime(newest.slotAt, job.schedule.zone);
    log.warn({ schedule: job.id, rows: runs.length, newest: slot, reason: newest.reason }, 'slots ended without a run');
  }
  return runs;
}

/** A job that does not say whether it is ready must not block its schedule for ever. */
const READINESS_LIMIT = MINUTE;

/** @returns the run as recorded; null where nothing has changed, or another process runs the slot */
async function runIfReady(store: Store, job: Job, slot: DueSlot, deps: RunDeps): Promise<Run | null> {
  const { clock, log } = deps;
  let readiness: Readiness | undefined;
  try {
    const asked = job.readiness?.(slot.slotAt, clock());
    const limit = `it is not known whether it is ready after ${formatDuration(READINESS_LIMIT)}`;
    readiness = asked === undefined ? { kind: 'ready' } : await withTimeout(asked, READINESS_LIMIT, limit);
  } catch (error) {
    // Recorded as an attempt, which alerts and is repeated as any other that fails.
    return runSlot(store, { ...job, run: () => Promise.reject(error) }, slot, deps);
  }
  if (readiness.kind === 'ready') return runSlot(store, job, slot, deps);
  const now = clock();
  const reason = errorLine(readiness.reason);
  const run = await store.db.transaction().execute(async (tx) => {
    const run = await recordWaitingRun(tx, { schedule: job.id, ...slot }, reason, now);
    if (run !== null) await raiseAlert(tx, { ...runAlert('waiting', job.id), message: alertMessage(job, run) }, now);
    return run;
  });
  if (run === null) await raiseAgain(store, job, slot.slotAt, now);
  else log.warn({ schedule: job.id, slot: localDateTime(run.slotAt, job.schedule.zone), reason }, 'waiting');
  return run;
}

/** The first of several waiting slots to end resolves the alert, which concerns the others too: raises it again. */
async function raiseAgain({ db }: Store, job: Job, slotAt: number, now: number): Promise<void> {
  if (job.listSlots === undefined) return;
  if ((await listOpenAlerts(db, 'waiting')).some(({ subject }) => subject.job === job.id)) return;
  const run = await findRun(db, job.id, slotAt);
  if (run?.state === 'waiting')
    await raiseAlert(db, { ...runAlert('waiting', job.id), message: alertMessage(job, run) }, now);
}

/** Resolves the alert of a slot that waited and has ended. Raises one alert for all missed slots, about the newest. */
async function syncRunAlerts(tx: Tx, job: Job, runs: Run[], ended: EndedSlot[], now: number): Promise<void> {
  const open = new Set(ended.filter((slot) => slot.wasOpen).map((slot) => slot.slotAt));
  if (runs.some((run) => open.has(run.slotAt))) await resolveAlerts(tx, [runAlert('waiting', job.id)], now);
  for (const state of ['failed', 'skipped'] as const) {
    const ofState = runs.filter((run) => run.state === state);
    const newest = ofState.at(-1);
    if (newest === undefined) continue;
    const covers = ofState.reduce((sum, run) => sum + run.covers, 0);
    await raiseAlert(tx, { ...runAlert(state, job.id), message: alertMessage(job, { ...newest, covers }) }, now);
  }
}
