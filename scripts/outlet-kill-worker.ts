/** A process for the kill test of outlets: polls all of them again and again, or `rounds` times, on a fast clock. */

import { setTimeout as sleep } from 'node:timers/promises';
import { openParts } from '../src/app/context-parts.ts';
import { withAppContext } from '../src/core/app-context.ts';
import { openLog } from '../src/lib/log.ts';
import { OUTLETS } from '../src/outlets/polling/outlets.ts';
import { pollDue } from '../src/sources/polling/poller.ts';

export interface OutletWorkerOptions {
  folder: string;
  databaseUrl?: string | undefined;
  /** When the test began. The clocks of all processes agree. */
  startedAt: number;
  /** The clock is this many times as fast, so that leases and pauses end within the test. */
  speed: number;
  rounds?: number;
}

const { folder, databaseUrl, startedAt, speed, rounds } = JSON.parse(process.argv[2] ?? '{}') as OutletWorkerOptions;
const clock = (): number => Math.round(startedAt + (Date.now() - startedAt) * speed);
const env = databaseUrl === undefined ? {} : { DAYWIRE_DATABASE_URL: databaseUrl };
const context = { configFile: 'daywire.yaml', cwd: folder, env, clock, log: openLog(process.stderr, 'error') };
await withAppContext(context, openParts, async (app) => {
  for (let round = 1; rounds === undefined || round <= rounds; round++) {
    await app.store.db.updateTable('sources').set({ due_at: 0 }).execute();
    await pollDue(app, OUTLETS, {
      wait: (milliseconds, signal) => sleep(milliseconds / speed, undefined, signal === undefined ? {} : { signal }),
    });
  }
});
