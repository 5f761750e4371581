/** What core itself gives to the process. */
import { DAY, SECOND } from '../lib/time.ts';
import type { AlertSubject } from './alerts/alert-kind.ts';
import { listOpenAlerts } from './alerts/alerts.ts';
import type { Capability } from './capability.ts';
import { listProcesses } from './schedule/processes.ts';
import { ROLE_ALERT } from './schedule/role-alerts.ts';
import { countRunsSince, deleteOldRuns, listLastRuns } from './schedule/run-ledger.ts';
import { foldCountSlots, readStateCounts } from './store/counts.ts';
import { deleteExpiredRateLimits } from './store/rate-limits.ts';
import { RUN_STATES } from './store/tables.ts';

const runsPage = ({ job }: AlertSubject) => ({
  label: 'Its runs',
  path: `/runs?schedule=${encodeURIComponent(job ?? '')}`,
  needs: 'editions.read' as const,
});

/** Months of slots to compare with; they hold nothing about persons. */
const RUNS_KEPT_FOR = 180 * DAY;

export const coreCapability: Capability = {
  async runRetention({ store }, now) {
    await foldCountSlots(store.db);
    return {
      runs: await deleteOldRuns(store.db, now - RUNS_KEPT_FOR),
      rates: await deleteExpiredRateLimits(store.db, now),
    };
  },
  async addMetrics({ db, gauge, counter, now }) {
    const ended = counter('runs_total', 'Ended runs; each attempt of a run that is retried counts.', [
      'schedule',
      'state',
    ]);
    for (const { scope, state, entered } of await readStateCounts(db, 'runs')) {
      if (state !== 'running' && state !== 'waiting') ended.inc({ schedule: scope, state }, entered);
    }
    const runs = gauge('runs', 'Runs of the last seven days.', ['schedule', 'state']);
    for (const { schedule, state, count } of await countRunsSince(db, now - 7 * DAY))
      runs.set({ schedule, state }, count);
    const slot = gauge('last_run_slot_timestamp_seconds', 'Slot of the newest run.', ['schedule']);
    const started = gauge('last_run_timestamp_seconds', 'Last start of the newest run.', ['schedule']);
    const lastState = gauge('last_run_state', '1 for the state of the newest run, 0 for others.', [
      'schedule',
      'state',
    ]);
    for (const run of await listLastRuns(db)) {
      const { schedule } = run;
      slot.set({ schedule }, run.slotAt / SECOND);
      started.set({ schedule }, run.startedAt / SECOND);
      for (const state of RUN_STATES) lastState.set({ schedule, state }, run.state === state ? 1 : 0);
    }
    const processes = gauge('processes', 'Running processes.', ['role']);
    for (const { roles, isRunning } of await listProcesses(db, now)) {
      for (const role of roles) processes.inc({ role }, isRunning ? 1 : 0);
    }
    gauge('open_alerts', 'Raised alerts.').set((await listOpenAlerts(db)).length);
  },
  personalData: { rate_limits: { exportedAs: null, erasure: 'deleted' } },
  alertKinds: {
    failed: { title: 'A run failed', hint: 'Remove the cause: the run is tried again.', page: runsPage },
    late: { title: 'A run was late', hint: 'Was daywire stopped, or the machine busy?', page: runsPage },
    skipped: { title: 'A slot was skipped', hint: 'Nothing more happens for that slot.', page: runsPage },
    waiting: { title: 'A slot waits', page: runsPage },
    [ROLE_ALERT]: { title: 'A process is missing', hint: 'The alert ends when a process has its roles again.' },
    storage: { title: 'A disk or the store cannot be written', hint: 'Correct it: the work goes on by itself.' },
    webhook: { title: 'The alert webhook failed', hint: 'Alerts are still shown here. It is tried again by itself.' },
  },
};
