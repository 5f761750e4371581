/** Links to feeds in their three formats, for pages and lists. */
import { type Config, type KINDS, type Selection, sectionTitle } from '../core/config/config.ts';
import { localeOf } from '../lib/locale/locale.ts';
import { cleanLine } from '../lib/text/clean-text.ts';
import { canonicalWords, customFeed, type SingleFacet } from './derived/derived-address.ts';
import { type FeedHead, type FeedViewConfig, FORMATS, type Format, feedPath, feedView } from './formats/feed-view.ts';

export type FeedLinks = ReturnType<typeof feedLinks>;

/** `type`: the feed's media type. */
const NAMES: Record<Format, { name: string; type: string }> = {
  rss: { name: 'RSS', type: 'application/rss+xml' },
  atom: { name: 'Atom', type: 'application/atom+xml' },
  json: { name: 'JSON Feed', type: 'application/feed+json' },
};

/** RSS first, because all readers accept it. Paths are below feeds/, URLs absolute. */
export function feedLinks(feed: FeedHead, config: FeedViewConfig) {
  const { title, urls } = feedView(feed, config);
  return {
    id: feed.id,
    /** `Publication: Feed`, as in the feed itself. */
    title,
    formats: FORMATS.map((format) => ({ ...NAMES[format], path: feedPath(feed, format), url: urls[format] })),
  };
}

/** The derived feed of a section, kicker, tag or reporter. @param value id of the section, or slug of the others */
export function singleFeed(facet: SingleFacet, value: string, names: string[]): FeedHead {
  return { id: `${facet}/${encodeURIComponent(value)}`, title: facetTitle(names) };
}

/** The feed of a section: the configured one, if there is one, or the derived one. */
export function sectionFeed(config: Config, section: string): FeedHead {
  const title = sectionTitle(config, section) ?? section;
  return configuredFor(config, 'sections', section) ?? singleFeed('section', section, [title]);
}

/** The derived feed of a search. @param section its id, or empty */
export function searchFeed(config: Config, { q, section }: { q: string; section: string }): FeedHead {
  const words = canonicalWords(q);
  const title = localeOf(config.publication.language, config.ownMessages).text('search.title', { words });
  return { ...customFeed([['q', words], ...(section === '' ? [] : [['section', section] as const])]), title };
}

/** The configured feed without a window that selects by this value only, or null. */
export function configuredFor(config: Pick<Config, 'feeds'>, key: keyof Selection, value: string): FeedHead | null {
  const found = config.feeds.find(({ select, windowHours }) => {
    const named = Object.entries(select).filter(([, values]) => values !== undefined);
    const [only] = named;
    return named.length === 1 && only?.[0] === key && only[1].length === 1 && only[1][0] === value && !windowHours;
  });
  return found ?? null;
}

const MAX_NAMES = 3;

/** Messages that name the kinds. */
export const KIND_TITLES: Record<(typeof KINDS)[number], string> = {
  brief: 'feed.briefs',
  analysis: 'feed.analysis',
  feature: 'feed.features',
  'roundup-item': 'feed.roundupItems',
  roundup: 'feed.roundups',
};

/** `C, C#, C++` for names that share a slug. Names that differ in case only are listed once. @param names not empty */
export function facetTitle(names: string[]): string {
  const byLetters = new Map<string, string>();
  for (const name of names) {
    const letters = name.normalize('NFKC').toLowerCase();
    if (!byLetters.has(letters)) byLetters.set(letters, cleanLine(name));
  }
  const distinct = [...byLetters.values()];
  return distinct.length > MAX_NAMES ? `${distinct.slice(0, MAX_NAMES).join(', ')} …` : distinct.join(', ');
}
