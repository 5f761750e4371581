/**
 * An article for search engines: schema.org/NewsArticle with the properties that Google's "Article structured data"
 * asks for. The headline is whole: Google has named no limit since January 2023.
 */
import { rfc3339 } from '../../lib/time.ts';
import type { PageHead } from '../../web/pages/page.ts';
import { breadcrumbData, publisherData } from '../../web/pages/structured-data.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import { type Article, articlePageUrl, fullHeadline } from '../article.ts';
import { signedBy } from '../article-link.ts';
import { type StoryView, summaryOf } from './story-view.ts';

/** The objects for the page of a public article whose home is this site. Properties without a value are omitted. */
export function articleData(
  article: Article,
  story: StoryView,
  image: PageHead['image'],
  { view }: WebContext,
): object[] {
  const path = articlePageUrl(article, '');
  const { section, correction, outlet } = story;
  const editors = article.bylines.filter(({ role }) => role === 'editor').map(({ name }) => person(name));
  const signers = signedBy(article).map((signer) => {
    return person(signer.name, signer.path === null ? undefined : view.url + signer.path);
  });
  const publisher = publisherData(view);
  const { url, width, height, alt } = image ?? {};
  const credit = article.image?.credit ?? null;
  const newsArticle = {
    '@type': article.kind === 'analysis' ? 'AnalysisNewsArticle' : 'NewsArticle',
    mainEntityOfPage: view.url + path,
    headline: fullHeadline(article),
    description: summaryOf(article),
    image: image && [withoutNulls({ '@type': 'ImageObject', url, width, height, caption: alt, creditText: credit })],
    datePublished: rfc3339(article.publishedAt),
    dateModified: rfc3339(story.updatedAt ?? article.publishedAt),
    author: signers.length > 0 ? signers : publisher,
    editor: editors.length > 0 ? editors : undefined,
    publisher,
    articleSection: section?.title,
    keywords: article.tags.length > 0 ? article.tags : undefined,
    inLanguage: article.language,
    isAccessibleForFree: true,
    isBasedOn: outlet?.url ?? undefined,
    correction: correction && {
      '@type': 'CorrectionComment',
      text: correction.note,
      datePublished: rfc3339(correction.at),
    },
  };
  const steps = section === null ? [] : [{ name: section.title, path: `/sections/${section.id}` }];
  return [withoutNulls(newsArticle), breadcrumbData(view, [...steps, { name: article.headline, path }])];
}

function person(name: string, url?: string): object {
  return { '@type': 'Person', name, url };
}

function withoutNulls(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== ''));
}
