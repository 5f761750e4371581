/**
 * The heartbeat: a URL that is called after each edition, so that an external monitor notices a missing one.
 */
import { callUrl } from '../lib/call-url.ts';
import { errorLine } from '../lib/clean-text.ts';
import type { Log } from '../lib/log.ts';
import type { Clock } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import { raiseAlert, resolveAlerts } from './alerts.ts';

const KEY = 'heartbeat';

/** Calls the URL, if there is one. A failure raises the alert `heartbeat`, a success resolves it. Never throws. */
export async function callHeartbeat(
  store: Store,
  { url, clock, log }: { url: string | undefined; clock: Clock; log: Log },
): Promise<void> {
  if (url === undefined) return;
  const problem = await callUrl(url);
  try {
    if (problem === null) return await resolveAlerts(store.db, [KEY], clock());
    log.warn({ problem }, 'heartbeat failed');
    await raiseAlert(store.db, { key: KEY, message: `The heartbeat after an edition failed: ${problem}.` }, clock());
  } catch (error) {
    log.error({ error: errorLine(error) }, 'recording the heartbeat failed');
  }
}
