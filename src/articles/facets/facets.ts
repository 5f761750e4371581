/**
 * Tags, kickers and reporters of articles, each with its slug for URLs. All names are stored with their slug, so that a
 * slug leads back to them.
 */
import { type RawBuilder, sql } from 'kysely';
import { jsonRows } from '../../core/store/json-rows.ts';
import { type Db, dialectOf, type Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import { chunks } from '../../lib/chunks.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import type { Article } from '../article.ts';

/** The slugs of names, without duplicates. A name without letters and digits has none. */
export function slugsOf(names: string[]): string[] {
  return [...new Set(names.flatMap((name) => facetSlug(name) ?? []))];
}

// Both databases limit the values that one statement binds: 32,766 and 65,535.
const ROWS_PER_STATEMENT = 5_000;

/** Replaces the tags and reporters of articles, and adds the names that are new. */
export async function saveFacets(tx: Tx, articles: Article[]): Promise<void> {
  const articleIds = articles.map(({ id }) => id);
  for (const ids of chunks(articleIds, ROWS_PER_STATEMENT)) {
    await tx.deleteFrom('article_tags').where('article_id', 'in', ids).execute();
    await tx.deleteFrom('article_reporters').where('article_id', 'in', ids).execute();
  }
  const tags = articles.flatMap(({ id, tags, publishedAt }) =>
    [...new Set(tags)].map((tag) => ({ article_id: id, tag, published_at: publishedAt })),
  );
  const reporters = articles.flatMap((article) =>
    reporterFacets(article).map(({ slug }) => ({
      article_id: article.id,
      reporter: slug,
      published_at: article.publishedAt,
    })),
  );
  for (const rows of chunks(tags, ROWS_PER_STATEMENT)) await tx.insertInto('article_tags').values(rows).execute();
  for (const rows of chunks(reporters, ROWS_PER_STATEMENT)) {
    await tx.insertInto('article_reporters').values(rows).execute();
  }
  const names = articles.flatMap(facetNames).map(({ facet, slug, name }) => JSON.stringify([facet, slug, name]));
  // Sorted, so that two transactions never wait for each other's rows.
  const rows = [...new Set(names)].sort().map((row) => JSON.parse(row) as string[]);
  if (rows.length === 0) return;
  const columns = { facet: 'text', slug: 'text', name: 'text' } as const;
  await sql`insert into facet_names (facet, slug, name)
    select facet, slug, name from ${jsonRows(dialectOf(tx), rows, columns)} as added
    where true on conflict do nothing`.execute(tx);
}

/** Whether an article with that name has been public: names of drafts and embargoed articles are confidential. */
const HAS_BEEN_PUBLIC: Record<Facet, (now: number) => RawBuilder<boolean>> = {
  tag: (now) => sql`exists (select 1 from article_tags as t join articles as a on a.id = t.article_id
    where t.tag = facet_names.name and t.published_at <= ${now} and a.state <> 'draft')`,
  kicker: (now) => sql`exists (select 1 from articles as a
    where a.kicker = facet_names.name and a.published_at <= ${now} and a.state <> 'draft')`,
  reporter: (now) => sql`exists (select 1 from article_reporters as r join articles as a on a.id = r.article_id
    where r.reporter = facet_names.slug and r.published_at <= ${now} and a.state <> 'draft')`,
};

const MAX_NAMES = 20;

/** Finds the names that share a slug and have been public, in byte order; at most 20. */
export async function findFacetNames(db: Db, facet: Facet, slug: string, now: number): Promise<string[]> {
  const rows = await db
    .selectFrom('facet_names')
    .select('name')
    .where('facet', '=', facet)
    .where('slug', '=', slug)
    .where(HAS_BEEN_PUBLIC[facet](now))
    .orderBy('name')
    .limit(MAX_NAMES)
    .execute();
  return rows.map(({ name }) => name);
}

export type Facet = Tables['facet_names']['facet'];

interface NamedFacet {
  facet: Facet;
  slug: string;
  name: string;
}

/** The reporters among the bylines, each slug once. Editors are omitted: they sign every story of their desk. */
export function reporterFacets({ bylines }: Pick<Article, 'bylines'>): { slug: string; name: string }[] {
  const bySlug = new Map<string, string>();
  for (const { role, name } of bylines) {
    const slug = role === 'reporter' ? facetSlug(name) : null;
    if (slug !== null && !bySlug.has(slug)) bySlug.set(slug, name);
  }
  return [...bySlug].map(([slug, name]) => ({ slug, name }));
}

/** The names of an article's facets that have a slug. */
function facetNames({ tags, kicker, bylines }: Pick<Article, 'tags' | 'kicker' | 'bylines'>): NamedFacet[] {
  const named: Pick<NamedFacet, 'facet' | 'name'>[] = [
    ...tags.map((name) => ({ facet: 'tag' as const, name })),
    ...(kicker === null ? [] : [{ facet: 'kicker' as const, name: kicker }]),
    ...bylines.flatMap(({ role, name }) => (role === 'reporter' ? [{ facet: 'reporter' as const, name }] : [])),
  ];
  return named.flatMap(({ facet, name }) => {
    const slug = facetSlug(name);
    return slug === null ? [] : [{ facet, slug, name }];
  });
}
