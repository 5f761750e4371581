/**
 * An article's own page; for a retracted one its note, for one not yet public nothing that tells of it.
 */
import { type Article, articleUrl, fullHeadline, isPublic } from '../../articles/article.ts';
import { findArticleBySlug } from '../../articles/queries.ts';
import { respondNotFound } from '../server/errors.ts';
import { type RequestHandler, wordParameter } from '../server/routes.ts';
import type { WebContext } from '../server/web-context.ts';
import { type PageHead, renderPage, respondPage } from './page.ts';
import { articleFeeds } from './page-feeds.ts';
import { storyView, summaryOf } from './story-view.ts';

/** Answers `/articles/:slug`. */
export function serveArticle(web: WebContext): RequestHandler {
  return async (c) => {
    const slug = wordParameter(c, 'slug');
    const article = slug === null ? null : await findArticleBySlug(web.store.db, slug);
    if (article === null) return respondNotFound(web, c);
    const now = web.clock();
    const retraction = retractionOf(article, now);
    if (retraction === null && !isPublic(article, now)) return respondNotFound(web, c);
    // An old slug, or a roundup, which stands on its edition's page.
    if (article.slug !== slug || (article.page !== null && retraction === null)) {
      return c.redirect(articleUrl(movedTo(article, retraction), web.base), 301);
    }
    const story = storyView(article, web);
    if (retraction !== null) {
      const head = { ...headOf(web, article), path: null, description: 'This story has been retracted.', image: null };
      return respondPage(c, await renderPage(web, 'retracted', head, { story, retraction }), 410);
    }
    return respondPage(c, await renderPage(web, 'article', headOf(web, article, story.image), { story }));
  };
}

/** The note of an article that readers had seen before it was retracted; otherwise null. */
export function retractionOf(article: Article, now: number): { note: string; at: number } | null {
  const { status, publishedAt } = article;
  return status.state === 'retracted' && publishedAt <= status.at && publishedAt <= now
    ? { note: status.note, at: status.at }
    : null;
}

function movedTo(article: Article, retraction: object | null): Pick<Article, 'slug' | 'page'> {
  return { slug: article.slug, page: retraction === null ? article.page : null };
}

function headOf(web: WebContext, article: Article, image: { url: string; alt: string } | null = null): PageHead {
  return {
    title: fullHeadline(article),
    description: summaryOf(article),
    path: articleUrl({ slug: article.slug, page: null }, ''),
    language: article.language,
    type: 'article',
    image,
    publishedAt: article.publishedAt,
    section: article.section,
    feeds: articleFeeds(web.config, article),
  };
}
