/** Tasks of feeds in a running process: publishing changes, notifying the hub, mirroring. */
import type { AppContext } from '../core/app-context.ts';
import { afterCommits } from '../core/commit-watch.ts';
import { repeat, type Stoppable } from '../lib/repeat.ts';
import { MINUTE, SECOND } from '../lib/time.ts';
import type { WorkerPool } from '../lib/worker-pool.ts';
import { readFeedVersion } from './feed-version.ts';
import { openHub } from './hub/hub.ts';
import { mirrorPublished, startPublishing } from './publish/publish.ts';

/** How long a process that ends waits for servers of subscribers or of the hub. */
const HUB_TIMEOUT = 10 * SECOND;

/** A process that starts pings another hub about what has changed in this time: its first publish, above all. */
const PINGED_AT_START = 10 * MINUTE;

/** Unless feeds change: whether the folder is complete, and can be written. */
const MIRROR_CHECK_EVERY = 15 * SECOND;

export async function startFeedTasks(app: AppContext): Promise<Stoppable[]> {
  const hub = await openHubOf(app, app.clock() - PINGED_AT_START);
  return [
    hub,
    repeat(afterCommits(app.store, 100, 5 * SECOND), 'WebSub', app.log, () => hub.tick()),
    startPublishing(app),
  ];
}

/**
 * Notifies subscribers of what is due, or another hub of what has changed, once.
 * @param since another hub is pinged about feeds that changed at this instant or later, epoch milliseconds
 */
export async function notifyHubOnce(app: AppContext, since: number): Promise<void> {
  const hub = await openHubOf(app, since);
  const timeout = setTimeout(() => void hub.stop(), HUB_TIMEOUT);
  try {
    await hub.drain();
  } finally {
    clearTimeout(timeout);
  }
}

async function openHubOf(app: AppContext, since: number): Promise<WorkerPool> {
  return openHub({ ...app, secrets: await app.keys.signingSecrets() }, since);
}

/** Mirrors to this machine's folder of feeds what any process has published. */
export function startMirroring(app: AppContext): Stoppable {
  const { store, log } = app;
  let mirrored: number | null = null;
  let checkAt = 0;
  return repeat(afterCommits(store, SECOND, MIRROR_CHECK_EVERY), 'mirroring feeds', log, async () => {
    const { version } = await readFeedVersion(store.db);
    if (version === mirrored && performance.now() < checkAt) return;
    if (!(await mirrorPublished(app))) return;
    mirrored = version;
    checkAt = performance.now() + MIRROR_CHECK_EVERY;
  });
}
