/** Alerts about the feeds of outlets: one while items wait for the operator, and one while a feed is not read. */
import type { RoundupSource } from '../../config/config.ts';
import { roundupSources } from '../../config/sources.ts';
import { DAY, HOUR, rfc3339 } from '../../lib/time.ts';
import { syncAlerts } from '../../schedule/alerts.ts';
import { countAllHeldItems, heldAlert } from '../../sources/outlets/items/held-items.ts';
import { heldReason } from '../../sources/outlets/polling/feed-state.ts';
import { listOutletFeeds, type OutletFeedRow } from '../../sources/outlets/polling/outlet-feeds.ts';
import { listSourceRows, type SourceRow } from '../../sources/source-state.ts';
import type { AppContext } from '../app-context.ts';

const PREFIX = 'outlet:';
const FAILING_AFTER = DAY;
/** A server may ask for a pause of two days. */
const WAITING_AFTER = 49 * HOUR;

/** Raises the alerts that are due, and resolves all others, also those of sources that were removed or paused. */
export async function syncOutletAlerts({
  store,
  config,
  clock,
}: Pick<AppContext, 'store' | 'config' | 'clock'>): Promise<void> {
  const now = clock();
  const { db } = store;
  const sources = roundupSources(config);
  const messages = new Map<string, string>();
  if (sources.length > 0) {
    const rows = new Map((await listSourceRows(db)).map((row) => [row.id, row]));
    const feeds = new Map((await listOutletFeeds(db)).map((feed) => [feed.source, feed]));
    const held = await countAllHeldItems(db);
    for (const source of sources) {
      const row = rows.get(source.id);
      const feed = feeds.get(source.id);
      if (row === undefined || feed === undefined) continue;
      const items = held.get(source.id) ?? 0;
      if (items > 0) messages.set(heldAlert(source.id), `${nameOf(source)}: ${heldReason(items)}.`);
      const problem = row.paused_at === null ? problemOf(source, row, feed, now) : null;
      if (problem !== null) messages.set(`${PREFIX}feed:${source.id}`, problem);
    }
  }
  await syncAlerts(db, PREFIX, messages, now);
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
