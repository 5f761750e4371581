/**
 * Three questions about a process. `/livez`: does it run? `/readyz`: can it serve? It is for load balancers and
 * containers. `/healthz`: does the newsroom's work go on? It is for monitoring alone: a stopped process of another role
 * must take no working page away.
 */
import type { Handler } from 'hono';
import { listOpenAlerts } from '../core/alerts/alerts.ts';
import type { AppContext } from '../core/app-context.ts';
import { findOverdueSlots } from '../core/schedule/overdue.ts';
import { readProcesses } from '../core/schedule/processes.ts';
import { findAbsentRoles } from '../core/schedule/role-alerts.ts';
import { isSchemaCurrent } from '../core/store/schema.ts';
import type { Store } from '../core/store/store.ts';
import { DELIVERY_STOPPED } from '../delivery/alerts.ts';
import { type Clock, MINUTE, rfc3339, SECOND } from '../lib/time.ts';
import { withTimeout } from '../lib/with-timeout.ts';
import { jobsOf } from './capabilities.ts';

const NO_STORE = { 'Cache-Control': 'no-store' };

/** `/livez`: 200 while the process answers. */
export const serveLive: Handler = (c) => c.json({ ok: true }, 200, NO_STORE);

/**
 * `/readyz`: 200 if the database responds within three seconds, is not locked, and has the schema of this version.
 * `/healthz`: also only if `findStopped` finds nothing.
 */
export function serveState(store: Store, findStopped: () => Promise<string[]> = async () => []): Handler {
  return async (c) => {
    const state = withTimeout(readState(store, findStopped), 3 * SECOND, 'no answer');
    const [database, stopped] = await state.catch(() => ['unreachable', []] as const);
    const ok = database === 'reachable' && stopped.length === 0;
    return c.json({ ok, database, stopped }, ok ? 200 : 503, NO_STORE);
  };
}

async function readState(store: Store, findStopped: () => Promise<string[]>): Promise<[string, string[]]> {
  if (store.faults.lockedSince !== null) return ['locked by another program', []];
  if (!(await isSchemaCurrent(store))) return ['has the schema of another version: run "daywire migrate"', []];
  return ['reachable', await findStopped()];
}

/** Requests within `ms` share a result. */
export function shareFor<T>(ms: number, clock: Clock, read: (now: number) => Promise<T>): () => Promise<T> {
  let last: { at: number; result: Promise<T> } | null = null;
  return () => {
    const now = clock();
    // Also not the result of a later time, after the clock was set back.
    if (last === null || Math.abs(now - last.at) >= ms) last = { at: now, result: read(now) };
    return last.result;
  };
}

/** A start after a downtime imports and polls before it takes the slots that have come. */
const LATE = 5 * MINUTE;

/** Finds the work that has stopped: a line for each, for everyone to read, so without names of machines. */
export function openHealth(app: AppContext): () => Promise<string[]> {
  return shareFor(5 * SECOND, app.clock, (now) => findStoppedWork(app, now));
}

/** Finds that no message is submitted. A process that delivers is not ready meanwhile, where no balancer asks. */
export async function findStoppedDelivery({ db }: Store): Promise<string[]> {
  const alerts = await listOpenAlerts(db, DELIVERY_STOPPED.kind);
  return alerts.map(({ firstAt }) => `nothing is submitted since ${rfc3339(firstAt)}`);
}

async function findStoppedWork(app: AppContext, now: number): Promise<string[]> {
  const { db } = app.store;
  const rows = await readProcesses(db);
  const storage = [...app.alerts.storage.failing(), ...(await listOpenAlerts(db, 'storage'))];
  const places = new Set(storage.map(({ subject }) => subject.place));
  // No process could record that it runs.
  if (places.has('store')) return ['the store cannot be written'];
  // Where "daywire start --once" runs from time to time, slots wait for it.
  const hasSchedule = rows.some(({ roles, stoppedAt }) => stoppedAt === null && roles.includes('schedule'));
  const overdue = hasSchedule ? await findOverdueSlots(db, jobsOf(app), now - LATE) : [];
  return [
    ...['feeds', 'media']
      .filter((place) => places.has(place))
      .map((place) => `the folder of ${place} cannot be written`),
    ...findAbsentRoles(rows, now).map(({ role, last }) => `no process of role ${role} since ${rfc3339(last.seenAt)}`),
    ...(await findStoppedDelivery(app.store)),
    ...overdue.map(({ schedule, slotAt }) => `${schedule} is late: its slot of ${rfc3339(slotAt)}`),
  ];
}
