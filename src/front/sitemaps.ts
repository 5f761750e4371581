/**
 * Sitemaps (sitemaps.org, protocol 0.9): an index, those of the months of publication, of the other pages, and for
 * Google News. They list pages of this site only, in or below their own folder, as the protocol demands.
 */
import type { Handler } from 'hono';
import { articlePageUrl, fullHeadline } from '../articles/article.ts';
import { parseMonth } from '../articles/months.ts';
import { findPublicArticles } from '../articles/queries.ts';
import { findMonthsWithPages, findUpdatedPages } from '../articles/with-page.ts';
import { isElsewhere, legalPages } from '../core/config/legal-pages.ts';
import { escapeXml } from '../feeds/formats/markup.ts';
import { DAY, rfc3339 } from '../lib/time.ts';
import { respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';

/** Addresses of one sitemap: less than the 50,000 and the 50 MB of the protocol, since a response is in memory. */
const SITEMAP_SIZE = 10_000;

/** `/sitemap.xml`: the sitemaps. All parts of a month have its last change. */
export function serveSitemapIndex(web: WebContext): Handler {
  return async () => {
    const months = await findMonthsWithPages(web.store.reports, web.clock(), web.view.zone);
    const sitemaps = months.flatMap(({ id, count, updatedAt }) =>
      Array.from({ length: Math.ceil(count / SITEMAP_SIZE) }, (_, part) => ({
        path: `/sitemap-${id}${part === 0 ? '' : `-${part + 1}`}.xml`,
        updatedAt,
      })),
    );
    return respondSitemap(web, 'sitemap', [{ path: '/sitemap-pages.xml' }, ...sitemaps]);
  };
}

/** `/sitemap-2026-11.xml`, its second part `/sitemap-2026-11-2.xml`, and `/sitemap-pages.xml`. */
export function serveSitemap(web: WebContext): Handler {
  return async (c) => {
    const name = c.req.param('name') ?? '';
    if (name === 'sitemap-pages.xml') return respondSitemap(web, 'url', pagesOf(web));
    const [, id = '', part = '1'] = /^sitemap-(\d{4}-\d\d)(?:-([2-9]|[1-9]\d{1,2}))?\.xml$/.exec(name) ?? [];
    const month = parseMonth(id, web.view.zone);
    const bounds = { limit: SITEMAP_SIZE, offset: (Number(part) - 1) * SITEMAP_SIZE };
    const articles = month === null ? [] : await findUpdatedPages(web.store.reports, month, web.clock(), bounds);
    return articles.length === 0 ? respondNotFound(web, c) : respondSitemap(web, 'url', articles);
  };
}

/**
 * `/news-sitemap.xml`: for Google News, by the rules of "Create a News sitemap" of Google Search Central: at most 1,000
 * articles of the last two days, with the name of the publication, and the first date and title of each.
 */
export function serveNewsSitemap(web: WebContext): Handler {
  return async () => {
    const now = web.clock();
    const articles = await findPublicArticles(web.store.db, { now, from: now - 2 * DAY, limit: 1_000 });
    const entries = articles
      .filter(({ url }) => url === null)
      .map((article) => ({
        path: articlePageUrl(article, ''),
        news:
          `<news:news><news:publication><news:name>${escapeXml(web.view.name)}</news:name>` +
          `<news:language>${newsLanguage(article.language)}</news:language></news:publication>` +
          `<news:publication_date>${rfc3339(article.publishedAt)}</news:publication_date>` +
          `<news:title>${escapeXml(fullHeadline(article))}</news:title></news:news>`,
      }));
    return respondSitemap(web, 'url', entries);
  };
}

/** The language as Google News names it: ISO 639, two or three letters; Chinese by its script: `zh-cn` or `zh-tw`. */
function newsLanguage(tag: string): string {
  const { language, script } = new Intl.Locale(tag).maximize();
  return language !== 'zh' ? language : script === 'Hant' ? 'zh-tw' : 'zh-cn';
}

/** The pages that are no articles. */
function pagesOf({ view, config }: WebContext): SitemapEntry[] {
  const texts = legalPages(config).filter((page) => !isElsewhere(page));
  const sections = view.sections.map(({ id }) => `/sections/${id}`);
  const editions = view.newsletters.map(({ id }) => `/editions/${id}`);
  const paths = ['/', ...sections, '/archive', '/editions', ...editions, '/newsletters'].map((path) => ({ path }));
  return [...paths, ...texts];
}

interface SitemapEntry {
  path: string;
  updatedAt?: number;
  news?: string;
}

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n';
const NAMESPACES =
  'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"';

function respondSitemap({ view }: WebContext, element: 'url' | 'sitemap', entries: SitemapEntry[]): Response {
  const root = element === 'url' ? 'urlset' : 'sitemapindex';
  const base = escapeXml(new URL(view.url).href.replace(/\/$/, ''));
  const lines = entries.map(({ path, updatedAt, news = '' }) => {
    const lastmod = updatedAt === undefined ? '' : `<lastmod>${rfc3339(updatedAt)}</lastmod>`;
    return `<${element}><loc>${base}${escapeXml(path)}</loc>${lastmod}${news}</${element}>\n`;
  });
  const headers = { 'Content-Type': 'application/xml; charset=utf-8', 'Cache-Control': 'public, max-age=300' };
  return new Response(`${XML}<${root} ${NAMESPACES}>\n${lines.join('')}</${root}>\n`, { headers });
}
