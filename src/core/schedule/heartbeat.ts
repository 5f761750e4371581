/**
 * The heartbeat: a URL that is called once an edition is delivered, so that a monitor notices a missing one.
 */
import { callUrl } from '../../lib/call-url.ts';
import type { Log } from '../../lib/log.ts';
import type { Clock } from '../../lib/time.ts';
import { raiseAlert, resolveAlerts } from '../alerts/alerts.ts';
import type { Store } from '../store/store.ts';

const HEARTBEAT = { kind: 'heartbeat', subject: {} };

/**
 * Calls the URL. A failure raises the alert `heartbeat`, a success resolves it.
 * @returns whether it succeeded
 */
export async function callHeartbeat(
  store: Store,
  { url, clock, log }: { url: string; clock: Clock; log: Log },
): Promise<boolean> {
  const problem = await callUrl(url);
  if (problem === null) {
    await resolveAlerts(store.db, [HEARTBEAT], clock());
    return true;
  }
  log.warn({ problem }, 'heartbeat failed, and will be called again');
  await raiseAlert(store.db, { ...HEARTBEAT, message: `The heartbeat after an edition failed: ${problem}.` }, clock());
  return false;
}
