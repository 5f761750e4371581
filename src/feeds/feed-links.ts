/**
 * What leads to a feed in its three formats: on pages, in their heads, in lists.
 */
import type { Config } from '../config.ts';
import type { SingleFacet } from './derived-address.ts';
import { facetTitle } from './facet-title.ts';
import { type FeedHead, FORMATS, type Format, feedPath, feedView } from './feed-view.ts';

export interface FeedLinks {
  id: string;
  /** As the feed calls itself: `Publication: Feed`. */
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

/** RSS first, which every reader takes. */
export function feedLinks(feed: FeedHead, config: Pick<Config, 'publication'>): FeedLinks {
  const { title, urls } = feedView(feed, config);
  return {
    id: feed.id,
    title,
    formats: FORMATS.map((format) => ({ ...NAMES[format], path: feedPath(feed, format), url: urls[format] })),
  };
}

/** The derived feed of one section, kicker, tag or reporter. @param value the section's id, or the slug of the others */
export function singleFeed(facet: SingleFacet, value: string, names: string[]): FeedHead {
  return { id: `${facet}/${encodeURIComponent(value)}`, title: facetTitle(names) };
}
