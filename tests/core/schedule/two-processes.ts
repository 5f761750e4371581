/**
 * Fixtures of the schedule's tests: jobs, and several processes on one database.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import type { Job, JobOutcome } from '../../../src/core/schedule/job.ts';
import type { Run } from '../../../src/core/schedule/run-ledger.ts';
import { migrate } from '../../../src/core/store/schema.ts';
import { type Dialect, openStore, type Store } from '../../../src/core/store/store.ts';
import { newPostgresUrl } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export interface DatabaseLocation {
  databaseUrl?: string;
  path: string;
}

/** Creates an empty, migrated database that can be opened several times. */
export async function createDatabase(dialect: Dialect): Promise<DatabaseLocation> {
  if (dialect === 'postgres') return { databaseUrl: await newPostgresUrl(), path: '' };
  const location = { path: join(temporaryFolder(), 'store.db') };
  const store = await openStore(location);
  await migrate(store);
  await store.close();
  return location;
}

/** Opens one database twice. */
export async function openTwice(dialect: Dialect): Promise<[Store, Store]> {
  const location = await createDatabase(dialect);
  const stores: [Store, Store] = [await openStore(location), await openStore(location)];
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });
  return stores;
}

/** Runs what is due of one newsletter at the given instants, in two processes at once. */
export async function runDueInTwoProcesses(
  location: DatabaseLocation,
  instants: number[],
): Promise<{ ran: number[]; recorded: Run[] }> {
  const script = fileURLToPath(import.meta.resolve('./process.ts'));
  const outputs = await Promise.all(
    [1, 2].map(() =>
      promisify(execFile)(process.execPath, [script, JSON.stringify(location), JSON.stringify(instants)]),
    ),
  );
  const both = outputs.map(({ stdout }) => JSON.parse(stdout) as { ran: number[]; recorded: Run[] });
  return { ran: both.flatMap((one) => one.ran), recorded: both.flatMap((one) => one.recorded) };
}

export interface TestJob extends Job {
  /** The slots it was called for. */
  ran: number[];
}

/** A job like that of a newsletter. @param work returns its outcome */
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
