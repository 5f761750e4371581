/** Alerts about the feeds of outlets: one while items wait for the operator, and one while a feed is not read. */
import { type RaisedAlert, syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { RoundupSource } from '../../core/config/config.ts';
import { roundupSources } from '../../core/config/sources.ts';
import { inTransaction, lockName, type Tx } from '../../core/store/store.ts';
import { DAY, HOUR, rfc3339 } from '../../lib/time.ts';
import { sourceAction } from '../../sources/source-action.ts';
import { listSourceRows, type SourceRow } from '../../sources/source-state.ts';
import { countAllHeldItems, heldAlert } from '../items/held-items.ts';
import { heldReason } from './feed-state.ts';
import { listOutletFeeds, type OutletFeedRow } from './outlet-feeds.ts';

/** As `lockName` takes it. */
export const OUTLET_ALERTS_LOCK = 'outlet alerts';
const FAILING_AFTER = DAY;
/** A server may ask for a pause of two days. */
const WAITING_AFTER = 49 * HOUR;

/**
 * Raises the alerts that are due, and resolves all others, also those of sources that were removed or paused. One after
 * the other: one that has read before a poll ended would resolve the alert of that poll.
 */
export async function syncOutletAlerts({
  store,
  config,
  clock,
}: Pick<AppContext, 'store' | 'config' | 'clock'>): Promise<void> {
  const sources = roundupSources(config);
  await inTransaction(store.db, async (tx) => {
    await lockName(tx, OUTLET_ALERTS_LOCK);
    const now = clock();
    const { held, failing } = await findAlerts(tx, sources, now);
    await syncAlerts(tx, 'outlet-held', held, now);
    await syncAlerts(tx, 'outlet-feed', failing, now);
  });
}

interface OutletAlerts {
  held: RaisedAlert[];
  failing: RaisedAlert[];
}

async function findAlerts(tx: Tx, sources: readonly RoundupSource[], now: number): Promise<OutletAlerts> {
  const alerts: OutletAlerts = { held: [], failing: [] };
  if (sources.length === 0) return alerts;
  const rows = new Map((await listSourceRows(tx)).map((row) => [row.id, row]));
  const feeds = new Map((await listOutletFeeds(tx)).map((feed) => [feed.source, feed]));
  const held = await countAllHeldItems(tx);
  for (const source of sources) {
    const row = rows.get(source.id);
    const feed = feeds.get(source.id);
    if (row === undefined || feed === undefined) continue;
    const items = held.get(source.id) ?? 0;
    if (items > 0) {
      const actions = [sourceAction('accept', 'decide on them', source.id)];
      alerts.held.push({ ...heldAlert(source.id), message: `${nameOf(source)}: ${heldReason(items)}.`, actions });
    }
    const message = row.paused_at === null ? problemOf(source, row, feed, now) : null;
    if (message === null) continue;
    const actions = feed.state === 'gone' ? [sourceAction('resume', 'try it again', source.id)] : [];
    alerts.failing.push({ kind: 'outlet-feed', subject: { source: source.id }, message, actions });
  }
  return alerts;
}

function problemOf(source: RoundupSource, row: SourceRow, feed: OutletFeedRow, now: number): string | null {
  const { state, reason } = feed;
  const failingSince = row.failing_since ?? now;
  const after = { failing: FAILING_AFTER, waiting: WAITING_AFTER, blocked: 0, gone: 0 };
  if (state !== 'failing' && state !== 'waiting' && state !== 'blocked' && state !== 'gone') return null;
  if (now - failingSince < after[state]) return null;
  const since = state === 'gone' ? '' : ` since ${rfc3339(failingSince)}`;
  return `${nameOf(source)} is ${state}${since}: ${reason}. Its items stay as they are.`;
}

function nameOf({ id, outlet }: RoundupSource): string {
  return `${id} (${outlet})`;
}
