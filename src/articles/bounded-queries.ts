/**
 * For selections that strangers put together: however rarely their parts meet, no more is looked at than the newest of one of them.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Selection } from '../config/config.ts';
import type { Db } from '../store/store.ts';
import type { Article } from './article.ts';
import { slugsOf } from './facets.ts';
import { findPublicArticles, matches, PUBLIC_STATES, toArticle } from './queries.ts';

export interface BoundedQuery {
  select: Selection;
  now: number;
  limit: number;
  /** Where no index holds what is selected together: how many of the newest of its rarest part are looked at. */
  lookAt: number;
}

/** The public articles that match, newest first, as far as they are among the newest `lookAt` of the rarest that is selected. */
export async function findPublicWithinBounds(db: Db, query: BoundedQuery): Promise<Article[]> {
  const { select, now, limit } = query;
  const parts = (['reporters', 'tags', 'kickers'] as const).filter((part) => select[part] !== undefined);
  const named = Object.values(select).filter((values) => values !== undefined);
  // One index holds each of these alone, and another sections and kinds together.
  if (parts.length === 0 || named.length === 1) return findPublicArticles(db, query);
  const newest = await newestOfRarest(
    db,
    parts.map((part) => newestOf(part, select[part] as string[], query)),
  );
  const { rows } = await sql<{ document: string }>`
    with seen as materialized (${newest})
    select articles.document from seen cross join articles
    where articles.id = seen.id and articles.published_at <= ${now}
      and articles.state in (${sql.join([...PUBLIC_STATES])}) and ${matches(select)}
    order by seen.published_at desc, seen.id desc limit ${limit}`.execute(db);
  return rows.map((row) => toArticle(row.document));
}

type Part = 'reporters' | 'tags' | 'kickers';

/** Table, its columns of id and value, and which values those are: each has an index on value, time and id. */
const INDEXED: Record<Part, { table: string; id: string; value: string; valuesOf: (names: string[]) => string[] }> = {
  reporters: { table: 'article_reporters', id: 'article_id', value: 'reporter', valuesOf: slugsOf },
  tags: { table: 'article_tags', id: 'article_id', value: 'tag', valuesOf: (names) => [...new Set(names)] },
  kickers: { table: 'articles', id: 'id', value: 'kicker', valuesOf: (names) => [...new Set(names)] },
};

function newestOf(part: Part, names: string[], { now, lookAt }: BoundedQuery): RawBuilder<unknown> {
  const { table, id, value, valuesOf } = INDEXED[part];
  const ranges = valuesOf(names).map(
    (one) => sql`select id, published_at from (
      select ${sql.ref(id)} as id, published_at from ${sql.table(table)}
      where ${sql.ref(value)} = ${one} and published_at <= ${now}
      order by published_at desc, ${sql.ref(id)} desc limit ${lookAt}) as one_range`,
  );
  return sql`select id, published_at from (${sql.join(ranges, sql` union `)}) as ranges
    order by published_at desc, id desc limit ${lookAt}`;
}

/** The fewest, or where there are as many of each: those that reach furthest back. */
async function newestOfRarest(db: Db, candidates: RawBuilder<unknown>[]): Promise<RawBuilder<unknown>> {
  if (candidates.length === 1) return candidates[0] as RawBuilder<unknown>;
  const sized = [];
  for (const newest of candidates) {
    const { rows } = await sql<{ count: number; oldest: number | null }>`
      select count(*) as count, min(published_at) as oldest from (${newest}) as seen`.execute(db);
    sized.push({ newest, count: rows[0]?.count ?? 0, oldest: rows[0]?.oldest ?? 0 });
  }
  sized.sort((a, b) => a.count - b.count || a.oldest - b.oldest);
  return (sized[0] as (typeof sized)[0]).newest;
}
