/**
 * An article's own page; for a retracted one its note, for one not yet public nothing that tells of it.
 */
import { type Article, articleUrl, fullHeadline, isPublic } from '../../articles/article.ts';
import { findArticleBySlug } from '../../articles/queries.ts';
import { answerNotFound } from '../server/error-pages.ts';
import { type Answer, wordParameter } from '../server/routes.ts';
import type { Site } from '../server/site.ts';
import { answerPage, type PageHead, renderPage } from './page.ts';
import { articleFeeds } from './page-feeds.ts';
import { storyView, summaryOf } from './story-view.ts';

/** Answers `/articles/:slug`. */
export function answerArticle(site: Site): Answer {
  return async (c) => {
    const slug = wordParameter(c, 'slug');
    const article = slug === null ? null : await findArticleBySlug(site.store.db, slug);
    if (article === null) return answerNotFound(site, c);
    const now = site.clock();
    const retraction = retractionOf(article, now);
    if (retraction === null && !isPublic(article, now)) return answerNotFound(site, c);
    // An old slug, or a roundup, which stands on its edition's page.
    if (article.slug !== slug || (article.page !== null && retraction === null)) {
      return c.redirect(articleUrl(movedTo(article, retraction), site.base), 301);
    }
    const story = storyView(article, site);
    if (retraction !== null) {
      const head = { ...headOf(site, article), path: null, description: 'This story has been retracted.', image: null };
      return answerPage(c, await renderPage(site, 'retracted', head, { story, retraction }), 410);
    }
    return answerPage(c, await renderPage(site, 'article', headOf(site, article, story.image), { story }));
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

function headOf(site: Site, article: Article, image: { url: string; alt: string } | null = null): PageHead {
  return {
    title: fullHeadline(article),
    description: summaryOf(article),
    path: articleUrl({ slug: article.slug, page: null }, ''),
    language: article.language,
    type: 'article',
    image,
    publishedAt: article.publishedAt,
    section: article.section,
    feeds: articleFeeds(site.config, article),
  };
}
