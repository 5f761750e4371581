/** Ranks the tags, kickers and reporters in recent use. The ranking does not change with every article. */
import { sql } from 'kysely';
import type { Db } from '../../core/store/store.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import { DAY } from '../../lib/time.ts';
import { isOneOf, PUBLIC_STATES } from '../selection.ts';
import type { Facet } from './facets.ts';

export interface UsedFacet {
  slug: string;
  /** The names that share the slug. */
  names: string[];
}

const WINDOW = 90 * DAY;
const MAX_LISTED = 40;
/** Number of the newest articles that are read: of the days before today, and of today. */
const MAX_ARTICLES = { before: 2_000, today: 500 };
/** Number of names that are read, before names with the same slug are merged. */
const MAX_NAMES = 200;

/**
 * Lists the most used facets of the last 90 days, at most 40 of each, by slug. They are ranked by their use before
 * today (UTC), followed by today's new ones in the order of their first article: otherwise facets of nearly equal use
 * would change places with every article, and the page that lists them would change, too.
 */
export async function listUsedFacets(db: Db, now: number): Promise<Record<Facet, UsedFacet[]>> {
  const today = Math.floor(now / DAY) * DAY;
  const newest = (from: number, until: number, limit: number) => sql`select * from (
    select id, kicker, published_at from articles
    where ${isOneOf('state', PUBLIC_STATES)} and published_at >= ${from} and published_at < ${until}
    order by published_at desc, id desc limit ${limit}) as newest`;
  const ranked = (facet: Facet, name: string, from: string) => sql`select * from (
    select ${sql.lit(facet)} as facet, ${sql.ref(name)} as name
    from ${sql.raw(from)}
    group by ${sql.ref(name)}
    order by sum(case when recent.published_at < ${today} then 1 else 0 end) desc,
      min(recent.published_at), ${sql.ref(name)}
    limit ${MAX_NAMES}) as ranked`;
  const { rows } = await sql<{ facet: Facet; name: string }>`
    with recent as materialized (
      ${newest(today - WINDOW, today, MAX_ARTICLES.before)} union all ${newest(today, now + 1, MAX_ARTICLES.today)}
    )
    ${ranked('tag', 'used.tag', 'recent cross join article_tags as used where used.article_id = recent.id')}
    union all
    ${ranked('kicker', 'recent.kicker', 'recent where recent.kicker is not null')}
    union all
    ${ranked(
      'reporter',
      'used.reporter',
      `recent cross join article_reporters as used
      where used.article_id = recent.id`,
    )}
    `.execute(db);
  const named = (facet: Facet): string[] => rows.flatMap((row) => (row.facet === facet ? [row.name] : []));
  const reporters = await findNames(db, named('reporter').slice(0, MAX_LISTED));
  return {
    tag: bySlug(named('tag')),
    kicker: bySlug(named('kicker')),
    reporter: bySlug(named('reporter').map((slug) => reporters.get(slug) ?? slug)),
  };
}

/** The first name of each reporter, by slug. */
async function findNames(db: Db, slugs: string[]): Promise<Map<string, string>> {
  if (slugs.length === 0) return new Map();
  const rows = await db
    .selectFrom('facet_names')
    .select((e) => ['slug', e.fn.min('name').as('name')])
    .where('facet', '=', 'reporter')
    .where('slug', 'in', slugs)
    .groupBy('slug')
    .execute();
  return new Map(rows.map(({ slug, name }) => [slug, name]));
}

function bySlug(ranked: string[]): UsedFacet[] {
  const used = new Map<string, string[]>();
  for (const name of ranked) {
    const slug = facetSlug(name);
    if (slug !== null) used.set(slug, [...(used.get(slug) ?? []), name]);
  }
  return [...used]
    .slice(0, MAX_LISTED)
    .map(([slug, names]) => ({ slug, names: names.sort() }))
    .sort((a, b) => (a.slug < b.slug ? -1 : 1));
}
