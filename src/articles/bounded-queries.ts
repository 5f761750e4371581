/** Finds articles by selections that strangers combine, at a bounded cost. */
import { type RawBuilder, sql } from 'kysely';
import type { Selection } from '../core/config/config.ts';
import type { Db } from '../core/store/store.ts';
import type { Article } from './article.ts';
import { findPublicArticles } from './queries.ts';
import {
  FACET_INDEXES,
  type IndexedFacet,
  indexedFacets,
  isOneOf,
  matchesSelection,
  PUBLIC_STATES,
} from './selection.ts';
import { type StoredDocument, toArticle } from './stored-document.ts';

export interface BoundedQuery {
  select: Selection;
  /** A further selection that articles must match, without an index. Then `select` names tags, kickers or reporters. */
  also?: Selection;
  now: number;
  limit: number;
  /** Where no index holds the whole selection: number of the newest articles of its rarest facet that are examined. */
  scanLimit: number;
}

/** Finds the public articles that match, newest first, among the newest `scanLimit` of the rarest facet selected. */
export async function findPublicArticlesBounded(db: Db, query: BoundedQuery): Promise<Article[]> {
  const { select, also, now, limit } = query;
  const facets = indexedFacets(select);
  const selected = Object.values(select).filter((values) => values !== undefined);
  // An index holds each of these facets alone, and another holds sections and kinds together.
  if (facets.length === 0 || (selected.length === 1 && also === undefined)) return findPublicArticles(db, query);
  const queries = facets.map((facet) => newestOf(facet, select[facet] as string[], query));
  const newest = await rarest(db, queries);
  const { rows } = await sql<StoredDocument>`
    with seen as materialized (${newest})
    select articles.document from seen cross join articles
    where articles.id = seen.id and articles.published_at <= ${now}
      and ${isOneOf('articles.state', PUBLIC_STATES)} and ${matchesSelection(select)}
      and ${matchesSelection(also ?? {})}
    order by seen.published_at desc, seen.id desc limit ${limit}`.execute(db);
  return rows.map(toArticle);
}

function newestOf(facet: IndexedFacet, names: string[], { now, scanLimit }: BoundedQuery): RawBuilder<unknown> {
  const { table, id, column, values } = FACET_INDEXES[facet];
  const ranges = values(names).map(
    (value) => sql`select id, published_at from (
      select ${sql.ref(id)} as id, published_at from ${sql.table(table)}
      where ${sql.ref(column)} = ${value} and published_at <= ${now}
      order by published_at desc, ${sql.ref(id)} desc limit ${scanLimit}) as one_range`,
  );
  return sql`select id, published_at from (${sql.join(ranges, sql` union `)}) as ranges
    order by published_at desc, id desc limit ${scanLimit}`;
}

/** The query with the fewest rows; of several with as many, the one that reaches furthest back. */
async function rarest(db: Db, queries: RawBuilder<unknown>[]): Promise<RawBuilder<unknown>> {
  if (queries.length === 1) return queries[0] as RawBuilder<unknown>;
  const sized = [];
  for (const query of queries) {
    const { rows } = await sql<{ count: number; oldest: number | null }>`
      select count(*) as count, min(published_at) as oldest from (${query}) as seen`.execute(db);
    sized.push({ query, count: rows[0]?.count ?? 0, oldest: rows[0]?.oldest ?? 0 });
  }
  sized.sort((a, b) => a.count - b.count || a.oldest - b.oldest);
  return (sized[0] as (typeof sized)[0]).query;
}
