/**
 * Several processes on one database, and what else the schedule's tests share.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { Log } from '../../src/lib/log.ts';
import type { Clock } from '../../src/lib/time.ts';
import type { AlertSender } from '../../src/schedule/alerts.ts';
import type { Job, JobOutcome } from '../../src/schedule/job.ts';
import type { Run } from '../../src/schedule/run-ledger.ts';
import { migrate } from '../../src/store/schema.ts';
import { type Dialect, openStore, type Store } from '../../src/store/store.ts';
import { newPostgresUrl } from '../support/databases.ts';

export interface Place {
  databaseUrl?: string;
  path: string;
}

/** An empty, migrated database that can be opened more than once. */
export async function newPlace(dialect: Dialect): Promise<Place> {
  if (dialect === 'postgres') return { databaseUrl: await newPostgresUrl(), path: '' };
  const folder = mkdtempSync(join(tmpdir(), 'daywire-schedule-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const place = { path: join(folder, 'store.db') };
  const store = await openStore(place);
  await migrate(store);
  await store.close();
  return place;
}

/** Two stores on one database. On SQLite their transactions must not overlap: one thread would wait for itself. */
export async function openTwice(dialect: Dialect): Promise<[Store, Store]> {
  const place = await newPlace(dialect);
  const stores: [Store, Store] = [await openStore(place), await openStore(place)];
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });
  return stores;
}

/** Two processes at once that look for due runs of one newsletter at the same instants. */
export async function lookInTwoProcesses(
  place: Place,
  instants: number[],
): Promise<{ ran: number[]; recorded: Run[] }> {
  const script = fileURLToPath(import.meta.resolve('./process.ts'));
  const outputs = await Promise.all(
    [1, 2].map(() => promisify(execFile)(process.execPath, [script, JSON.stringify(place), JSON.stringify(instants)])),
  );
  const both = outputs.map(({ stdout }) => JSON.parse(stdout) as { ran: number[]; recorded: Run[] });
  return { ran: both.flatMap((one) => one.ran), recorded: both.flatMap((one) => one.recorded) };
}

/** A clock that stands where it was last set. */
export interface TestClock {
  now: number;
  clock: Clock;
}

export function clockAt(now: number): TestClock {
  const at: TestClock = { now, clock: () => at.now };
  return at;
}

export interface TestLog extends Log {
  lines: string[];
}

/** Keeps what is said, details included. */
export function openTestLog(): TestLog {
  const lines: string[] = [];
  const say = (details: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(details)}`);
  };
  return { lines, info: say, warn: say, error: say };
}

export const noAlerts: AlertSender = { send: async () => {} };

export interface TestJob extends Job {
  /** The slots it was called for. */
  ran: number[];
}

/** A newsletter-like job; `work` decides what comes of it. */
export function jobOf(
  of: Partial<Job> = {},
  work: (slotAt: number) => Promise<JobOutcome> | JobOutcome = () => ({ kind: 'done' }),
): TestJob {
  const ran: number[] = [];
  return {
    id: 'newsletter:daily',
    schedule: { cron: '30 7 * * *', zone: 'Asia/Shanghai', graceMinutes: 240 },
    coalesce: false,
    ...of,
    ran,
    run: async (slotAt) => {
      ran.push(slotAt);
      return work(slotAt);
    },
  };
}
