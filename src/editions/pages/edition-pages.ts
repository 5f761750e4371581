/**
 * Past editions: lists of them, and each as it was when it closed. Above an edition are the header of the site, and a
 * notice of later retractions and corrections.
 */
import type { Handler, MiddlewareHandler } from 'hono';
import { type Article, fullHeadline, retractionOf } from '../../articles/article.ts';
import { noteUrl } from '../../articles/article-link.ts';
import { isBrowserName, readerName } from '../../feeds/readers/reader-name.ts';
import { textDirection } from '../../lib/locale/direction.ts';
import {
  listPage,
  nameParameter,
  parsePageNumber,
  renderPage,
  respondPublicPage,
  titleOnPage,
} from '../../web/pages/page.ts';
import { editionFeeds, renderAlternates } from '../../web/pages/page-feeds.ts';
import { share } from '../../web/pages/public-page.ts';
import { respondNotFound } from '../../web/server/errors.ts';
import type { AddRoutes, WebContext } from '../../web/server/web-context.ts';
import { editionLine } from '../edition-line.ts';
import {
  type Edition,
  findArticlesNotedSince,
  findEdition,
  findNextEdition,
  lastEdition,
  listEditions,
} from '../queries.ts';

const EDITIONS_PER_PAGE = 50;
const LAST_PAGE = 200;

/** `/editions` and `/editions/:newsletter`, also for a newsletter that is no longer in the configuration. */
function serveEditions(web: WebContext): Handler {
  return async (c) => {
    const isOfOne = c.req.param('newsletter') !== undefined;
    const newsletter = nameParameter(c, 'newsletter');
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (number === null || (isOfOne && newsletter === null)) return respondNotFound(web, c);
    const offset = (number - 1) * EDITIONS_PER_PAGE;
    const found = await listEditions(web.store.db, newsletter, EDITIONS_PER_PAGE + 1, offset);
    const known = web.view.newsletters.find(({ id }) => id === newsletter) ?? null;
    const exists = found.length > 0 || (number === 1 && (newsletter === null || known !== null));
    if (!exists) return respondNotFound(web, c);
    const path = newsletter === null ? '/editions' : `/editions/${newsletter}`;
    const list = listPage(path, number, LAST_PAGE, {
      entries: found.slice(0, EDITIONS_PER_PAGE),
      hasMore: found.length > EDITIONS_PER_PAGE,
    });
    const name = known?.title ?? newsletter;
    const { locale } = web;
    const listTitle =
      name === null ? locale.text('common.pastEditions') : locale.text('edition.pastOf', { newsletter: name });
    const title = titleOnPage(web, listTitle, number);
    const editions = list.entries.map((edition) => editionLine(edition, web));
    const description = known?.description ?? locale.text('edition.pastDescription', { title: listTitle });
    const head = { ...list, title, description };
    const naming = newsletter === null && web.view.newsletters.length > 1;
    return respondPublicPage(c, await renderPage(web, 'editions', head, { title, known, editions, naming, list }));
  };
}

/** `/editions/:newsletter/:slot`. */
function serveEdition(web: WebContext): Handler {
  return async (c) => {
    const newsletter = nameParameter(c, 'newsletter');
    const slot = nameParameter(c, 'slot');
    const { db } = web.store;
    const edition = newsletter === null || slot === null ? null : await findEdition(db, newsletter, slot);
    if (edition === null) return respondNotFound(web, c);
    // The page is frozen except for the feeds that it links to: those of its time may no longer exist.
    const html = replaceAlternates(edition.archiveHtml, await renderAlternates(web, editionFeeds(web.config)));
    const { newsletters, publication } = web.config;
    const language = newsletters.find(({ id }) => id === newsletter)?.language ?? publication.language;
    const header = await renderHeader(web, edition);
    const notice = await renderNotice(web, await findArticlesNotedSince(db, edition), language);
    return respondPublicPage(c, insertInBody(html, header + notice));
  };
}

/** Counts requests of `/editions/:newsletter/:slot`, also those that the cache of pages answers. */
function countVisits(web: WebContext): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const { newsletter, slot } = c.req.param() as { newsletter: string; slot: string };
    const isCounted = isVisit({
      method: c.req.method,
      status: c.res.status,
      userAgent: c.req.header('User-Agent'),
      fetchMode: c.req.header('Sec-Fetch-Mode'),
      purpose: c.req.header('Sec-Purpose'),
    });
    if (isCounted) web.visits?.count(newsletter, slot);
  };
}

/** The name of the site and the way to other editions, above the edition. */
async function renderHeader(web: WebContext, { newsletter, number }: Edition): Promise<string> {
  const { view, base, locale } = web;
  const path = `${base}/editions/${newsletter}`;
  const earlier = await lastEdition(web.store.db, newsletter, number);
  const later = await findNextEdition(web.store.db, { newsletter, number });
  const data = {
    ...{ site: view, base, path, lang: view.language, dir: locale.dir },
    earlier: earlier === null ? null : `${path}/${earlier.slot}`,
    later: later === null ? null : `${path}/${later.slot}`,
  };
  return web.templates.html('pages/edition-header.liquid', data, view.language);
}

/** The notice of retractions and corrections, or an empty text without any. */
async function renderNotice(web: WebContext, articles: Article[], language: string): Promise<string> {
  const now = web.clock();
  const retracted = articles.flatMap((article) => {
    const retraction = retractionOf(article, now);
    return retraction === null ? [] : [{ ...retraction, ...linkOf(article, web) }];
  });
  const corrected = articles.flatMap((article) => {
    const { status } = article;
    return status.state === 'corrected' ? [{ note: status.note, at: status.at, ...linkOf(article, web) }] : [];
  });
  if (retracted.length + corrected.length === 0) return '';
  const data = { lang: language, dir: textDirection(language), retracted, corrected };
  return web.templates.html('pages/edition-notice.liquid', data, language);
}

function linkOf(article: Article, web: WebContext): { headline: string; path: string; language: string } {
  const path = noteUrl(article, web);
  return { headline: fullHeadline(article), path, language: article.language };
}

/** Replaces the feed links at the end of the head; inserts them before the body if the head has no tags. */
function replaceAlternates(html: string, links: string): string {
  const end = html.search(/<\/head\s*>|<body\b/i);
  if (end < 0) return html;
  return html.slice(0, end).replace(/<link rel="alternate"[^>]*>\n?/g, '') + links + html.slice(end);
}

/** Inserts HTML at the beginning of the body. */
function insertInBody(html: string, inserted: string): string {
  const body = /<body\b[^>]*>/i.exec(html);
  const at = body === null ? 0 : body.index + body[0].length;
  return html.slice(0, at) + inserted + html.slice(at);
}

interface PageRequest {
  method: string;
  /** Status of the response. */
  status: number;
  userAgent: string | undefined;
  /** Sec-Fetch-Mode; browsers send it, and `navigate` for a page that somebody opens. */
  fetchMode: string | undefined;
  /** Sec-Purpose: what a browser fetches ahead may never be looked at. */
  purpose: string | undefined;
}

/** A page that is not modified was looked at again. */
const SEEN = [200, 304];

/** Programs that say who they are do not count. Scanners of mail that pretend to be browsers do. */
export function isVisit({ method, status, userAgent, fetchMode, purpose }: PageRequest): boolean {
  if (method !== 'GET' || !SEEN.includes(status)) return false;
  if (fetchMode !== undefined && fetchMode !== 'navigate') return false;
  if (purpose?.includes('prefetch')) return false;
  return isBrowserName(readerName(userAgent).reader);
}

export const addEditionPages: AddRoutes = (site, web) => {
  site.get('/editions', share(web, serveEditions(web)));
  site.get('/editions/:newsletter', share(web, serveEditions(web)));
  site.get('/editions/:newsletter/:slot', countVisits(web), share(web, serveEdition(web)));
};
