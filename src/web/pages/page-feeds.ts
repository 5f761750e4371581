/**
 * The feeds that a page links to (autodiscovery): first those of its subject, since many readers take the first that
 * they find, then all of the configuration.
 */
import type { Article } from '../../articles/article.ts';
import { reporterFacets } from '../../articles/facets/facets.ts';
import { type Config, sectionTitle } from '../../core/config/config.ts';
import { configuredFor, feedLinks, sectionFeed, singleFeed } from '../../feeds/feed-links.ts';
import type { FeedHead } from '../../feeds/formats/feed-view.ts';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import type { WebContext } from '../server/web-context.ts';

/** A `<link rel="alternate">`. */
export interface Alternate {
  type: string;
  /** `The Meridian Wire: World (Atom)` */
  title: string;
  /** Below feeds/. */
  path: string;
}

/**
 * Links to these feeds, or else to the first of the configuration, in their three formats, then to its other feeds as
 * RSS. A reader offers all of them to choose from.
 */
export function alternates(config: Config, first: FeedHead[]): Alternate[] {
  const ids = new Set(first.map(({ id }) => id));
  return [...first, ...config.feeds.filter(({ id }) => !ids.has(id))].flatMap((feed, index) => {
    const { title, formats } = feedLinks(feed, config);
    const shown = index < Math.max(1, first.length) ? formats : formats.slice(0, 1);
    return shown.map(({ name, type, path }) => ({ type, path, title: `${title} (${name})` }));
  });
}

/** The feeds of a story's section, kicker and reporters. */
export function articleFeeds(config: Config, article: Pick<Article, 'section' | 'kicker' | 'bylines'>): FeedHead[] {
  const { section, kicker } = article;
  const kickerSlug = kicker === null ? null : facetSlug(kicker);
  return [
    ...(sectionTitle(config, section) === null ? [] : [sectionFeed(config, section as string)]),
    ...(kickerSlug === null ? [] : [singleFeed('kicker', kickerSlug, [kicker as string])]),
    ...reporterFacets(article).map(({ slug, name }) => singleFeed('reporter', slug, [name])),
  ];
}

/** The feed with past editions only, if the configuration has one. */
export function editionFeeds(config: Config): FeedHead[] {
  return [configuredFor(config, 'kinds', 'roundup') ?? []].flat();
}

/** The links as HTML, for the head of a page. */
export async function renderAlternates(web: WebContext, first: FeedHead[]): Promise<string> {
  const feeds = alternates(web.config, first);
  return web.templates.html('pages/parts/alternates.liquid', { feeds, base: web.base }, web.view.language);
}
