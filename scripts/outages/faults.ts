/** The faults that the outage trial makes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROLES, type Role } from '../../src/app/start.ts';
import { MEDIA_COPIES } from '../../src/articles/pictures/own-pictures.ts';
import type { Dialect } from '../../src/core/store/store.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import { emptyDisk, fillDisk, IS_ROOT, makeReadOnly, makeWritable } from './folders.ts';
import type { Trial } from './trial.ts';

export interface Fault {
  name: string;
  databases: readonly Dialect[];
  /** What the key of its alert begins with. */
  alert: string;
  /** Seconds that the deliveries take without the fault. */
  spread: number;
  /** Milliseconds. Default: until the alert has arrived. */
  lasts?: number;
  /** Said of a fault that stands in for another one. */
  note?: string;
  /** Why it cannot be made here. */
  skipped?: string | undefined;
  isProxied?: boolean;
  hasStandby?: boolean;
  isOnSmallDisk?: boolean;
  /** Whether each role is a process of its own. */
  isByRole?: boolean;
  /** Whether the deliveries are due before daywire starts. */
  isDueAtStart?: boolean;
  /** Whether the fault is there before daywire starts. */
  isAtStart?: boolean;
  /** What `/readyz` answers meanwhile. */
  readiness: 200 | 503;
  begin(trial: Trial): unknown;
  /** Finds what is wrong while it lasts, beside the alert and `/readyz`. */
  check?(trial: Trial): Promise<string[]>;
  end(trial: Trial): unknown;
}

const BOTH: readonly Dialect[] = ['sqlite', 'postgres'];
const POSTGRES: readonly Dialect[] = ['postgres'];
const STORE_ALERT = 'storage:store';

/** @param isLong whether the longest outage takes its 15 minutes */
export function listFaults(isLong: boolean): Fault[] {
  const longest = isLong ? {} : { note: '3 min stand in; --long takes 15 min' };
  return [
    { ...stopped(2 * SECOND), name: 'postgres-2s', isDueAtStart: true },
    { ...stopped(MINUTE), name: 'postgres-60s' },
    { ...stopped((isLong ? 15 : 3) * MINUTE), name: 'postgres-15min', ...longest },
    {
      ...stopped(MINUTE),
      name: 'postgres-away-at-start',
      isDueAtStart: true,
      isAtStart: true,
      async check({ processes }) {
        const faults: string[] = [];
        for (const process of processes) {
          const code = await process.stop();
          if (code !== 0)
            faults.push(`SIGTERM while it waits for its first connection: ${process.name} ends with ${code}`);
          process.start();
        }
        return faults;
      },
    },
    {
      ...{ name: 'failover', databases: POSTGRES, alert: STORE_ALERT, spread: 20, readiness: 503 },
      ...{ isProxied: true, hasStandby: true, lasts: 10 * SECOND },
      async begin({ database: { server, proxy } }) {
        proxy?.become('closed');
        await server?.kill();
      },
      async end({ database }) {
        await database.failOver();
        database.proxy?.become('open');
      },
    },
    {
      ...{ name: 'packets-dropped', databases: POSTGRES, alert: STORE_ALERT, spread: 20, readiness: 503 },
      ...{ isProxied: true, lasts: 45 * SECOND },
      begin: ({ database }) => database.proxy?.become('silent'),
      end: ({ database }) => database.proxy?.become('open'),
    },
    { ...FULL, name: 'store-full' },
    { ...FULL, name: 'store-full-at-start', isDueAtStart: true },
    readOnly('feeds', 'feeds'),
    // As after the import of a picture: otherwise nothing writes there.
    readOnly('media', 'media', join('media', MEDIA_COPIES)),
    {
      ...readOnly('backup', 'backups'),
      async begin(trial) {
        mkdirSync(join(trial.folder, 'backups'));
        makeReadOnly(join(trial.folder, 'backups'));
        if ((await trial.run('backup', 'backups/first.db')) !== 1) throw new Error('the backup did not fail with 1');
      },
      async end(trial) {
        makeWritable(join(trial.folder, 'backups'));
        if ((await trial.run('backup', 'backups/second.db')) !== 0) throw new Error('the second backup failed');
      },
    },
    ...ROLES.map(killed),
  ];
}

const FULL: Omit<Fault, 'name'> = {
  ...{ databases: BOTH, alert: STORE_ALERT, spread: 60, readiness: 200 },
  ...{ isOnSmallDisk: true, skipped: IS_ROOT ? undefined : 'only root may mount a small disk' },
  begin: ({ database }) => fillDisk(diskOf(database)),
  async end({ database }) {
    emptyDisk(diskOf(database));
    await restartIfEnded(database);
  },
};

function stopped(lasts: number): Omit<Fault, 'name'> {
  return {
    ...{ databases: POSTGRES, alert: STORE_ALERT, spread: 20, lasts, readiness: 503 },
    begin: ({ database }) => database.server?.halt(),
    end: ({ database }) => database.server?.resume(),
  };
}

/** @param folders the last one is made if it is missing */
function readOnly(place: string, ...folders: string[]): Fault {
  const [folder = '', ...made] = folders;
  return {
    ...{ name: `${place}-read-only`, databases: BOTH, alert: `storage:${place}`, spread: 45, readiness: 200 },
    begin(trial) {
      for (const one of made) mkdirSync(join(trial.folder, one), { recursive: true });
      makeReadOnly(join(trial.folder, folder));
    },
    end: (trial) => makeWritable(join(trial.folder, folder)),
  };
}

function killed(role: Role): Fault {
  return {
    ...{ name: `kill-${role}`, databases: BOTH, alert: 'process:', spread: 90, readiness: 200, isByRole: true },
    begin: (trial) => trial.kill(trial.processOf(role)),
    async check({ processes }) {
      const other = processes.find(({ isServing, isRunning }) => isServing && isRunning);
      // Its answers are shared for five seconds.
      await sleep(5 * SECOND);
      const health = await other?.ask('/healthz');
      const isNamed = health?.status === 503 && health.text.includes(`no process of role ${role}`);
      return isNamed ? [] : [`/healthz answers ${health?.status} ${health?.text} and does not name ${role}`];
    },
    end: (trial) => trial.processOf(role).start(),
  };
}

function diskOf({ disk }: Trial['database']): string {
  if (disk === null) throw new Error('the trial has no small disk');
  return disk;
}

/** As a supervisor does: without room for its log, PostgreSQL ends. */
async function restartIfEnded({ server }: Trial['database']): Promise<void> {
  if (server !== null && !server.isAlive()) await server.resume();
}
