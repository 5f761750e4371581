/**
 * One article as an edition shows it: in a line, as a whole story, as a roundup item, as a correction.
 */
import { type Article, articleUrl, creditLine, fullHeadline, textDirection } from '../../articles/article.ts';
import { type Config, sectionTitle } from '../../config/config.ts';
import type { CorrectionEntry, Outlet, RoundupEntry, Story, StoryLine } from './edition-view.ts';
import { type ExcerptLimits, excerptOf } from './excerpt.ts';
import { shorten } from './shorten.ts';

/** A dek is one sentence; one that is not must not fill the email. Graphemes. */
const DEK_LENGTH = 300;

/** The article's page has them all. */
const RELATED_LINES = 3;

export type Excerpts = keyof typeof EXCERPTS;

/** How much of a body each block shows; `short` where an edition would be too large otherwise (fit.ts). */
export const EXCERPTS = {
  whole: {
    /** One to two paragraphs, and a third where they are short. */
    lead: { paragraphs: 3, bytes: 1_600 },
    /** Most of a short-form story; the rest is a click away, and the roundup stays one sitting. */
    analysis: { paragraphs: 4, bytes: 2_000 },
    /** One to three sentences. */
    roundup: { paragraphs: 1, bytes: 900 },
  },
  short: {
    lead: { paragraphs: 2, bytes: 1_000 },
    analysis: { paragraphs: 2, bytes: 700 },
    roundup: { paragraphs: 1, bytes: 450 },
  },
} satisfies Record<string, Record<string, ExcerptLimits>>;

/** A story as a headline, with its dek for the blocks that show it. */
export function storyLine(article: Article, config: Config): StoryLine {
  return {
    articleId: article.id,
    kicker: article.kicker,
    headline: article.headline,
    url: articleUrl(article, config.publication.url),
    dek: article.dek === null ? null : shorten(article.dek, DEK_LENGTH),
    topic: article.topic,
    section: sectionTitle(config, article.section),
    publishedAt: article.publishedAt,
    ...languageOf(article, config),
  };
}

/** A story with its first paragraphs. */
export function storyView(article: Article, config: Config, limits: ExcerptLimits): Story {
  const { image, status } = article;
  const { paragraphs, more } = excerptOf(article.bodyHtml, limits);
  return {
    ...storyLine(article, config),
    image: image && {
      url: image.url,
      alt: image.alt,
      credit: image.credit && creditLine(image.credit),
      width: image.width,
      height: image.height,
    },
    paragraphs,
    more,
    bylines: [
      ...article.bylines.filter(({ role }) => role === 'reporter'),
      ...article.bylines.filter(({ role }) => role === 'editor'),
    ].map(({ role, name, email }) => ({ role, name, email })),
    related: article.related.slice(0, RELATED_LINES).map(({ title, url }) => ({ title, url })),
    fullStory: article.fullStory && { title: article.fullStory.title, url: article.fullStory.url },
    correction: status.state === 'corrected' ? { note: status.note, at: status.at } : null,
  };
}

/** A roundup item, as yet without the other outlets that reported its event. */
export function roundupEntry(article: Article, config: Config, limits: ExcerptLimits): RoundupEntry {
  return {
    ...storyLine(article, config),
    sentences: excerptOf(article.bodyHtml, limits).paragraphs[0] ?? null,
    outlet: article.source && { name: article.source.name, url: article.source.url },
    also: [],
  };
}

/**
 * The outlets that reported an event after the first, each once.
 * @param others the articles of the same event, in the order of their publication
 */
export function otherOutlets(first: Article, others: readonly Article[]): Outlet[] {
  const credited = new Set([first.source?.name]);
  const outlets: Outlet[] = [];
  for (const { source } of others) {
    if (source === null || credited.has(source.name)) continue;
    credited.add(source.name);
    outlets.push({ name: source.name, url: source.url });
  }
  return outlets;
}

/** The note of a corrected or retracted article. @throws Error where it has none */
export function correctionEntry(article: Article, config: Config): CorrectionEntry {
  const { status } = article;
  if (status.state !== 'corrected' && status.state !== 'retracted') {
    throw new Error(`${article.id} is ${status.state}: it has no note to show`);
  }
  return {
    articleId: article.id,
    kind: status.state === 'corrected' ? 'correction' : 'retraction',
    headline: fullHeadline(article),
    url: articleUrl(article, config.publication.url),
    note: status.note,
    at: status.at,
    ...languageOf(article, config),
  };
}

function languageOf({ language }: Article, config: Config): Pick<StoryLine, 'lang' | 'dir'> {
  return { lang: language === config.publication.language ? null : language, dir: textDirection(language) };
}
