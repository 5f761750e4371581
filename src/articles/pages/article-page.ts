/**
 * The page of an article. A retracted one shows its note; one that is not public yet responds like an unknown one. What
 * the page of an article with an address elsewhere does, the key `pages` decides.
 */
import type { Handler } from 'hono';

import { cleanUrl } from '../../lib/text/clean-text.ts';
import { nameParameter, type PageHead, renderPage, respondPublicPage } from '../../web/pages/page.ts';
import { articleFeeds } from '../../web/pages/page-feeds.ts';
import { shortForm } from '../../web/pages/short-form.ts';
import { respondNotFound } from '../../web/server/errors.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { type Article, articlePageUrl, fullHeadline, isPublic, retractionOf } from '../article.ts';
import { articleLink, hasPage, signedBy, urlElsewhere } from '../article-link.ts';
import { previewImage } from '../pictures/renditions.ts';
import { findArticleBySlug, findNeighbours } from '../queries.ts';
import { articleData } from './article-data.ts';
import { pageBody } from './page-body.ts';
import { type StoryView, storyView, summaryOf } from './story-view.ts';

/** `/articles/:slug`. */
export function serveArticle(web: WebContext): Handler {
  return async (c) => {
    const slug = nameParameter(c, 'slug');
    const article = slug === null ? null : await findArticleBySlug(web.store.db, slug);
    if (article === null || !hasPage(article, web)) return respondNotFound(web, c);
    const now = web.clock();
    const retraction = retractionOf(article, now);
    if (retraction === null && !isPublic(article, now)) return respondNotFound(web, c);
    // A roundup has the page of its edition, unless it is retracted.
    const page = retraction === null ? article.page : null;
    if (article.slug !== slug || page !== null) {
      return c.redirect(articlePageUrl({ slug: article.slug, page }, web.base), 301);
    }
    const elsewhere = urlElsewhere(article, web);
    if (retraction === null && elsewhere !== null && web.config.pages === 'redirect') {
      // Not for good: the key may change.
      return c.redirect(elsewhere, 302);
    }
    const view = storyView(article, web, 'page');
    const story = { ...view, bodyHtml: pageBody(view.bodyHtml, web.locale) };
    if (retraction !== null) {
      const description = web.locale.text('article.retractedDescription');
      const head = { ...headOf(web, article, story), path: null, description, image: null };
      return respondPublicPage(c, await renderPage(web, 'retracted', head, { story, retraction }), 410);
    }
    const head = headOf(web, article, story);
    // An article with an address elsewhere has its structured data on the page there.
    const data = elsewhere === null ? { data: articleData(article, story, head.image, web) } : {};
    const { previous, next } = await findNeighbours(web.store.db, article, now);
    const shown = {
      story,
      share: shareLinks(fullHeadline(article), elsewhere ?? articlePageUrl({ slug, page: null }, web.view.url)),
      previous: previous && neighbourView(web, previous),
      next: next && neighbourView(web, next),
      form: await shortForm(web),
    };
    return respondPublicPage(c, await renderPage(web, 'article', { ...head, ...data }, shown));
  };
}

/** Ways to pass on an address that need no script, and ask no other site before somebody follows them. */
export function shareLinks(title: string, url: string) {
  const encode = (one: string): string => encodeURIComponent(one.toWellFormed());
  const [subject, address, text] = [title, url, `${title}\r\n\r\n${url}`].map(encode);
  return {
    url,
    email: `mailto:?subject=${subject}&body=${text}`,
    networks: [
      { name: 'LinkedIn', url: `https://www.linkedin.com/sharing/share-offsite/?url=${address}` },
      { name: 'WhatsApp', url: `https://wa.me/?text=${text}` },
      { name: 'Bluesky', url: `https://bsky.app/intent/compose?text=${text}` },
    ],
  };
}

function neighbourView(web: WebContext, article: Article): { headline: string; path: string; language: string } {
  return { headline: fullHeadline(article), path: articleLink(article, web), language: article.language };
}

function headOf(web: WebContext, article: Article, story: StoryView): PageHead {
  const { publishedAt, tags, image } = article;
  const url = image === null ? null : cleanUrl(image.url);
  return {
    title: fullHeadline(article),
    description: summaryOf(article),
    path: articlePageUrl({ slug: article.slug, page: null }, ''),
    canonical: article.url,
    language: article.language,
    article: {
      ...{ publishedAt, updatedAt: story.updatedAt ?? publishedAt, tags, section: story.section?.title ?? null },
      authors: signedBy(article).flatMap(({ path }) => (path === null ? [] : web.view.url + path)),
    },
    image: image === null || url === null ? null : { ...previewImage({ ...image, url }, web.config), alt: image.alt },
    section: article.section,
    feeds: articleFeeds(web.config, article),
  };
}
