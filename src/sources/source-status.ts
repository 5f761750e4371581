/** The status of sources: how each was polled, and what waits for a decision. Instants are epoch milliseconds. */
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { ArticleSource, Config, RoundupSource } from '../core/config/config.ts';
import { type AnySource, articleSources, roundupSources } from '../core/config/sources.ts';
import type { Db } from '../core/store/store.ts';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import type { Tables } from '../core/store/tables.ts';
import { DAY } from '../lib/time.ts';

type FeedState = Selectable<Tables['outlet_feeds']>['state'];

interface PollStatus {
  id: string;
  url: string;
  /** The address that is polled; null until it is found. */
  endpoint: string | null;
  /** Posts that a site has, or had; items of an outlet that are kept. */
  items: number;
  /** Posts published within the last 24 hours; items first seen within that time that are not held. */
  lastDay: number;
  /** Posts that are gone from the site and items that are held wait for a decision. */
  waiting: number;
  /** Null before the first poll. */
  polledAt: number | null;
  succeededAt: number | null;
  /** When it is polled next; null while it is paused, and once it is gone. */
  nextAt: number | null;
  pausedAt: number | null;
  /** Polls that failed since one succeeded. */
  failures: number;
  failingSince: number | null;
  /** Why the last poll failed. */
  problem: string | null;
  /** Whether its feed is not well-formed, and is read nevertheless. */
  isRepaired: boolean;
}

export interface SiteStatus extends PollStatus {
  use: 'articles';
  /** Null until it is found. */
  api: SourceApi | null;
}

export interface OutletStatus extends PollStatus {
  use: 'roundup';
  outlet: string;
  /** Null before the first poll. */
  state: FeedState | null;
  /** Since when it is in that state. */
  since: number | null;
  /** Why, as a sentence; null while there is nothing to tell. */
  reason: string | null;
  /** Where permanent redirects lead that are not confirmed yet. */
  movedTo: string | null;
}

export type SourceStatus = SiteStatus | OutletStatus;

/**
 * The status of the sources, in the order of the configuration. One that was polled for another use counts as new.
 * @param limit counts items up to this number: more count as this many
 */
export async function readSourceStatus(
  db: Db,
  config: Pick<Config, 'sources'>,
  now: number,
  limit?: number,
): Promise<{ sites: SiteStatus[]; outlets: OutletStatus[] }> {
  if (config.sources.length === 0) return { sites: [], outlets: [] };
  const rows = new Map((await readStoredSources(db, now, limit)).map((row) => [`${row.use} ${row.id}`, row]));
  return {
    sites: articleSources(config).map((source) => siteStatus(source, rows.get(`articles ${source.id}`))),
    outlets: roundupSources(config).map((source) => outletStatus(source, rows.get(`roundup ${source.id}`))),
  };
}

type StoredSource = Awaited<ReturnType<typeof readStoredSources>>[number];

function siteStatus(source: ArticleSource, row: StoredSource | undefined): SiteStatus {
  return { ...pollStatus(source, row), use: 'articles', api: row?.api ?? null };
}

function outletStatus(source: RoundupSource, row: StoredSource | undefined): OutletStatus {
  const poll = pollStatus(source, row);
  const state = poll.polledAt === null ? null : (row?.state ?? null);
  return {
    ...{ ...poll, use: 'roundup', outlet: source.outlet, state },
    ...{ since: state === null ? null : (row?.state_since ?? null) },
    ...{ reason: row?.reason ?? null, movedTo: row?.moved_to ?? null },
    // It is polled when an operator asks for it.
    nextAt: state === 'gone' ? null : poll.nextAt,
  };
}

function pollStatus({ id, url }: AnySource, row: StoredSource | undefined): PollStatus {
  return {
    ...{ id, url, endpoint: row?.endpoint ?? null },
    ...{ items: row?.items ?? 0, lastDay: row?.lastDay ?? 0, waiting: row?.waiting ?? 0 },
    ...{ polledAt: row?.polled_at ?? null, succeededAt: row?.succeeded_at ?? null, pausedAt: row?.paused_at ?? null },
    nextAt: row === undefined || row.paused_at !== null ? null : row.due_at,
    ...{ failures: row?.failures ?? 0, failingSince: row?.failing_since ?? null, problem: row?.problem ?? null },
    isRepaired: row?.repaired === 1,
  };
}

/**
 * All sources that were ever polled, by id. It reads ranges of indexes alone: a million items of 200 sources are
 * counted in 60 ms, up to 1,000 of each in 20 ms.
 */
export function readStoredSources(db: Db, now: number, limit?: number) {
  const posts = sql`source_items where source_items.source = sources.id`;
  const items = sql`outlet_items where outlet_items.source = sources.id`;
  const since = now - DAY;
  const count = (ofPosts: RawBuilder<unknown>, ofItems: RawBuilder<unknown>): RawBuilder<number> =>
    sql`case when sources.use = 'articles' then ${countRows(ofPosts, limit)} else ${countRows(ofItems, limit)} end`;
  return db
    .selectFrom('sources')
    .leftJoin('outlet_feeds', 'outlet_feeds.source', 'sources.id')
    .selectAll('sources')
    .select(['outlet_feeds.state', 'outlet_feeds.state_since', 'outlet_feeds.reason', 'outlet_feeds.moved_to'])
    .select([
      count(posts, items).as('items'),
      count(
        sql`${posts} and published_at > ${since}`,
        sql`${items} and first_seen_at > ${since} and outlet_items.state <> 'held'`,
      ).as('lastDay'),
      // Literals, for the partial indexes.
      count(sql`${posts} and withdrawal = 'waiting'`, sql`${items} and outlet_items.state = 'held'`).as('waiting'),
    ])
    .orderBy('sources.id')
    .execute();
}

function countRows(rows: RawBuilder<unknown>, limit: number | undefined): RawBuilder<number> {
  const bound = limit === undefined ? sql`` : sql`limit ${sql.lit(limit)}`;
  return sql`(select count(*) from (select 1 from ${rows} ${bound}) as counted)`;
}

/** The state of a source in one word; those of outlets: outlets/polling/feed-state.ts. */
export type SourceState = 'paused' | 'new' | 'read' | Exclude<FeedState, 'active'>;

/** States that last until somebody acts. A source that is `waiting` is polled again once its server allows it. */
const NEEDY: ReadonlySet<SourceState> = new Set(['held', 'blocked', 'failing', 'gone']);

/** What a source does, and whether somebody must act: it cannot be read, or items wait for a decision. Pure. */
export function sourceState(status: SourceStatus): { state: SourceState; needsSomebody: boolean } {
  const state = stateOf(status);
  return { state, needsSomebody: NEEDY.has(state) || status.waiting > 0 };
}

function stateOf(status: SourceStatus): SourceState {
  if (status.pausedAt !== null) return 'paused';
  if (status.use === 'roundup') return status.state === 'active' ? 'read' : (status.state ?? 'new');
  if (status.failingSince !== null) return 'failing';
  return status.polledAt === null ? 'new' : 'read';
}
