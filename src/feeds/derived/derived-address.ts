/**
 * Addresses of derived feeds: `section/world.atom`, `reporter/mei-tan.rss`,
 * `custom.json?kicker=in-depth&section=world`, `custom.rss?q=ferry`. Pure.
 */
import { parseWordQuery } from '../../articles/search/search-terms.ts';
import { type Config, KINDS } from '../../core/config/config.ts';
import { localeOf } from '../../lib/locale/locale.ts';
import { cleanLine } from '../../lib/text/clean-text.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import { type FeedHead, type Format, feedPath } from '../formats/feed-view.ts';

/** Facets by which derived feeds select, in the order of the canonical query. */
export const FACETS = ['kicker', 'kind', 'reporter', 'section', 'tag'] as const;
export type FacetName = (typeof FACETS)[number];
/** Facets with a feed for each value. */
export type SingleFacet = Exclude<FacetName, 'kind'>;

/** The canonical form of an address. */
export interface DerivedAddress extends Pick<FeedHead, 'id' | 'query'> {
  format: Format;
  /** Below feeds/, percent-encoded (RFC 3986), with the query: a key for caches. */
  path: string;
  /**
   * Ids of sections and kinds, slugs of the others; sorted, without duplicates, not encoded. An article matches if it
   * has any value of each facet.
   */
  values: Partial<Record<FacetName, string[]>>;
  /** Words that the articles have, in lower case. */
  words?: string;
}

export type ParsedFeedAddress =
  | { kind: 'derived'; address: DerivedAddress }
  /** There is no such feed. `reason` is a sentence. */
  | { kind: 'refused'; reason: string };

/** Values of all facets in one address. */
const MAX_VALUES = 8;
const MAX_VALUE_LENGTH = 100;
const PATH = /^(?:custom|(section|kicker|tag|reporter)\/([^/]+))\.(rss|atom|json)$/;

/**
 * @param path below feeds/, as requested: percent-encoded or not
 * @param query for `custom` only: `section`, `kicker`, `tag`, `reporter` and `kind`, each any number of times; or `q`
 * with one section and one kind at most
 * @returns null if the path is not of a derived feed
 */
export function parseDerivedAddress(
  path: string,
  query: URLSearchParams,
  config: AddressConfig,
): ParsedFeedAddress | null {
  const match = PATH.exec(path);
  if (match === null) return null;
  const [, facet, encoded, format] = match as unknown as [string, SingleFacet | undefined, string, Format];
  if (facet === undefined) return parseQuery(query, format, config);
  const written = decoded(encoded);
  if (written === null) return null;
  const value = canonicalValue(facet, written, config);
  if (value.kind === 'refused') return value;
  const id = `${facet}/${encodeURIComponent(value.value)}`;
  return {
    kind: 'derived',
    address: { id, format, path: feedPath({ id }, format), values: { [facet]: [value.value] } },
  };
}

type AddressConfig = Pick<Config, 'sections' | 'publication' | 'ownMessages'>;

function parseQuery(query: URLSearchParams, format: Format, config: AddressConfig): ParsedFeedAddress {
  const found = new Map<FacetName, Set<string>>();
  let words = '';
  for (const [name, written] of query) {
    if (name === 'q') {
      words = canonicalWords(written);
      if (words.length > MAX_VALUE_LENGTH) return refused(`A q has at most ${MAX_VALUE_LENGTH} characters.`);
      if (words !== '' && parseWordQuery(words) === null) return refused('The q has neither a letter nor a digit.');
      continue;
    }
    if (!isFacet(name)) {
      return refused(`There is no "${truncated(name)}": a feed is selected by ${[...FACETS, 'q'].join(', ')}.`);
    }
    // A form sends empty values for choices left open.
    if (written === '') continue;
    const value = canonicalValue(name, written, config);
    if (value.kind === 'refused') return value;
    found.set(name, (found.get(name) ?? new Set()).add(value.value));
  }
  const values = FACETS.flatMap((facet) => {
    const chosen = [...(found.get(facet) ?? [])].sort();
    return chosen.length === 0 ? [] : [[facet, chosen] as const];
  });
  const count = values.reduce((sum, [, chosen]) => sum + chosen.length, 0);
  // A person sees these, who makes a feed with the form.
  const locale = localeOf(config.publication.language, config.ownMessages);
  const facets = Object.fromEntries(values);
  if (words !== '' && values.some(([facet, { length }]) => length > 1 || (facet !== 'section' && facet !== 'kind'))) {
    return refused('With q, a feed is selected by one section and one kind at most.');
  }
  if (count === 0 && words === '')
    return refused(locale.text('feeds.noChoice', { facets: [...FACETS, 'q'].join(', ') }));
  if (count > MAX_VALUES) return refused(locale.text('feeds.tooManyChoices', { most: MAX_VALUES, count }));
  const parts = values.flatMap(([facet, chosen]) => chosen.map((one) => [facet, one] as const));
  const head = customFeed(words === '' ? parts : [['q', words], ...parts]);
  const address = { ...head, format, path: feedPath(head, format), values: facets, ...(words !== '' && { words }) };
  return { kind: 'derived', address };
}

/** @param parts canonical, in the canonical order */
export function customFeed(
  parts: (readonly [name: string, value: string])[],
): Required<Pick<FeedHead, 'id' | 'query'>> {
  return { id: 'custom', query: parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&') };
}

/** Words as the address of a feed has them. */
export function canonicalWords(written: string): string {
  return cleanLine(written).toLowerCase();
}

type Value = { kind: 'value'; value: string } | { kind: 'refused'; reason: string };

function canonicalValue(facet: FacetName, written: string, config: Pick<Config, 'sections'>): Value {
  if (written.length > MAX_VALUE_LENGTH)
    return refused(`A ${facet} has at most ${MAX_VALUE_LENGTH} characters in an address.`);
  if (facet === 'section' || facet === 'kind') {
    const known: readonly string[] = facet === 'kind' ? KINDS : config.sections.map(({ id }) => id);
    if (known.includes(written)) return { kind: 'value', value: written };
    return refused(`There is no ${facet} "${truncated(written)}": there are ${known.join(', ')}.`);
  }
  const slug = facetSlug(written);
  return slug === null
    ? refused(`"${truncated(written)}" is not a ${facet}: it has neither a letter nor a digit.`)
    : { kind: 'value', value: slug };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function isFacet(name: string): name is FacetName {
  return (FACETS as readonly string[]).includes(name);
}

function refused(reason: string): { kind: 'refused'; reason: string } {
  return { kind: 'refused', reason };
}

function truncated(text: string): string {
  return text.slice(0, 40).toWellFormed();
}
