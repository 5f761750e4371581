/**
 * Past editions: their lists, and each as it was frozen when it closed. What has been retracted or corrected since is said above it.
 */
import { type Article, articleUrl, fullHeadline } from '../../articles/article.ts';
import { toArticle } from '../../articles/queries.ts';
import { type Edition, findEdition, listEditions } from '../../editions/queries.ts';
import type { Db } from '../../store/store.ts';
import { respondNotFound } from '../server/errors.ts';
import { type RequestHandler, wordParameter } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import { retractionOf } from './article-page.ts';
import { editionLine } from './edition-line.ts';
import { renderPage, respondPage } from './page.ts';
import { editionFeeds, renderAlternates } from './page-feeds.ts';
import { listPage, parsePageNumber } from './page-number.ts';

const EDITIONS_A_PAGE = 50;
const LAST_PAGE = 200;

/** Answers `/editions` and `/editions/:newsletter`. A newsletter that config no longer has keeps its past editions. */
export function serveEditions(web: WebContext): RequestHandler {
  return async (c) => {
    const asked = c.req.param('newsletter');
    const newsletter = asked === undefined ? null : wordParameter(c, 'newsletter');
    const number = parsePageNumber(c.req.query('page'), LAST_PAGE);
    if (number === null || (asked !== undefined && newsletter === null)) return respondNotFound(web, c);
    const offset = (number - 1) * EDITIONS_A_PAGE;
    const found = await listEditions(web.store.db, newsletter, EDITIONS_A_PAGE + 1, offset);
    const known = web.view.newsletters.find(({ id }) => id === newsletter) ?? null;
    const isThere = found.length > 0 || (number === 1 && (newsletter === null || known !== null));
    if (!isThere) return respondNotFound(web, c);
    const path = newsletter === null ? '/editions' : `/editions/${newsletter}`;
    const list = listPage(path, number, LAST_PAGE, EDITIONS_A_PAGE, found);
    const name = known?.title ?? newsletter;
    const plain = name === null ? 'Past editions' : `Past editions of ${name}`;
    const title = number === 1 ? plain : `${plain}, page ${number}`;
    const editions = list.entries.map((edition) => editionLine(edition, web));
    const head = { ...list, title, description: known?.description ?? `${plain}, newest first.` };
    const naming = newsletter === null && web.view.newsletters.length > 1;
    return respondPage(c, await renderPage(web, 'editions', head, { title, known, editions, naming, list }));
  };
}

/** Answers `/editions/:newsletter/:slot`. */
export function serveEdition(web: WebContext): RequestHandler {
  return async (c) => {
    const newsletter = wordParameter(c, 'newsletter');
    const slot = wordParameter(c, 'slot');
    const { db } = web.store;
    const edition = newsletter === null || slot === null ? null : await findEdition(db, newsletter, slot);
    if (edition === null) return respondNotFound(web, c);
    const now = web.clock();
    const noted = await findNotedSince(db, edition);
    const retracted = noted.flatMap((article) => {
      const retraction = retractionOf(article, now);
      return retraction === null ? [] : [{ ...retraction, ...titleOf(article, web) }];
    });
    const corrected = noted.flatMap((article) => {
      const { status } = article;
      return status.state === 'corrected' ? [{ note: status.note, at: status.at, ...titleOf(article, web) }] : [];
    });
    // All else is frozen; feeds that it led to then may be gone.
    const html = linkInHead(edition.archiveHtml, await renderAlternates(web, editionFeeds(web.config)));
    if (retracted.length + corrected.length === 0) return respondPage(c, html);
    const notice = await web.templates.html('pages/edition-notice.liquid', {
      site: web.view,
      retracted,
      corrected,
    });
    return respondPage(c, placeAbove(html, notice));
  };
}

function titleOf(article: Article, web: WebContext): { headline: string; path: string; language: string } {
  const path = articleUrl({ slug: article.slug, page: null }, web.base);
  return { headline: fullHeadline(article), path, language: article.language };
}

/** The edition's stories, and its own roundup, as far as they bear a note that the edition itself has not shown; newest note first. */
async function findNotedSince(db: Db, edition: Edition): Promise<Article[]> {
  const rows = await db
    .selectFrom('articles')
    .select('document')
    .where('state', 'in', ['retracted', 'corrected'])
    .where((e) =>
      e.or([
        e('id', '=', edition.articleId),
        e('id', 'in', e.selectFrom('edition_articles').select('article_id').where('edition_id', '=', edition.id)),
      ]),
    )
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('edition_corrections as shown')
            .select('shown.article_id')
            .where('shown.newsletter', '=', edition.newsletter)
            .whereRef('shown.article_id', '=', 'articles.id')
            .whereRef('shown.noted_at', '=', 'articles.noted_at')
            .where('shown.edition_id', '=', edition.id),
        ),
      ),
    )
    .orderBy('noted_at', 'desc')
    .orderBy('id')
    .execute();
  return rows.map((row) => toArticle(row.document));
}

/** Puts the links last in the head of the frozen page, in place of those it was frozen with; where its tags are left out, before its body. */
function linkInHead(html: string, links: string): string {
  const end = html.search(/<\/head\s*>|<body\b/i);
  if (end < 0) return html;
  return html.slice(0, end).replace(/<link rel="alternate"[^>]*>\n?/g, '') + links + html.slice(end);
}

/** Puts the notice first in the body of the frozen page. */
function placeAbove(html: string, notice: string): string {
  const body = /<body\b[^>]*>/i.exec(html);
  const at = body === null ? 0 : body.index + body[0].length;
  return html.slice(0, at) + notice + html.slice(at);
}
