/** Calls the heartbeat for editions that are delivered: once for each edition, over all processes and restarts. */
import { raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { claimLease, releaseLease } from '../../core/store/lease.ts';
import type { Store } from '../../core/store/store.ts';
import type { EditionDeliveryState } from '../../core/store/tables/edition-tables.ts';
import { callUrl } from '../../lib/call-url.ts';
import type { Log } from '../../lib/log.ts';
import { type Clock, DAY, MINUTE, rfc3339 } from '../../lib/time.ts';
import { countAllDeliveries, type DeliveryStateCounts, NO_DELIVERIES } from '../queue/queries.ts';

/** After that it is given up. Nor is a call made for the editions from before the heartbeat was configured. */
const MAX_AGE = 2 * DAY;
/** A call takes ten seconds at most. If it fails, or the process dies, the next one is made after the lease. */
const LEASE = MINUTE;
/** The rest may be retried for hours. */
const DELIVERED_SHARE = 0.95;

interface UncalledEdition {
  id: number;
  state: EditionDeliveryState;
  closedAt: number;
}

/**
 * Calls the heartbeat for each edition that is delivered and for which it has not been called.
 * @returns false if a call has failed, or another process is calling: check again after a minute
 */
export async function callDueHeartbeats(app: AppContext): Promise<boolean> {
  const { store, config } = app;
  const url = config.secrets.heartbeatUrl;
  const newsletters = config.newsletters.filter(({ heartbeat }) => heartbeat).map(({ id }) => id);
  if (url === undefined || newsletters.length === 0) {
    await resolveAlerts(store.db, [ALERT], app.clock());
    return true;
  }
  const editions = await findUncalled(app, newsletters);
  const ids = editions.map(({ id }) => id);
  const counts = await countAllDeliveries(store.db, ids);
  const delivered = editions.filter(({ id, state }) => isDelivered(counts.get(id) ?? null, state));
  let isComplete = true;
  for (const edition of delivered) if (!(await callOnce(app, edition, url))) isComplete = false;
  return isComplete;
}

function findUncalled({ store, clock }: AppContext, newsletters: string[]): Promise<UncalledEdition[]> {
  return store.db
    .selectFrom('editions')
    .select(['id', 'delivery_state as state', 'closed_at as closedAt'])
    .where('heartbeat_at', 'is', null)
    .where('closed_at', '>', clock() - MAX_AGE)
    .where('newsletter', 'in', newsletters)
    .orderBy('closed_at')
    .orderBy('id')
    .execute();
}

/** @returns false if it must be called again */
async function callOnce(
  { store, clock, log }: AppContext,
  { id, closedAt }: UncalledEdition,
  url: string,
): Promise<boolean> {
  const { db } = store;
  const name = `heartbeat:${id}`;
  const lease = await claimLease(db, name, clock(), clock() + LEASE);
  if (lease === null) return false;
  const edition = await db.selectFrom('editions').select('heartbeat_at').where('id', '=', id).executeTakeFirst();
  const isCalled =
    edition?.heartbeat_at !== null || (await callHeartbeat(store, { url, until: closedAt + MAX_AGE, clock, log }));
  // The lease is left to expire: no process calls again before that.
  if (!isCalled) return false;
  await db
    .updateTable('editions')
    .set({ heartbeat_at: clock() })
    .where('id', '=', id)
    .where('heartbeat_at', 'is', null)
    .execute();
  await releaseLease(db, name, lease);
  return true;
}

/**
 * Whether an edition counts as delivered: nearly everything is submitted. Subscribers who have left since it closed do
 * not count. One without subscribers is delivered.
 * @param counts null if it has no deliveries
 */
export function isDelivered(counts: DeliveryStateCounts | null, state: EditionDeliveryState): boolean {
  const { pending, submitting, submitted, failed, suppressed } = counts ?? NO_DELIVERIES;
  const cancelled = state === 'cancelled' ? suppressed : 0;
  const total = pending + submitting + submitted + failed + cancelled;
  return total === 0 ? state !== 'cancelled' : submitted >= DELIVERED_SHARE * total;
}

const ALERT = { kind: 'heartbeat', subject: {} };

/**
 * Calls the URL, so that a monitor notices a missing edition. A failure raises the alert `heartbeat`, a success
 * resolves it.
 * @param call.until when it is given up
 * @returns whether it succeeded
 */
export async function callHeartbeat(
  store: Store,
  { url, until, clock, log }: { url: string; until: number; clock: Clock; log: Log },
): Promise<boolean> {
  const problem = await callUrl(url);
  if (problem === null) {
    await resolveAlerts(store.db, [ALERT], clock());
    return true;
  }
  log.warn({ problem }, 'heartbeat failed, and will be called again');
  const message =
    `The heartbeat after an edition failed: ${problem}. It is called every minute until ${rfc3339(until)}, and then ` +
    'given up for this edition.';
  await raiseAlert(store.db, { ...ALERT, message }, clock());
  return false;
}
