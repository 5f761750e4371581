/**
 * The heartbeat: a URL that hears of each good edition, so that a monitor elsewhere misses the one that did not come.
 */
import type { Log } from '../lib/log.ts';
import type { Clock } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import { raiseAlert, resolveAlerts } from './alerts.ts';
import { callUrl } from './call-url.ts';
import { reasonOf } from './wording.ts';

const KEY = 'heartbeat';

/**
 * GETs the heartbeat URL, if there is one. A failure raises the alert `heartbeat`, a success resolves it; neither ever throws, for
 * the edition is closed already.
 */
export async function callHeartbeat(
  store: Store,
  options: { url: string | undefined; clock: Clock; log: Log },
): Promise<void> {
  const { url, clock, log } = options;
  if (url === undefined) return;
  const problem = await callUrl(url);
  try {
    if (problem === null) return await resolveAlerts(store.db, [KEY], clock());
    log.warn({ problem }, 'the heartbeat failed');
    await raiseAlert(store.db, { key: KEY, message: `The heartbeat after an edition failed: ${problem}.` }, clock());
  } catch (error) {
    log.error({ error: reasonOf(error) }, 'the heartbeat could not be recorded');
  }
}
