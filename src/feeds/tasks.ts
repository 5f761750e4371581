/** Tasks of feeds in a running process: publishing changes, closing archive pages, notifying the hub, mirroring. */
import type { AppContext } from '../core/app-context.ts';
import { repeat, type Stoppable } from '../lib/repeat.ts';
import { SECOND } from '../lib/time.ts';
import type { WorkerPool } from '../lib/worker-pool.ts';
import { readFeedVersion } from './feed-version.ts';
import { openHub } from './hub/hub.ts';
import { archive, mirrorPublished, startPublishing } from './publish/publish.ts';

/** How long a process that ends waits for servers of subscribers or of the hub. */
const HUB_TIMEOUT = 10 * SECOND;

export async function startFeedTasks(app: AppContext): Promise<Stoppable[]> {
  const hub = await openHubOf(app);
  return [
    hub,
    repeat(100, 'WebSub', app.log, () => hub.tick()),
    startPublishing(app),
    repeat(SECOND, 'archiving', app.log, archiving(app)),
  ];
}

/** Closes archive pages whose month is over or that are full, and publishes the feeds that link to them. */
export function archiving(app: AppContext): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    const { archives } = await archive(app, { signal });
    if (archives.closed > 0) app.log.info({ pages: archives.closed }, 'closed archive pages');
  };
}

/** Notifies subscribers and the hub of what is due, once; what times out stays due. */
export async function notifyHubOnce(app: AppContext): Promise<void> {
  const hub = await openHubOf(app);
  const timeout = setTimeout(() => void hub.stop(), HUB_TIMEOUT);
  try {
    await hub.drain();
  } finally {
    clearTimeout(timeout);
  }
}

async function openHubOf(app: AppContext): Promise<WorkerPool> {
  return openHub({ ...app, secrets: await app.keys.signingSecrets() });
}

/** Mirrors to this machine's folder of feeds what any process has published. */
export function startMirroring(app: AppContext): Stoppable {
  const { store, log } = app;
  let mirrored: number | null = null;
  return repeat(SECOND, 'mirroring feeds', log, async () => {
    const { version } = await readFeedVersion(store.db);
    if (version === mirrored) return;
    await mirrorPublished(app);
    mirrored = version;
  });
}
