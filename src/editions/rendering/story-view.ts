/** Converts an article to the views of an edition: a line, a story with text, a roundup item, a correction. */
import { type Article, articleUrl, creditLine, type Image } from '../../articles/article.ts';
import { mailImageUrl, thumbnailUrl } from '../../articles/pictures/renditions.ts';
import { type Config, sectionTitle } from '../../core/config/config.ts';
import { isolate, textDirection } from '../../lib/locale/direction.ts';
import type { Locale } from '../../lib/locale/locale.ts';
import { shorten } from '../../lib/text/shorten.ts';
import type { Correction, NewsLine, RoundupItem, Story, StoryLine } from './edition-view.ts';
import { buildExcerpt, type ExcerptLimits } from './excerpt.ts';

/** Graphemes. A dek is one sentence; a longer one must not fill the email. */
const DEK_LENGTH = 300;

/** The article's page lists all of them. */
const RELATED_LINES = 3;

export type ExcerptLength = keyof typeof EXCERPT_LIMITS;

/** Length of the excerpts in each block; `short` for an edition that would otherwise be too large (size-limit.ts). */
export const EXCERPT_LIMITS = {
  full: {
    /** One or two paragraphs, or three short ones. */
    lead: { paragraphs: 3, bytes: 1_600 },
    /** Most of a short story: the roundup should be readable in one go. */
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

export function toStoryLine(article: Article, config: Config, locale: Locale): StoryLine {
  return {
    articleId: article.id,
    kicker: article.kicker,
    headline: article.headline,
    url: articleUrl(article, config.publication.url),
    dek: article.dek === null ? null : shorten(article.dek, DEK_LENGTH),
    topic: article.topic,
    section: sectionTitle(config, article.section),
    publishedAt: article.publishedAt,
    ...languageOf(article, locale),
  };
}

/** A line of the news block. @param hasThumbnail whether the newsletter shows small pictures */
export function toNewsLine(article: Article, config: Config, locale: Locale, hasThumbnail: boolean): NewsLine {
  const { image } = article;
  const thumbnail = !hasThumbnail || image === null ? null : thumbnailOf(image, config);
  return { ...toStoryLine(article, config, locale), thumbnail };
}

/** Pixels of the longer side. */
const THUMBNAIL_SIZE = 96;

function thumbnailOf({ url, width, height }: Image, config: Config): NewsLine['thumbnail'] {
  const source = thumbnailUrl(url, config);
  if (width === null || height === null) return { url: source, width: THUMBNAIL_SIZE, height: null };
  const scale = THUMBNAIL_SIZE / Math.max(width, height);
  const pixels = (length: number): number => Math.max(1, Math.round(length * scale));
  return { url: source, width: pixels(width), height: pixels(height) };
}

export function toStory(article: Article, config: Config, locale: Locale, limits: ExcerptLimits): Story {
  const { image, status } = article;
  const { paragraphs, more } = buildExcerpt(article.bodyHtml, limits);
  return {
    ...toStoryLine(article, config, locale),
    image: image && {
      url: mailImageUrl(image.url, config),
      alt: image.alt,
      credit: image.credit && creditLine(image.credit, locale),
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

/** A roundup item; the caller adds the other outlets that reported its event. */
export function toRoundupItem(article: Article, config: Config, locale: Locale, limits: ExcerptLimits): RoundupItem {
  const line = toStoryLine(article, config, locale);
  const { paragraphs, more } = buildExcerpt(article.bodyHtml, limits);
  return {
    ...line,
    sentences: paragraphs[0] ?? null,
    more,
    headlineUrl: article.outlet?.url ?? line.url,
    outlet: article.outlet && {
      name: article.outlet.name,
      url: article.outlet.url,
      publishedAt: article.outlet.publishedAt,
    },
    also: [],
  };
}

/** The note of a corrected or retracted article. @throws Error if it has none */
export function toCorrection(article: Article, config: Config, locale: Locale): Correction {
  const { status } = article;
  if (status.state !== 'corrected' && status.state !== 'retracted') {
    throw new Error(`${article.id} is ${status.state}: it has no note to show`);
  }
  return {
    articleId: article.id,
    kind: status.state === 'corrected' ? 'correction' : 'retraction',
    headline: headlineWithKicker(article, locale),
    url: articleUrl(article, config.publication.url),
    note: status.note,
    at: status.at,
    ...languageOf(article, locale),
  };
}

/** `Kicker: Headline`, with the punctuation of the edition's language. */
export function headlineWithKicker({ kicker, headline }: Pick<Article, 'kicker' | 'headline'>, locale: Locale): string {
  return kicker === null ? isolate(headline, locale.dir) : locale.text('edition.kicker', { kicker, headline });
}

function languageOf({ language }: Article, locale: Locale): Pick<StoryLine, 'lang' | 'dir'> {
  // Looking up a direction takes 10 µs.
  if (language === locale.language) return { lang: null, dir: locale.dir };
  return { lang: language, dir: textDirection(language) };
}
