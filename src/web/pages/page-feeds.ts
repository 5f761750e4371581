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
import { renderOnce } from './fragments.ts';

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

/**
 * Links to these feeds, or else to the first of the configuration, in their three formats, then to its other feeds as
 * RSS, as HTML for the head of a page. A reader offers all of them to choose from.
 */
export async function renderAlternates(web: WebContext, first: FeedHead[] = []): Promise<string> {
  const ids = new Set(first.map(({ id }) => id));
  const feeds: FeedHead[] = [...first, ...web.config.feeds.filter(({ id }) => !ids.has(id))];
  const links = feeds.map((feed, index) => {
    const isWhole = index < Math.max(1, first.length);
    return renderOnce(web, 'alternates', `${isWhole} ${feed.id} ${feed.query} ${feed.title}`, () => {
      const { title, formats } = feedLinks(feed, web.config);
      return { title, formats: isWhole ? formats : formats.slice(0, 1), base: web.base };
    });
  });
  return `${(await Promise.all(links)).join('')}\n`;
}
