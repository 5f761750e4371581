/**
 * The facets by which readers follow a newsroom: tags, kickers and reporters, each with the slug that stands for it in addresses.
 * What articles are named is kept as they are saved, so that a slug leads back to its names.
 */
import { type RawBuilder, sql } from 'kysely';
import { facetSlug } from '../lib/facet-slug.ts';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import type { Article } from './article.ts';

export type Facet = Tables['facet_names']['facet'];

/** Those named as reporters, each slug once. Editors are not: they stand under every story of their desk. */
export function reporterFacets({ bylines }: Pick<Article, 'bylines'>): { slug: string; name: string }[] {
  const bySlug = new Map<string, string>();
  for (const { role, name } of bylines) {
    const slug = role === 'reporter' ? facetSlug(name) : null;
    if (slug !== null && !bySlug.has(slug)) bySlug.set(slug, name);
  }
  return [...bySlug].map(([slug, name]) => ({ slug, name }));
}

/** Names as slugs, each once; a name without a slug has none. */
export function slugsOf(names: string[]): string[] {
  return [...new Set(names.flatMap((name) => facetSlug(name) ?? []))];
}

/** Writes who reported the articles, anew, and what they are named that no article was named before. @param db a transaction */
export async function saveFacets(db: Db, articles: Article[]): Promise<void> {
  for (const ids of inPieces(articles.map(({ id }) => id))) {
    await db.deleteFrom('article_reporters').where('article_id', 'in', ids).execute();
  }
  const reporters = articles.flatMap((article) =>
    reporterFacets(article).map(({ slug }) => ({
      article_id: article.id,
      reporter: slug,
      published_at: article.publishedAt,
    })),
  );
  for (const rows of inPieces(reporters)) await db.insertInto('article_reporters').values(rows).execute();
  for (const rows of inPieces(namesOf(articles))) {
    await db
      .insertInto('facet_names')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

// Both databases limit how many values one statement binds: 32,766 and 65,535.
function inPieces<T>(rows: T[]): T[][] {
  return Array.from({ length: Math.ceil(rows.length / 5_000) }, (_, piece) =>
    rows.slice(piece * 5_000, (piece + 1) * 5_000),
  );
}

function namesOf(articles: Article[]): { facet: Facet; slug: string; name: string }[] {
  const named = articles.flatMap(({ tags, kicker, bylines }) => [
    ...tags.map((name) => ({ facet: 'tag' as const, name })),
    ...(kicker === null ? [] : [{ facet: 'kicker' as const, name: kicker }]),
    ...bylines.flatMap(({ role, name }) => (role === 'reporter' ? [{ facet: 'reporter' as const, name }] : [])),
  ]);
  const once = new Map(named.map((one) => [`${one.facet} ${one.name}`, one]));
  // In one order everywhere, so that two transactions never wait for each other's rows.
  return [...once]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { facet, name }]) => {
      const slug = facetSlug(name);
      return slug === null ? [] : [{ facet, slug, name }];
    });
}

/** Whether any article of that name has been public: the names of drafts and of embargoed stories are nobody's business yet. */
const HAS_BEEN_PUBLIC: Record<Facet, (now: number) => RawBuilder<boolean>> = {
  tag: (now) => sql`exists (select 1 from article_tags as t join articles as a on a.id = t.article_id
    where t.tag = facet_names.name and t.published_at <= ${now} and a.state <> 'draft')`,
  kicker: (now) => sql`exists (select 1 from articles as a
    where a.kicker = facet_names.name and a.published_at <= ${now} and a.state <> 'draft')`,
  reporter: (now) => sql`exists (select 1 from article_reporters as r join articles as a on a.id = r.article_id
    where r.reporter = facet_names.slug and r.published_at <= ${now} and a.state <> 'draft')`,
};

const NAMES_OF_A_SLUG = 20;

/** The names behind a slug that readers have seen, in the order of their bytes; at most 20. */
export async function findFacetNames(db: Db, facet: Facet, slug: string, now: number): Promise<string[]> {
  const rows = await db
    .selectFrom('facet_names')
    .select('name')
    .where('facet', '=', facet)
    .where('slug', '=', slug)
    .where(HAS_BEEN_PUBLIC[facet](now))
    .orderBy('name')
    .limit(NAMES_OF_A_SLUG)
    .execute();
  return rows.map(({ name }) => name);
}
