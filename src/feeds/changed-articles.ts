/** What publishes need to know of articles that have changed, without their documents. */
import { sql } from 'kysely';
import { matchesSelection, PUBLIC_STATES } from '../articles/selection.ts';
import type { FeedConfig } from '../core/config/config.ts';
import { jsonIds } from '../core/store/json-rows.ts';
import { type Db, dialectOf } from '../core/store/store.ts';

export interface ChangedArticle {
  id: string;
  /** `document_version`. */
  version: number;
  state: string;
  publishedAt: number;
  /** Ids of the feeds that select it, in any state. */
  selectedBy: ReadonlySet<string>;
}

/** Whether it is public at `now`; see `isPublic` of articles. */
export function isPublicAt(
  { state, publishedAt }: Pick<ChangedArticle, 'state' | 'publishedAt'>,
  now: number,
): boolean {
  return (PUBLIC_STATES as readonly string[]).includes(state) && publishedAt <= now;
}

/** Reads the stored articles among these; in no particular order. @param ids a few thousand at most */
export async function readChangedArticles(
  db: Db,
  feeds: readonly Pick<FeedConfig, 'id' | 'select'>[],
  ids: readonly string[],
): Promise<ChangedArticle[]> {
  if (ids.length === 0) return [];
  const changed = jsonIds(dialectOf(db), ids);
  // One digit for each feed.
  const digits = feeds.map(({ select }) => sql`case when ${matchesSelection(select)} then '1' else '0' end`);
  const selected = digits.length === 0 ? sql`''` : sql.join(digits, sql` || `);
  const { rows } = await sql<{
    id: string;
    version: number;
    state: string;
    published_at: number;
    selected: string;
  }>`select articles.id, articles.document_version as version, articles.state, articles.published_at,
      ${selected} as selected
    from ${changed} as changed cross join articles where articles.id = changed.id`.execute(db);
  return rows.map(({ id, version, state, published_at, selected: chosen }) => ({
    id,
    version,
    state,
    publishedAt: published_at,
    selectedBy: new Set(feeds.flatMap((feed, index) => (chosen[index] === '1' ? [feed.id] : []))),
  }));
}
