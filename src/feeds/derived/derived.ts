/**
 * Builds derived feeds: of one section, kicker, tag or reporter, or of a combination. They are not stored, but built on
 * request; the same store, configuration and instant give the same bytes.
 */
import type { Article } from '../../articles/article.ts';
import { findPublicArticlesBounded } from '../../articles/bounded-queries.ts';
import { findFacetNames } from '../../articles/facets/facets.ts';
import { listArticles } from '../../articles/search/list-articles.ts';
import { parseWordQuery } from '../../articles/search/search-terms.ts';
import { type Config, type FeedConfig, KINDS, type Selection, sectionTitle } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { localeOf, Markup } from '../../lib/locale/locale.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import { buildFeed } from '../build-feed.ts';
import type { RenderedDocument } from '../documents.ts';
import { facetTitle, KIND_TITLES } from '../feed-links.ts';
import { findTombstones } from '../select.ts';
import { type DerivedAddress, FACETS, type FacetName } from './derived-address.ts';

const ITEMS = 50;
/** Articles of the rarest facet that are examined; older ones are too old for a feed. */
const SCAN_LIMIT = 2_000;

/**
 * Builds the feed at an address, in the format of the address.
 * @returns null if a value has never been public
 */
export async function deriveFeed(
  db: Db,
  config: Config,
  address: DerivedAddress,
  now: number,
): Promise<RenderedDocument | null> {
  const values = await resolveValues(db, config, address, now);
  if (values === null) return null;
  const feed = {
    ...headOf(values, address, config),
    select: selectionOf(values),
    content: 'full' as const,
  };
  const { words } = address;
  const articles =
    words === undefined
      ? await findPublicArticlesBounded(db, { select: feed.select, now, limit: ITEMS, scanLimit: SCAN_LIMIT })
      : await findArticlesWith(db, words, feed.select, now);
  // A tombstone would tell that a retracted article has the words.
  const retracted = words === undefined ? await findTombstones(db, feed.select, now) : [];
  const { documents } = buildFeed(feed, config, { articles, retracted });
  return documents.find(({ path }) => path === address.path) ?? null;
}

async function findArticlesWith(db: Db, text: string, select: Selection, now: number): Promise<Article[]> {
  const words = parseWordQuery(text);
  if (words === null) return [];
  const publicIn = { from: Number.MIN_SAFE_INTEGER, until: Number.MAX_SAFE_INTEGER };
  const filter = { words, section: select.sections?.[0], kind: select.kinds?.[0], publicIn };
  return (await listArticles(db, filter, { now, limit: ITEMS, after: null })).articles;
}

/** A value of a facet, and the names that articles have for it. */
interface FacetValue {
  value: string;
  names: string[];
}
type FacetValues = Partial<Record<FacetName, FacetValue[]>>;

async function resolveValues(
  db: Db,
  config: Config,
  { values }: DerivedAddress,
  now: number,
): Promise<FacetValues | null> {
  const resolved: FacetValues = {};
  for (const facet of FACETS) {
    for (const value of values[facet] ?? []) {
      const names = await namesOf(db, config, facet, value, now);
      if (names.length === 0) return null;
      resolved[facet] = [...(resolved[facet] ?? []), { value, names }];
    }
  }
  return resolved;
}

async function namesOf(db: Db, config: Config, facet: FacetName, value: string, now: number): Promise<string[]> {
  if (facet === 'section') return [sectionTitle(config, value) ?? []].flat();
  const locale = localeOf(config.publication.language, config.ownMessages);
  if (facet === 'kind') return KINDS.flatMap((kind) => (kind === value ? locale.text(KIND_TITLES[kind]) : []));
  const used = await findFacetNames(db, facet, value, now);
  // A configured kicker has a feed before its first article.
  const lead = facet === 'kicker' ? config.leadKickers.filter((kicker) => facetSlug(kicker) === value) : [];
  return [...new Set([...lead, ...used])];
}

function selectionOf({ kicker, kind, reporter, section, tag }: FacetValues): Selection {
  const valuesOf = (values: FacetValue[]): string[] => values.map(({ value }) => value);
  const namesIn = (values: FacetValue[]): string[] => values.flatMap(({ names }) => names);
  return {
    ...(kicker && { kickers: namesIn(kicker) }),
    ...(kind && { kinds: valuesOf(kind) as Selection['kinds'] }),
    // A selection takes names of reporters; the slug of a slug is itself.
    ...(reporter && { reporters: valuesOf(reporter) }),
    ...(section && { sections: valuesOf(section) }),
    ...(tag && { tags: namesIn(tag) }),
  };
}

function headOf(
  values: FacetValues,
  { id, query, words }: DerivedAddress,
  config: Config,
): Pick<FeedConfig, 'id' | 'title' | 'description'> & { query?: string } {
  const titles = (facet: FacetName): string[] => (values[facet] ?? []).map(({ names }) => facetTitle(names));
  const locale = localeOf(config.publication.language, config.ownMessages);
  const criteria = CRITERIA.flatMap(([facet, message]) => {
    const all = titles(facet);
    return all.length === 0 ? [] : locale.text(message, { names: locale.list(all, 'or') });
  });
  if (words !== undefined) criteria.unshift(locale.text('search.withWords', { words }));
  const search = words === undefined ? [] : [locale.text('search.title', { words })];
  return {
    id,
    title: locale.list([...search, ...FACETS.flatMap(titles)], 'plain'),
    description: locale.text('feed.description', {
      publication: config.publication.name,
      criteria: new Markup(locale.list(criteria, 'plain')),
    }),
    ...(query !== undefined && { query }),
  };
}

/** In the order of the description. */
const CRITERIA: [facet: FacetName, message: string][] = [
  ['kind', 'feed.ofKind'],
  ['reporter', 'feed.byReporter'],
  ['kicker', 'feed.underKicker'],
  ['section', 'feed.inSection'],
  ['tag', 'feed.tagged'],
];
