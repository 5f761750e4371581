/**
 * The addresses of feeds that are not stored but made when someone asks: `section/world.atom`, `reporter/mei-tan.rss`,
 * `custom.json?kicker=in-depth&section=world`. Pure.
 */
import { type Config, KINDS } from '../../config/config.ts';
import { facetSlug } from '../../lib/facet-slug.ts';
import { type FeedHead, type Format, feedPath } from '../formats/feed-view.ts';

/** What a derived feed may be narrowed by, in the order that its canonical query has. */
export const FACETS = ['kicker', 'kind', 'reporter', 'section', 'tag'] as const;
export type FacetName = (typeof FACETS)[number];
/** Those that have a feed for each of their values. */
export type SingleFacet = Exclude<FacetName, 'kind'>;

/** A derived feed's address in its one form, however it was written. */
export interface DerivedAddress extends Pick<FeedHead, 'id' | 'query'> {
  format: Format;
  /** Below feeds/, percent-encoded (RFC 3986), with its query: what a cache may go by. */
  path: string;
  /** Ids of sections and kinds, slugs of the others; sorted, each once, not encoded. Any of one facet, and all facets. */
  values: Partial<Record<FacetName, string[]>>;
}

export type ParsedFeedAddress =
  | { kind: 'derived'; address: DerivedAddress }
  /** It leads to no feed, and `reason` says why in a sentence. */
  | { kind: 'refused'; reason: string };

/** At most so many values in one address, over all facets. */
const MOST_VALUES = 8;
const LONGEST_VALUE = 100;
const PATH = /^(?:custom|(section|kicker|tag|reporter)\/([^/]+))\.(rss|atom|json)$/;

/**
 * @param path below feeds/, as it was asked for: percent-encoded or not
 * @param query counts for `custom` alone: `section`, `kicker`, `tag`, `reporter` and `kind`, each any number of times
 * @returns null where no derived feed goes by such a path
 */
export function parseDerivedAddress(
  path: string,
  query: URLSearchParams,
  config: Pick<Config, 'sections'>,
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

function parseQuery(query: URLSearchParams, format: Format, config: Pick<Config, 'sections'>): ParsedFeedAddress {
  const found = new Map<FacetName, Set<string>>();
  for (const [name, written] of query) {
    if (!isFacet(name)) {
      return refused(`There is no "${shown(name)}": a feed is put together from ${FACETS.join(', ')}.`);
    }
    // A form sends what was left open as nothing.
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
  if (count === 0) return refused(`Name what the feed shall hold: at least one of ${FACETS.join(', ')}.`);
  if (count > MOST_VALUES) return refused(`A feed is put together from at most ${MOST_VALUES} values, not ${count}.`);
  const head = {
    id: 'custom',
    query: values.flatMap(([facet, chosen]) => chosen.map((one) => `${facet}=${encodeURIComponent(one)}`)).join('&'),
  };
  const address = { ...head, format, path: feedPath(head, format), values: Object.fromEntries(values) };
  return { kind: 'derived', address };
}

type Value = { kind: 'value'; value: string } | { kind: 'refused'; reason: string };

function canonicalValue(facet: FacetName, written: string, config: Pick<Config, 'sections'>): Value {
  if (written.length > LONGEST_VALUE)
    return refused(`A ${facet} has at most ${LONGEST_VALUE} characters in an address.`);
  if (facet === 'section' || facet === 'kind') {
    const known: readonly string[] = facet === 'kind' ? KINDS : config.sections.map(({ id }) => id);
    if (known.includes(written)) return { kind: 'value', value: written };
    return refused(`There is no ${facet} "${shown(written)}": there are ${known.join(', ')}.`);
  }
  const slug = facetSlug(written);
  return slug === null
    ? refused(`"${shown(written)}" is no ${facet}: it holds neither a letter nor a digit.`)
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

/** A stranger's word, cut to what a sentence takes. */
function shown(text: string): string {
  return text.slice(0, 40).toWellFormed();
}
