/**
 * The record of running processes: each writes its row every few seconds, and marks it when it stops. A row without the
 * mark that is no longer written belongs to a process that was killed, or that cannot reach the store. Where process
 * ids can be compared, a killed process is known at once. role-alerts.ts raises the alerts.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { sql } from 'kysely';
import { CLOCK_DIFFERENCE, DAY, SECOND } from '../../lib/time.ts';
import type { Db } from '../store/store.ts';

/** How often a process writes its row. */
export const RECORD_EVERY = 10 * SECOND;
/** A row that is older belongs to a process that no longer runs. Clocks of machines may differ by seconds. */
const SILENT_AFTER = 30 * SECOND;
/** How long a row is kept of a process that was stopped, or that another one with the same roles has survived. */
const KEPT = DAY;
/** Other rows of killed processes: they hold the alert that their roles are missing. */
const KEPT_MISSING = 7 * DAY;

export interface ProcessRecord {
  /** Unique for each start. */
  id: string;
  host: string;
  pid: number;
  /** Where `pid` is unique, or null if unknown. */
  scope: string | null;
  roles: string[];
  version: string;
  startedAt: number;
}

/** A row as it is stored. */
export interface ProcessRow extends ProcessRecord {
  seenAt: number;
  /** When it was stopped properly; null while it runs, and if it was killed. */
  stoppedAt: number | null;
}

/** Writes the row of a process, and deletes those that tell nothing any longer. */
export async function recordProcess(db: Db, record: ProcessRecord, now: number): Promise<void> {
  const { id, host, pid, scope, roles, version, startedAt } = record;
  const row = { host, pid, scope, roles: JSON.stringify(roles), version, started_at: startedAt, seen_at: now };
  await db
    .insertInto('processes')
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: now }))
    .execute();
  const isSurvived = sql<boolean>`exists (select 1 from processes as later
    where later.roles = processes.roles and later.seen_at > processes.seen_at)`;
  await db
    .deleteFrom('processes')
    .where('seen_at', '<', now - KEPT)
    .where((e) => e.or([isSurvived, e('stopped_at', 'is not', null), e('seen_at', '<', now - KEPT_MISSING)]))
    .execute();
}

/** Marks a process as stopped. */
export async function recordStop(db: Db, id: string, now: number): Promise<void> {
  await db.updateTable('processes').set({ seen_at: now, stopped_at: now }).where('id', '=', id).execute();
}

/** The rows of all processes, the oldest first. */
export async function readProcesses(db: Db): Promise<ProcessRow[]> {
  const rows = await db.selectFrom('processes').selectAll().orderBy('started_at').orderBy('id').execute();
  return rows.map(({ roles, started_at, seen_at, stopped_at, ...row }) => ({
    ...row,
    roles: JSON.parse(roles) as string[],
    startedAt: started_at,
    seenAt: seen_at,
    stoppedAt: stopped_at,
  }));
}

/**
 * The processes that run, or have ended without a clean stop, oldest first.
 * @param ids the process ids that the caller can see
 */
export async function listProcesses(
  db: Db,
  now: number,
  ids: ProcessIds = PROCESS_IDS,
): Promise<(ProcessRow & { isRunning: boolean })[]> {
  const rows = (await readProcesses(db)).filter(({ stoppedAt }) => stoppedAt === null);
  return rows.map((row) => ({ ...row, isRunning: isSeenWithin(row, SILENT_AFTER, now) && !isGone(row, ids) }));
}

/**
 * Whether the oldest process that runs on this machine is another one: it tells what all of them meet. Rows may be
 * older than usual, because the store cannot be written.
 */
export async function isLedByOther(db: Db, ids: ProcessIds = PROCESS_IDS, pid = process.pid): Promise<boolean> {
  const rows = await readProcesses(db);
  const newest = Math.max(...rows.map(({ seenAt }) => seenAt));
  const leader = rows.find(
    (row) =>
      row.stoppedAt === null && row.seenAt > newest - SILENT_AFTER && row.scope === ids.scope && ids.exists(row.pid),
  );
  return ids.scope !== null && leader !== undefined && leader.pid !== pid;
}

/** One that was seen later than now was killed before the clock was set back: others have been seen since. */
export function isSeenWithin({ seenAt }: Pick<ProcessRow, 'seenAt'>, milliseconds: number, now: number): boolean {
  return seenAt > now - milliseconds && seenAt <= now + CLOCK_DIFFERENCE;
}

/** Whether there is no process of that id. False if the caller cannot know. */
function isGone({ scope, pid }: Pick<ProcessRecord, 'scope' | 'pid'>, ids: ProcessIds): boolean {
  return scope !== null && scope === ids.scope && !ids.exists(pid);
}

export interface ProcessIds {
  /**
   * Identifies where an id names one process: this boot of the system, and the namespace of its container. Null where
   * the system does not tell: machines and containers may share a host name.
   */
  scope: string | null;
  exists(pid: number): boolean;
}

/** The process ids that this process can see. */
export const PROCESS_IDS: ProcessIds = { scope: readScope(), exists: processExists };

function readScope(): string | null {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

function processExists(pid: number): boolean {
  try {
    // Signal 0 only checks (kill(2)).
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it belongs to another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
