/**
 * The record of running processes: each writes its row every few seconds and deletes it when it stops. A row that is
 * no longer written belongs to a process that was killed, or that cannot reach the store. Where process ids can be
 * compared, a killed process is known at once.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { CLOCK_DIFFERENCE } from '../../lib/clock-watch.ts';
import { DAY, SECOND } from '../../lib/time.ts';
import type { Db } from '../store/store.ts';

/** How often a process writes its row. */
export const RECORD_EVERY = 5 * SECOND;
/** A row that is older belongs to a process that no longer runs. Clocks of machines may differ by seconds. */
const SILENT_AFTER = 30 * SECOND;
const KEPT = DAY;

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

/** Writes the row of a process, and deletes those of processes that were last seen a day ago. */
export async function recordProcess(db: Db, record: ProcessRecord, now: number): Promise<void> {
  const { id, host, pid, scope, roles, version, startedAt } = record;
  const row = { host, pid, scope, roles: JSON.stringify(roles), version, started_at: startedAt, seen_at: now };
  await db
    .insertInto('processes')
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ seen_at: now }))
    .execute();
  await db
    .deleteFrom('processes')
    .where('seen_at', '<', now - KEPT)
    .execute();
}

export async function deleteProcess(db: Db, id: string): Promise<void> {
  await db.deleteFrom('processes').where('id', '=', id).execute();
}

/**
 * The processes that run or have ended without a clean stop in the last day, oldest first.
 * @param ids the process ids that the caller can see
 */
export async function listProcesses(
  db: Db,
  now: number,
  ids: ProcessIds = PROCESS_IDS,
): Promise<(ProcessRecord & { seenAt: number; isRunning: boolean })[]> {
  const rows = await db.selectFrom('processes').selectAll().orderBy('started_at').orderBy('id').execute();
  return rows.map(({ roles, started_at, seen_at, ...row }) => ({
    ...row,
    roles: JSON.parse(roles) as string[],
    startedAt: started_at,
    seenAt: seen_at,
    // One that was seen later than now was killed before the clock was set back: others have been seen since.
    isRunning: seen_at > now - SILENT_AFTER && seen_at <= now + CLOCK_DIFFERENCE && !isGone(row, ids),
  }));
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
