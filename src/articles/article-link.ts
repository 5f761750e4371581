/** Where pages link to an article: to its page on this site, to its address elsewhere, or to its page at the desk. */
import type { Config } from '../core/config/config.ts';
import { cleanUrl } from '../lib/text/clean-text.ts';
import { facetSlug } from '../lib/text/facet-slug.ts';
import { type Article, articlePageUrl, articleUrl } from './article.ts';

interface Site {
  config: Pick<Config, 'publication' | 'pages'>;
  /** The path of `publication.url` without its last slash. */
  base: string;
}

/** The address of the article on another site, or null. */
export function urlElsewhere(article: Pick<Article, 'url' | 'slug'>, { config }: Site): string | null {
  const url = article.url === null ? null : cleanUrl(article.url);
  // A redirect to its own page would never end.
  const isOwnPage = url === articlePageUrl({ slug: article.slug, page: null }, config.publication.url);
  return isOwnPage ? null : url;
}

/** Whether `/articles/<slug>` exists. */
export function hasPage(article: Pick<Article, 'url' | 'slug'>, site: Site): boolean {
  return site.config.pages !== 'off' || urlElsewhere(article, site) === null;
}

/** The link to an article in lists. */
export function articleLink(article: Pick<Article, 'url' | 'slug' | 'page'>, site: Site): string {
  const elsewhere = urlElsewhere(article, site);
  return elsewhere === null || site.config.pages === 'full' ? articlePageUrl(article, site.base) : elsewhere;
}

/** The link to a corrected or retracted article: its page shows the note, unless it has none. */
export function noteUrl(article: Article, site: Site): string {
  const hasNote = hasPage(article, site) && (article.status.state === 'retracted' || site.config.pages === 'full');
  return hasNote || article.url === null
    ? articlePageUrl({ slug: article.slug, page: null }, site.base)
    : articleUrl(article, site.base);
}

/**
 * Names at the top of a public article: the reporters, or else all bylines. `path`: of the reporter's page, below the
 * base of the site; null for an editor, and for a name without letters and digits.
 */
export function signedBy({ bylines, status }: Article): { name: string; path: string | null }[] {
  const reporters = bylines.filter(({ role }) => role === 'reporter');
  return (reporters.length > 0 ? reporters : bylines).map(({ role, name }) => {
    // A retracted article may have been the only one: there would be no page.
    const slug = role === 'reporter' && status.state !== 'retracted' ? facetSlug(name) : null;
    return { name, path: slug === null ? null : reporterPath(slug) };
  });
}

export function reporterPath(slug: string): string {
  return `/reporters/${encodeURIComponent(slug)}`;
}

/** The path of an article's page at the desk, below the desk's own path. */
export function articleDeskPath(id: string): string {
  return `/articles/${encodeURIComponent(id)}`;
}
