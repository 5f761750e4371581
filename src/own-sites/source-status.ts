/** What an operator sees of the sources of the configuration. */

import type { AppContext } from '../core/app-context.ts';
import { articleSources } from '../core/config/sources.ts';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import { rfc3339 } from '../lib/time.ts';
import { countSourceItems } from '../sources/item-state.ts';
import { listSourceRows } from '../sources/source-state.ts';

/** Instants in RFC 3339, UTC. */
export interface SourceStatus {
  id: string;
  url: string;
  /** Null until it is found. */
  api: SourceApi | null;
  endpoint: string | null;
  /** Posts that it has, or had. */
  items: number;
  /** Posts that are gone and wait for the operator. */
  waiting: number;
  polled: string | null;
  succeeded: string | null;
  /** When it is polled next; null while it is paused. */
  next: string | null;
  paused: string | null;
  failingSince: string | null;
  problem: string | null;
  /** Whether its feed is not well-formed, and is read nevertheless. */
  repaired: boolean;
}

/** In the order of the configuration. */
export async function readSourceStatus({ store, config }: AppContext): Promise<SourceStatus[]> {
  if (config.sources.length === 0) return [];
  const rows = new Map((await listSourceRows(store.db)).map((row) => [row.id, row]));
  const counts = new Map((await countSourceItems(store.reports)).map((one) => [one.source, one]));
  const time = (instant: number | null | undefined): string | null => (instant == null ? null : rfc3339(instant));
  return articleSources(config).map(({ id, url }) => {
    const row = rows.get(id);
    const count = counts.get(id);
    return {
      ...{ id, url, api: row?.api ?? null, endpoint: row?.endpoint ?? null },
      ...{ items: count?.items ?? 0, waiting: count?.waiting ?? 0 },
      ...{ polled: time(row?.polled_at), succeeded: time(row?.succeeded_at) },
      next: row === undefined || row.paused_at !== null ? null : time(row.due_at),
      ...{ paused: time(row?.paused_at), failingSince: time(row?.failing_since), problem: row?.problem ?? null },
      repaired: row?.repaired === 1,
    };
  });
}
