/** Links to feeds in their three formats, for pages and lists. */
import { type Config, type Selection, sectionTitle } from '../core/config/config.ts';
import type { SingleFacet } from './derived/derived-address.ts';
import { facetTitle } from './derived/facet-title.ts';
import { type FeedHead, FORMATS, type Format, feedPath, feedView } from './formats/feed-view.ts';

export interface FeedLinks {
  id: string;
  /** `Publication: Feed`, as in the feed itself. */
  title: string;
  formats: {
    /** `RSS` */
    name: string;
    /** The feed's media type. */
    type: string;
    /** Below feeds/. */
    path: string;
    /** Absolute. */
    url: string;
  }[];
}

const NAMES: Record<Format, { name: string; type: string }> = {
  rss: { name: 'RSS', type: 'application/rss+xml' },
  atom: { name: 'Atom', type: 'application/atom+xml' },
  json: { name: 'JSON Feed', type: 'application/feed+json' },
};

/** RSS first, because all readers accept it. */
export function feedLinks(feed: FeedHead, config: Pick<Config, 'publication'>): FeedLinks {
  const { title, urls } = feedView(feed, config);
  return {
    id: feed.id,
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

/** The configured feed without a window that selects by this value only, or null. */
export function configuredFor(config: Pick<Config, 'feeds'>, key: keyof Selection, value: string): FeedHead | null {
  const found = config.feeds.find(({ select, windowHours }) => {
    const named = Object.entries(select).filter(([, values]) => values !== undefined);
    const [only] = named;
    return named.length === 1 && only?.[0] === key && only[1].length === 1 && only[1][0] === value && !windowHours;
  });
  return found ?? null;
}
