/**
 * Renders a page in the site's layout and answers with it.
 */
import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { textDirection } from '../../articles/article.ts';
import type { FeedHead } from '../../feeds/formats/feed-view.ts';
import { isNotModified } from '../server/conditional.ts';
import type { WebContext } from '../server/web-context.ts';
import { alternates } from './page-feeds.ts';
import { stylesheetPath } from './stylesheet.ts';

/** What the layout says of a page, beside its content. Paths begin with a slash and go without the site's base. */
export interface PageHead {
  /** Without the publication's name; null for the front page. */
  title: string | null;
  description: string;
  /** The page's one address, or null where search engines shall not list it. */
  path: string | null;
  /** BCP 47; default the publication's. */
  language?: string;
  previous?: string | null;
  next?: string | null;
  type?: 'website' | 'article';
  image?: { url: string; alt: string } | null;
  publishedAt?: number | null;
  /** The section the page belongs to, marked in the navigation. */
  section?: string | null;
  /** What feed readers shall find before the feeds of the configuration. */
  feeds?: FeedHead[];
}

/** Renders `templates/pages/<template>.liquid` within the layout. */
export async function renderPage(web: WebContext, template: string, head: PageHead, data: object): Promise<string> {
  const { view, base } = web;
  const language = head.language ?? view.language;
  const page = {
    title: head.title === null ? view.name : `${head.title} — ${view.name}`,
    shareTitle: head.title ?? view.name,
    description: head.description,
    path: head.path,
    canonical: head.path === null ? null : view.url + head.path,
    language,
    dir: textDirection(language),
    siteDir: textDirection(view.language),
    previous: head.previous ?? null,
    next: head.next ?? null,
    type: head.type ?? 'website',
    image: head.image ?? null,
    publishedAt: head.publishedAt ?? null,
    section: head.section ?? null,
    feeds: alternates(web.config, head.feeds ?? []),
    stylesheet: await stylesheetPath(web),
  };
  return web.templates.html(`pages/${template}.liquid`, { ...data, site: view, base, page });
}

/**
 * Answers with a page that caches may keep for a minute, and with 304 where the client has these very bytes.
 * @param status other than 200 is never kept
 */
export function respondPage(c: Context, html: string, status: ContentfulStatusCode = 200): Response {
  if (status !== 200) return c.html(html, status, { 'Cache-Control': 'no-store' });
  const etag = `"${createHash('sha256').update(html).digest('base64url').slice(0, 22)}"`;
  const headers = { ETag: etag, 'Cache-Control': 'public, max-age=60' };
  if (isNotModified(c.req.raw.headers, { etag })) return c.body(null, 304, headers);
  return c.html(html, 200, headers);
}
