/** The names of an article by which lists are made, and their slugs. Pure. */
import type { Tables } from '../../core/store/tables.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import type { Article } from '../article.ts';

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
export function facetNames({ tags, kicker, bylines }: Pick<Article, 'tags' | 'kicker' | 'bylines'>): NamedFacet[] {
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
