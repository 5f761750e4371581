/** Translates selections, which feeds are configured with, to SQL. */
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Selection } from '../core/config/config.ts';
import { slugsOf } from './facets/facets.ts';

/** States of articles that are public from `published_at` on; see `isPublic`. */
export const PUBLIC_STATES = ['scheduled', 'published', 'corrected'] as const;

/**
 * The parts of a selection that an index holds value by value, in the order of time; the rarest first. `values`: the
 * column's values for the names that a selection gives, without duplicates.
 */
export const FACET_INDEXES = {
  reporters: { table: 'article_reporters', id: 'article_id', column: 'reporter', values: slugsOf },
  tags: { table: 'article_tags', id: 'article_id', column: 'tag', values: distinct<string> },
  kickers: { table: 'articles', id: 'id', column: 'kicker', values: distinct<string> },
} as const;

export type IndexedFacet = keyof typeof FACET_INDEXES;

/** The facets with an index that a selection names, the rarest first. */
export function indexedFacets(select: Selection): IndexedFacet[] {
  return (Object.keys(FACET_INDEXES) as IndexedFacet[]).filter((facet) => select[facet] !== undefined);
}

/** Whether an article matches a selection. @param rows the alias under which the query reads `articles` */
export function matchesSelection(select: Selection, rows = 'articles'): RawBuilder<SqlBool> {
  const { kinds, sections, kickers, tags, reporters, languages } = select;
  const conditions = [
    kinds && isOneOf(`${rows}.kind`, kinds),
    sections && isOneOf(`${rows}.section`, sections),
    kickers && isOneOf(`${rows}.kicker`, kickers),
    // Correlated: the list of all articles with a tag may be long.
    tags &&
      sql<SqlBool>`exists (select 1 from article_tags as tagged
        where tagged.article_id = ${sql.ref(`${rows}.id`)} and ${isOneOf('tagged.tag', tags)})`,
    reporters &&
      sql<SqlBool>`exists (select 1 from article_reporters as reported
        where reported.article_id = ${sql.ref(`${rows}.id`)} and ${isOneOf('reported.reporter', slugsOf(reporters))})`,
    languages &&
      sql<SqlBool>`(${sql.join(
        languages.map((range) => isInRange(`${rows}.language`, range)),
        sql` or `,
      )})`,
  ].filter((condition) => condition !== undefined);
  return conditions.length === 0 ? sql`1 = 1` : sql`${sql.join(conditions, sql` and `)}`;
}

/** `zh` has `zh-Hans`, `zh-Hans` has not `zh` (RFC 4647 §3.3.1, basic filtering). A tag has no `%` and no `_`. */
function isInRange(column: string, range: string): RawBuilder<SqlBool> {
  return sql`${sql.ref(column)} || '-' like ${`${range.toLowerCase()}-%`}`;
}

export function isOneOf(column: string, values: readonly string[]): RawBuilder<SqlBool> {
  return sql`${sql.ref(column)} in (${sql.join(values)})`;
}

export function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
