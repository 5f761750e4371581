/** Renders pages in the site's layout, and splits long lists into pages. */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { mailImageUrl } from '../../articles/pictures/renditions.ts';
import { iconUrl } from '../../core/config/site-view.ts';
import type { FeedHead } from '../../feeds/formats/feed-view.ts';
import { textDirection } from '../../lib/locale/direction.ts';
import type { WebContext } from '../server/web-context.ts';
import { stylesheetPath } from './assets.ts';
import { renderAlternates } from './page-feeds.ts';
import { jsonLd } from './structured-data.ts';

/** What the layout shows of a page around its content. Paths begin with a slash and do not include the site's base. */
export interface PageHead {
  /** Without the publication's name; null for the front page. */
  title: string | null;
  description: string;
  /** The canonical path, or null if search engines should not list the page. */
  path: string | null;
  /** The canonical URL where it is not that of the path. */
  canonical?: string | null;
  /** BCP 47. Default: the publication's. */
  language?: string;
  previous?: string | null;
  next?: string | null;
  /** For previews of links; pixels where they are known. Default: the publication's cover or icon. */
  image?: { url: string; alt: string; width: number | null; height: number | null } | null;
  /** For the page of an article. `section` is a title, `authors` are addresses of their pages. */
  article?: { publishedAt: number; updatedAt: number; section: string | null; authors: string[]; tags: string[] };
  /** Objects of schema.org about the page, without `@context`. */
  data?: object[];
  /** Id of the page's section, highlighted in the navigation. */
  section?: string | null;
  /** Feeds that the page links to before those of the configuration. */
  feeds?: FeedHead[];
}

/** Renders `templates/pages/<template>.liquid` in the layout. */
export async function renderPage(web: WebContext, template: string, head: PageHead, data: object): Promise<string> {
  const { view, base, locale } = web;
  const language = head.language ?? view.language;
  const image = head.image ?? (head.path === null ? null : siteImage(web));
  const page = {
    title: head.title === null ? view.name : locale.text('common.pageTitle', { title: head.title, site: view.name }),
    shareTitle: head.title ?? view.name,
    description: head.description,
    path: head.path,
    canonical: head.path === null ? null : (head.canonical ?? view.url + head.path),
    language,
    dir: textDirection(language),
    siteDir: locale.dir,
    previous: head.previous ?? null,
    next: head.next ?? null,
    ogLocale: ogLocale(language),
    type: head.article === undefined ? 'website' : 'article',
    article: head.article ?? null,
    image: image && { ...image, card: isWide(image) ? 'summary_large_image' : 'summary' },
    data: head.data === undefined ? null : jsonLd(head.data),
    section: head.section ?? null,
    alternates: await renderAlternates(web, head.feeds),
    hasSvgIcon: !/\.png$/i.test(web.config.publication.icon ?? ''),
    stylesheet: await stylesheetPath(web),
  };
  const shown = { ...data, site: view, base, page };
  return web.rendering.run(() => web.templates.html(`pages/${template}.liquid`, shown, view.language));
}

/** The picture of pages that have none of their own. */
function siteImage({ view, config }: WebContext): NonNullable<PageHead['image']> {
  if (view.cover === null) return { url: iconUrl(view.url, 512), alt: view.name, width: 512, height: 512 };
  return { url: mailImageUrl(view.cover, config), alt: view.name, width: null, height: null };
}

/** Whether a preview may show it across its whole width. A picture of unknown size is rarely upright. */
function isWide({ width, height }: NonNullable<PageHead['image']>): boolean {
  return width === null || height === null || (width >= 600 && width > height);
}

/** `en-GB` as Open Graph writes it, `en_GB`; null for a language without a territory, which it has no form for. */
function ogLocale(language: string): string | null {
  const [, code, territory] = /^([a-z]{2,3})(?:-[a-z]{4})?-([a-z]{2})(?![a-z0-9])/i.exec(language) ?? [];
  return territory === undefined ? null : `${code?.toLowerCase()}_${territory.toUpperCase()}`;
}

/** Responds with a page that caches may store for a minute. @param status any other than 200 is not cached */
export function respondPublicPage(c: Context, html: string, status: ContentfulStatusCode = 200): Response {
  return c.html(html, status, { 'Cache-Control': status === 200 ? 'public, max-age=60' : 'no-store' });
}

/** A path parameter of at most 200 characters; null if it holds what no id and no slug has. */
export function nameParameter(c: Context, name: string): string | null {
  const value = c.req.param(name) ?? '';
  return value.length > 0 && value.length <= 200 && !FORBIDDEN.test(value) ? value : null;
}

// Controls (PostgreSQL rejects U+0000 in a query), white space and slashes.
const FORBIDDEN = /[\u0000-\u0020\u007f-\u009f\\/]/;

/**
 * The number in `?page=2`, from 1; null if it is not a number up to `last`. The bound keeps requests from making the
 * database skip any number of rows.
 */
export function parsePageNumber(text: string | undefined, last: number): number | null {
  if (text === undefined) return 1;
  if (!/^[1-9]\d{0,4}$/.test(text)) return null;
  const number = Number(text);
  return number <= last ? number : null;
}

/** One page of a list, with paths as `PageHead` wants them. */
export interface ListPage<T> {
  entries: T[];
  path: string;
  /** The page with newer entries, or null. */
  previous: string | null;
  next: string | null;
}

/** @param part of the list that the page shows */
export function listPage<T>(
  path: string,
  number: number,
  last: number,
  { entries, hasMore }: { entries: T[]; hasMore: boolean },
): ListPage<T> {
  return {
    entries,
    path: pagePath(path, number),
    previous: number > 1 ? pagePath(path, number - 1) : null,
    next: hasMore && number < last ? pagePath(path, number + 1) : null,
  };
}

/** The title of a page of a list. */
export function titleOnPage({ locale }: WebContext, title: string, number: number): string {
  return number === 1 ? title : locale.text('common.titleOnPage', { title, number });
}

/** The first page has the address of the list. */
function pagePath(path: string, number: number): string {
  return number === 1 ? path : `${path}?page=${number}`;
}
