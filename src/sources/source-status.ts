/** The status of sources: how each was polled, and what waits for a decision. Instants are epoch milliseconds. */
import { type RawBuilder, sql } from 'kysely';
import type { Config } from '../core/config/config.ts';
import { type AnySource, articleSources, roundupSources } from '../core/config/sources.ts';
import type { Db } from '../core/store/store.ts';
import type { SourceApi } from '../core/store/tables/source-tables.ts';
import { DAY } from '../lib/time.ts';
import type { SourceRow } from './source-state.ts';

/** The state of a source in one word; see polling/poll-state.ts. */
export type SourceState = 'paused' | 'new' | 'read' | Exclude<SourceRow['state'], 'active'>;

export interface SourceStatus {
  id: string;
  url: string;
  use: AnySource['use'];
  /** The name of the outlet; null for a site of the newsroom's own. */
  outlet: string | null;
  /** Null until it is found. */
  api: SourceApi | null;
  /** The address that is polled; null until it is found. */
  endpoint: string | null;
  state: SourceState;
  /** Since when it is in that state; null before the first poll. */
  since: number | null;
  /** Why, as a sentence; null while there is nothing to tell. */
  reason: string | null;
  /** Where permanent redirects lead that are not confirmed yet. */
  movedTo: string | null;
  /** Posts that a site has, or had; items of an outlet that are kept. */
  items: number;
  /** Posts published within the last 24 hours; items first seen within that time that are not held. */
  lastDay: number;
  /** Posts that are gone from the site, and wait for a decision. */
  waiting: number;
  /** New items, of a site or an outlet, that are held: so many came at once. */
  held: number;
  /** Null before the first poll. */
  polledAt: number | null;
  succeededAt: number | null;
  /** When it is polled next; null while it is paused, and once it is gone. */
  nextAt: number | null;
  pausedAt: number | null;
  /** Polls that failed since one succeeded. */
  failures: number;
  failingSince: number | null;
  /** Whether its feed is not well-formed, and is read nevertheless. */
  isRepaired: boolean;
}

/**
 * The status of the sources: sites before outlets, in the order of the configuration. One that was polled for another
 * use counts as new.
 * @param limit counts items up to this number: more count as this many
 */
export async function readSourceStatus(
  db: Db,
  config: Pick<Config, 'sources'>,
  now: number,
  limit?: number,
): Promise<SourceStatus[]> {
  if (config.sources.length === 0) return [];
  const rows = new Map((await readStoredSources(db, now, limit)).map((row) => [`${row.use} ${row.id}`, row]));
  return [...articleSources(config), ...roundupSources(config)].map((source) =>
    statusOf(source, rows.get(`${source.use} ${source.id}`)),
  );
}

function statusOf(
  source: AnySource,
  row: Awaited<ReturnType<typeof readStoredSources>>[number] | undefined,
): SourceStatus {
  const { id, url, use } = source;
  const isNew = row === undefined || row.polled_at === null;
  const { paused_at: pausedAt = null, state = 'active' } = row ?? {};
  const known = state === 'active' ? 'read' : state;
  return {
    ...{ id, url, use, outlet: use === 'roundup' ? source.outlet : null },
    ...{ api: row?.api ?? null, endpoint: row?.endpoint ?? null },
    state: pausedAt !== null ? 'paused' : isNew ? 'new' : known,
    since: isNew ? null : row.state_since,
    ...{ reason: row?.reason ?? null, movedTo: row?.moved_to ?? null },
    ...{ items: row?.items ?? 0, lastDay: row?.lastDay ?? 0, waiting: row?.waiting ?? 0, held: row?.held ?? 0 },
    ...{ polledAt: row?.polled_at ?? null, succeededAt: row?.succeeded_at ?? null, pausedAt },
    // One that is gone is polled when an operator asks for it.
    nextAt: row === undefined || pausedAt !== null || state === 'gone' ? null : row.due_at,
    ...{ failures: row?.failures ?? 0, failingSince: row?.failing_since ?? null, isRepaired: row?.repaired === 1 },
  };
}

/** States that last until somebody acts. A source that is `waiting` is polled again once its server allows it. */
const NEEDY: ReadonlySet<SourceState> = new Set(['held', 'blocked', 'failing', 'gone']);

/** Whether somebody must act: the source cannot be read, or items wait for a decision. Pure. */
export function needsSomebody({ state, waiting, held }: Pick<SourceStatus, 'state' | 'waiting' | 'held'>): boolean {
  return NEEDY.has(state) || waiting + held > 0;
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
    .selectAll('sources')
    .select([
      count(posts, items).as('items'),
      count(
        sql`${posts} and published_at > ${since} and hold is null`,
        sql`${items} and first_seen_at > ${since} and outlet_items.state <> 'held'`,
      ).as('lastDay'),
      // Literals, for the partial indexes.
      countRows(sql`${posts} and sources.use = 'articles' and withdrawal = 'waiting'`, limit).as('waiting'),
      count(sql`${posts} and hold = 'held'`, sql`${items} and outlet_items.state = 'held'`).as('held'),
    ])
    .orderBy('sources.id')
    .execute();
}

function countRows(rows: RawBuilder<unknown>, limit: number | undefined): RawBuilder<number> {
  const bound = limit === undefined ? sql`` : sql`limit ${sql.lit(limit)}`;
  return sql`(select count(*) from (select 1 from ${rows} ${bound}) as counted)`;
}
