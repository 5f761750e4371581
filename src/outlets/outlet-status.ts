/** What an operator sees of the roundup sources of the configuration. */
import type { Selectable } from 'kysely';
import type { AppContext } from '../core/app-context.ts';
import { roundupSources } from '../core/config/sources.ts';
import type { Tables } from '../core/store/tables.ts';
import { rfc3339 } from '../lib/time.ts';
import { listSourceRows } from '../sources/source-state.ts';
import { countOutletItems } from './items/item-counts.ts';
import { listOutletFeeds } from './polling/outlet-feeds.ts';

/** Instants in RFC 3339, UTC. */
export interface OutletStatus {
  use: 'roundup';
  id: string;
  outlet: string;
  url: string;
  /** The address that is polled; null until the feed was read. */
  endpoint: string | null;
  /** Null before the first poll. */
  state: Selectable<Tables['outlet_feeds']>['state'] | null;
  /** Since when it is in that state. */
  since: string | null;
  /** Why, as a sentence; null while there is nothing to tell. */
  reason: string | null;
  /** Where permanent redirects lead that are not confirmed yet. */
  movedTo: string | null;
  /** Items that are kept, those first seen within the last 24 hours, and those that wait for "sources accept". */
  items: number;
  lastDay: number;
  held: number;
  polled: string | null;
  succeeded: string | null;
  /** When it is polled next; null while it is paused, and once it is gone. */
  next: string | null;
  paused: string | null;
  /** Whether its feed is not well-formed, and is read nevertheless. */
  repaired: boolean;
}

/** In the order of the configuration. */
export async function readOutletStatus({ store, config, clock }: AppContext): Promise<OutletStatus[]> {
  const sources = roundupSources(config);
  if (sources.length === 0) return [];
  const rows = new Map((await listSourceRows(store.db)).map((row) => [row.id, row]));
  const feeds = new Map((await listOutletFeeds(store.db)).map((feed) => [feed.source, feed]));
  const counts = new Map((await countOutletItems(store.reports, clock())).map((one) => [one.source, one]));
  const time = (instant: number | null | undefined): string | null => (instant == null ? null : rfc3339(instant));
  return sources.map(({ id, outlet, url }) => {
    const row = rows.get(id);
    const feed = feeds.get(id);
    const { items = 0, lastDay = 0, held = 0 } = counts.get(id) ?? {};
    const isPolled = row !== undefined && row.polled_at !== null;
    const isStopped = row === undefined || row.paused_at !== null || feed?.state === 'gone';
    return {
      ...{ use: 'roundup', id, outlet, url, endpoint: row?.endpoint ?? null },
      ...(isPolled ? { state: feed?.state ?? null, since: time(feed?.state_since) } : { state: null, since: null }),
      ...{ reason: feed?.reason ?? null, movedTo: feed?.moved_to ?? null },
      ...{ items, lastDay, held },
      ...{ polled: time(row?.polled_at), succeeded: time(row?.succeeded_at) },
      ...{ next: isStopped ? null : time(row.due_at), paused: time(row?.paused_at) },
      repaired: row?.repaired === 1,
    };
  });
}
