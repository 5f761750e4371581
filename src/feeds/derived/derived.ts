/**
 * Feeds that nobody configured: of one section, kicker, tag or reporter, or put together by a reader. They are not stored; each is
 * made from store, configuration and clock when it is asked for, and the same three give the same bytes.
 */
import { findPublicArticlesBounded } from '../../articles/bounded-queries.ts';
import { findFacetNames } from '../../articles/facets.ts';
import { type Config, type FeedConfig, KINDS, type Selection, sectionTitle } from '../../config/config.ts';
import { facetSlug } from '../../lib/facet-slug.ts';
import type { Db } from '../../store/store.ts';
import { buildFeed } from '../build-feed.ts';
import type { RenderedDocument } from '../documents.ts';
import { findTombstones } from '../select.ts';
import { type DerivedAddress, FACETS, type FacetName } from './derived-address.ts';
import { facetTitle, KIND_TITLES } from './facet-title.ts';

const ITEMS = 50;
/** Of the rarest of what is asked for together; what lies behind it is too old for a feed. */
const SCAN_LIMIT = 2_000;

/**
 * The feed at that address, in the format that it names. It costs no more to make all three, but whoever asks wants one.
 * @returns null where it names something that readers have never seen
 */
export async function deriveFeed(
  db: Db,
  config: Config,
  address: DerivedAddress,
  now: number,
): Promise<RenderedDocument | null> {
  const chosen = await resolveValues(db, config, address, now);
  if (chosen === null) return null;
  const feed = {
    ...headOf(chosen, address, config),
    select: selectionOf(chosen),
    minimumItems: ITEMS,
    content: 'full' as const,
  };
  const articles = await findPublicArticlesBounded(db, {
    select: feed.select,
    now,
    limit: ITEMS,
    scanLimit: SCAN_LIMIT,
  });
  const retracted = await findTombstones(db, feed.select, now);
  const { documents } = buildFeed(feed, config, { articles, retracted });
  return documents.find(({ path }) => path === address.path) ?? null;
}

/** One value of a facet, and the names that articles have for it. */
interface Chosen {
  value: string;
  names: string[];
}
type ChosenValues = Partial<Record<FacetName, Chosen[]>>;

async function resolveValues(
  db: Db,
  config: Config,
  { values }: DerivedAddress,
  now: number,
): Promise<ChosenValues | null> {
  const chosen: ChosenValues = {};
  for (const facet of FACETS) {
    for (const value of values[facet] ?? []) {
      const names = await namesOf(db, config, facet, value, now);
      if (names.length === 0) return null;
      chosen[facet] = [...(chosen[facet] ?? []), { value, names }];
    }
  }
  return chosen;
}

async function namesOf(db: Db, config: Config, facet: FacetName, value: string, now: number): Promise<string[]> {
  if (facet === 'section') return [sectionTitle(config, value) ?? []].flat();
  if (facet === 'kind') return KINDS.flatMap((kind) => (kind === value ? KIND_TITLES[kind] : []));
  const used = await findFacetNames(db, facet, value, now);
  // What the configuration names has a feed before its first story.
  const lead = facet === 'kicker' ? config.leadKickers.filter((kicker) => facetSlug(kicker) === value) : [];
  return [...new Set([...lead, ...used])];
}

function selectionOf({ kicker, kind, reporter, section, tag }: ChosenValues): Selection {
  const valuesOf = (chosen: Chosen[]): string[] => chosen.map(({ value }) => value);
  const namesIn = (chosen: Chosen[]): string[] => chosen.flatMap(({ names }) => names);
  return {
    ...(kicker && { kickers: namesIn(kicker) }),
    ...(kind && { kinds: valuesOf(kind) as Selection['kinds'] }),
    // A slug is its own slug, so it selects by itself.
    ...(reporter && { reporters: valuesOf(reporter) }),
    ...(section && { sections: valuesOf(section) }),
    ...(tag && { tags: namesIn(tag) }),
  };
}

function headOf(
  chosen: ChosenValues,
  { id, query }: DerivedAddress,
  { publication }: Config,
): Pick<FeedConfig, 'id' | 'title' | 'description'> & { query?: string } {
  const titles = (facet: FacetName): string[] => (chosen[facet] ?? []).map(({ names }) => facetTitle(names));
  const part = (before: string, facet: FacetName): string[] => {
    const all = titles(facet);
    return all.length === 0 ? [] : [`${before} ${all.join(' or ')}`];
  };
  const parts = [
    ...part('of the kind', 'kind'),
    ...part('by', 'reporter'),
    ...part('under the kicker', 'kicker'),
    ...part('in', 'section'),
    ...part('tagged', 'tag'),
  ];
  return {
    id,
    title: FACETS.flatMap(titles).join(', '),
    description: `Stories of ${publication.name} ${parts.join(', ')}.`,
    ...(query !== undefined && { query }),
  };
}
