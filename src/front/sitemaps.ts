/**
 * Sitemaps (sitemaps.org, protocol 0.9): an index, one sitemap for each month of publication, one for the other pages,
 * and one for Google News. They list the pages of this site, not articles with an address elsewhere.
 */
import type { Handler } from 'hono';
import { articlePageUrl, fullHeadline } from '../articles/article.ts';
import { parseMonth } from '../articles/months.ts';
import { findPublicArticles } from '../articles/queries.ts';
import { findArticlePages, findMonthsWithPages } from '../articles/with-page.ts';
import { escapeXml, strictUrl } from '../feeds/formats/markup.ts';
import { DAY, rfc3339 } from '../lib/time.ts';
import { respondNotFound } from '../web/server/errors.ts';
import type { WebContext } from '../web/server/web-context.ts';

/**
 * Addresses of one sitemap. The protocol allows 50,000 in 50 MB; with the longest addresses, so many have 13 MB, and a
 * response is in memory as a whole.
 */
const SITEMAP_SIZE = 10_000;

interface SitemapEntry {
  path: string;
  updatedAt?: number;
}

/** `/sitemap.xml`: the sitemaps. Those of one month have the same `lastmod`. */
export function serveSitemapIndex(web: WebContext): Handler {
  return async () => {
    const months = await findMonthsWithPages(web.store.reports, web.clock(), web.view.zone);
    const sitemaps = months.flatMap(({ id, count, updatedAt }) =>
      Array.from({ length: Math.ceil(count / SITEMAP_SIZE) }, (_, part) => ({
        path: `/sitemaps/${id}${part === 0 ? '' : `-${part + 1}`}.xml`,
        updatedAt,
      })),
    );
    return respondXml('sitemapindex', [{ path: '/sitemaps/pages.xml' }, ...sitemaps].map(entryOf(web, 'sitemap')));
  };
}

/** `/sitemaps/:name`: `2026-11.xml`, its second part `2026-11-2.xml`, or `pages.xml`. */
export function serveSitemap(web: WebContext): Handler {
  return async (c) => {
    const name = c.req.param('name') ?? '';
    if (name === 'pages.xml') return respondXml('urlset', pagesOf(web).map(entryOf(web, 'url')));
    const [, id = '', part = '1'] = /^(\d{4}-\d\d)(?:-([2-9]|[1-9]\d{1,2}))?\.xml$/.exec(name) ?? [];
    const month = parseMonth(id, web.view.zone);
    const offset = (Number(part) - 1) * SITEMAP_SIZE;
    const bounds = { limit: SITEMAP_SIZE, offset };
    const articles = month === null ? [] : await findArticlePages(web.store.reports, month, web.clock(), bounds);
    if (articles.length === 0) return respondNotFound(web, c);
    return respondXml('urlset', articles.map(entryOf(web, 'url')));
  };
}

/** Google News takes articles of the last two days, and 1,000 of them in one sitemap. */
const NEWS_AGE = 2 * DAY;
const NEWS_SIZE = 1_000;

/**
 * `/news-sitemap.xml`: the newest articles for Google News, by the rules of "Create a News sitemap" of Google Search
 * Central: name of the publication, language, first date of publication, and the title of the page.
 */
export function serveNewsSitemap(web: WebContext): Handler {
  return async () => {
    const now = web.clock();
    const [loc, name] = [addressOf(web), escapeXml(web.view.name)];
    const found = await findPublicArticles(web.store.db, { now, from: now - NEWS_AGE, limit: NEWS_SIZE });
    const entries = found
      .filter(({ url }) => url === null)
      .map((article) => {
        const title = escapeXml(fullHeadline(article));
        return [
          `<url><loc>${loc(articlePageUrl(article, ''))}</loc><news:news>`,
          `<news:publication><news:name>${name}</news:name>`,
          `<news:language>${newsLanguage(article.language)}</news:language></news:publication>`,
          `<news:publication_date>${rfc3339(article.publishedAt)}</news:publication_date>`,
          `<news:title>${title}</news:title></news:news></url>`,
        ].join('');
      });
    return respondXml('urlset', entries, ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"');
  };
}

/** The language as Google News names it: ISO 639, two or three letters; Chinese by its script: `zh-cn` or `zh-tw`. */
function newsLanguage(tag: string): string {
  const { language, script } = new Intl.Locale(tag).maximize();
  if (language !== 'zh') return language;
  return script === 'Hant' ? 'zh-tw' : 'zh-cn';
}

/** The pages that are no articles. */
function pagesOf({ view }: WebContext): SitemapEntry[] {
  const legal = [view.imprint, view.privacy].map((link) => link?.path ?? null);
  const paths = [
    ...['/', ...view.sections.map(({ id }) => `/sections/${id}`), '/archive', '/editions'],
    ...view.newsletters.map(({ id }) => `/editions/${id}`),
    ...['/newsletters', ...legal],
  ];
  return paths.filter((path) => path !== null).map((path) => ({ path }));
}

function entryOf(web: WebContext, element: 'url' | 'sitemap'): (entry: SitemapEntry) => string {
  const loc = addressOf(web);
  return ({ path, updatedAt }) => {
    const lastmod = updatedAt === undefined ? '' : `<lastmod>${rfc3339(updatedAt)}</lastmod>`;
    return `<${element}><loc>${loc(path)}</loc>${lastmod}</${element}>`;
  };
}

/** The absolute address of a path, encoded (RFC 3986) and escaped. */
function addressOf({ view }: WebContext): (path: string) => string {
  const base = escapeXml((strictUrl(`${view.url}/`) ?? view.url).replace(/\/$/, ''));
  return (path) => base + escapeXml(path);
}

function respondXml(root: 'urlset' | 'sitemapindex', entries: string[], namespaces = ''): Response {
  const start = `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"`;
  const body = `${start}${namespaces}>\n${entries.map((entry) => `${entry}\n`).join('')}</${root}>\n`;
  const headers = { 'Content-Type': 'application/xml; charset=utf-8', 'Cache-Control': 'public, max-age=300' };
  return new Response(body, { headers });
}
