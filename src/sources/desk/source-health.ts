/**
 * The health of all sources at a glance: how each was polled, and what waits for a decision. It reads a row and two
 * short ranges of an index for each source, however many items are stored.
 */
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { AppContext } from '../../core/app-context.ts';
import type { ArticleSource, RoundupSource } from '../../core/config/config.ts';
import { articleSources, roundupSources } from '../../core/config/sources.ts';
import type { Db } from '../../core/store/store.ts';
import type { SourceApi } from '../../core/store/tables/source-tables.ts';
import type { Tables } from '../../core/store/tables.ts';
import { DAY } from '../../lib/time.ts';

/** Items are counted up to this number: more count as this many. */
export const COUNTED_ITEMS = 1_000;

/** What is known of the polls of a source. Instants are epoch milliseconds. */
export interface PollHealth {
  /** Null before the first poll. */
  polledAt: number | null;
  succeededAt: number | null;
  /** When it is polled next; null where it is not polled. */
  nextAt: number | null;
  pausedAt: number | null;
  /** Polls that failed since one succeeded. */
  failures: number;
  failingSince: number | null;
  /** Why the last poll failed. */
  problem: string | null;
  /** Whether its feed is not well-formed, and is read all the same. */
  isRepaired: boolean;
}

export interface SiteHealth extends PollHealth {
  source: ArticleSource;
  /** Null until it is found. */
  api: SourceApi | null;
  endpoint: string | null;
  /** Posts that were published within the last 24 hours, up to COUNTED_ITEMS. */
  lastDay: number;
  /** Posts that are gone and wait for a decision, up to COUNTED_ITEMS. */
  withdrawn: number;
}

export interface OutletHealth extends PollHealth {
  source: RoundupSource;
  /** The address that is polled; null until the feed was read. */
  endpoint: string | null;
  /** Null before the first poll. */
  state: Selectable<Tables['outlet_feeds']>['state'] | null;
  /** Since when it is in that state. */
  since: number | null;
  /** Why, as a sentence; null while there is nothing to tell. */
  reason: string | null;
  /** Where permanent redirects lead that are not confirmed yet. */
  movedTo: string | null;
  /** Items that were first seen within the last 24 hours and are not held, up to COUNTED_ITEMS. */
  lastDay: number;
  /** Items that wait for a decision, up to COUNTED_ITEMS. */
  held: number;
}

/** In the order of the configuration. */
export async function readSourceHealth(
  { store, config }: Pick<AppContext, 'store' | 'config'>,
  now: number,
): Promise<{ sites: SiteHealth[]; outlets: OutletHealth[] }> {
  if (config.sources.length === 0) return { sites: [], outlets: [] };
  const rows = new Map((await readRows(store.db, now)).map((row) => [row.id, row]));
  return {
    sites: articleSources(config).map((source) => toSite(source, rows.get(source.id))),
    outlets: roundupSources(config).map((source) => toOutlet(source, rows.get(source.id))),
  };
}

type HealthRow = Awaited<ReturnType<typeof readRows>>[number];

function readRows(db: Db, now: number) {
  const since = now - DAY;
  const posts = sql`source_items where source_items.source = sources.id`;
  const items = sql`outlet_items where outlet_items.source = sources.id`;
  return db
    .selectFrom('sources')
    .leftJoin('outlet_feeds', 'outlet_feeds.source', 'sources.id')
    .select(['sources.id', 'sources.use', 'sources.api', 'sources.endpoint', 'sources.polled_at'])
    .select(['sources.succeeded_at', 'sources.due_at', 'sources.paused_at', 'sources.failures'])
    .select(['sources.failing_since', 'sources.problem', 'sources.repaired'])
    .select(['outlet_feeds.state', 'outlet_feeds.state_since', 'outlet_feeds.reason', 'outlet_feeds.moved_to'])
    .select([
      countUpTo(sql`${posts} and published_at > ${since}`).as('posts'),
      countUpTo(sql`${posts} and withdrawal = 'waiting'`).as('withdrawn'),
      countUpTo(sql`${items} and first_seen_at > ${since} and outlet_items.state <> 'held'`).as('items'),
      // A literal, for the partial index of held items.
      countUpTo(sql`${items} and outlet_items.state = 'held'`).as('held'),
    ])
    .execute();
}

/** Counts rows as far as COUNTED_ITEMS, which bounds what is read. */
function countUpTo(rows: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`(select count(*) from (select 1 from ${rows} limit ${sql.lit(COUNTED_ITEMS)}) as counted)`;
}

function toSite(source: ArticleSource, row: HealthRow | undefined): SiteHealth {
  const isKnown = row !== undefined && row.use === 'articles';
  return {
    ...{ source, ...pollHealth(isKnown ? row : undefined) },
    ...{ api: isKnown ? row.api : null, endpoint: isKnown ? row.endpoint : null },
    ...{ lastDay: isKnown ? row.posts : 0, withdrawn: isKnown ? row.withdrawn : 0 },
  };
}

function toOutlet(source: RoundupSource, row: HealthRow | undefined): OutletHealth {
  const isKnown = row !== undefined && row.use === 'roundup';
  const poll = pollHealth(isKnown ? row : undefined);
  const state = isKnown && row.polled_at !== null ? row.state : null;
  return {
    ...{ source, ...poll, endpoint: isKnown ? row.endpoint : null },
    ...{ state, since: state === null ? null : (row?.state_since ?? null) },
    ...{ reason: isKnown ? row.reason : null, movedTo: isKnown ? row.moved_to : null },
    ...{ lastDay: isKnown ? row.items : 0, held: isKnown ? row.held : 0 },
    // It is polled when an operator asks for it.
    nextAt: state === 'gone' ? null : poll.nextAt,
  };
}

function pollHealth(row: HealthRow | undefined): PollHealth {
  return {
    ...{ polledAt: row?.polled_at ?? null, succeededAt: row?.succeeded_at ?? null, pausedAt: row?.paused_at ?? null },
    nextAt: row === undefined || row.paused_at !== null ? null : row.due_at,
    ...{ failures: row?.failures ?? 0, failingSince: row?.failing_since ?? null, problem: row?.problem ?? null },
    isRepaired: row?.repaired === 1,
  };
}
