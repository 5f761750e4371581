/** Turns articles into items: what all formats carry, cleaned and checked, so that the formats only write it. */
import { type Article, articleUrl, fullHeadline } from '../../articles/article.ts';
import { beginningOfText } from '../../articles/beginning.ts';
import { type MediaConfig, THUMBNAIL_WIDTH, thumbnailUrl } from '../../articles/pictures/renditions.ts';
import { type Config, sectionTitle } from '../../core/config/config.ts';
import { isolate, textDirection } from '../../lib/locale/direction.ts';
import type { Locale } from '../../lib/locale/locale.ts';
import { LANGUAGE_RULE, parseLanguageTag } from '../../lib/names/language-tag.ts';
import { cleanLine, cleanText } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import type { SourceEnclosure } from '../../sources/source-item.ts';
import type { FeedItem, FeedMedia, Tombstone } from './feed-view.ts';
import { itemBody } from './item-body.ts';
import { strictUrl } from './markup.ts';

export type ItemResult = { kind: 'item'; item: FeedItem } | { kind: 'invalid'; problems: string[] };

/** An article that cannot be an item. */
export interface FailedArticle {
  article: Pick<Article, 'id'>;
  problems: string[];
}

/** @param locale of the feed */
export function toItems(
  articles: Article[],
  config: ItemConfig,
  locale: Locale,
): { items: FeedItem[]; failed: FailedArticle[] } {
  const items: FeedItem[] = [];
  const failed: FailedArticle[] = [];
  for (const article of articles) {
    const result = toItem(article, config, locale);
    if (result.kind === 'item') items.push(result.item);
    else failed.push({ article, problems: result.problems });
  }
  return { items, failed };
}

/** What an item depends on, apart from its article. */
export type ItemConfig = Pick<Config, 'publication' | 'sections'> & MediaConfig;

export function toItem(article: Article, config: ItemConfig, locale: Locale): ItemResult {
  try {
    const problems: string[] = [];
    const item = checkedItem(article, config, locale, problems);
    return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'item', item };
  } catch (error) {
    // A document of an unknown shape: the feed is published without it.
    return { kind: 'invalid', problems: [`the article cannot be read as an item: ${(error as Error).message}`] };
  }
}

// RFC 4151 §2.1, with the characters that RFC 3986 allows in a path and query.
const TAG_URI =
  /^tag:[a-z0-9][a-z0-9.-]*,\d{4}(?:-\d\d(?:-\d\d)?)?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})+$/;
const MIME_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/i;
// Addresses that both Atom's schema (RFC 4287 §3.2.3) and the W3C validator accept; the contact line has any.
const EMAIL = /^[A-Za-z0-9_.+'-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z0-9][A-Za-z0-9-]*$/;

/** Whether it is a tag: URI (RFC 4151) that all formats can carry unescaped. */
export function isTagUri(text: string): boolean {
  return TAG_URI.test(text);
}

function checkedItem(article: Article, config: ItemConfig, locale: Locale, problems: string[]): FeedItem {
  const { publication } = config;
  const known = parseLanguageTag(article.language);
  if (known === null) problems.push(`language is "${article.language}": it ${LANGUAGE_RULE}`);
  const language = known ?? publication.language;
  if (!isTagUri(article.tagUri)) problems.push(`the tag URI "${article.tagUri}" is not one by RFC 4151`);
  const url = strictUrl(articleUrl(article, publication.url));
  if (url === null) problems.push('the address of its page is not an absolute http or https address');
  const publishedAt = instant(article.publishedAt, 'published', problems);
  const updatedAt = Math.max(instant(article.updatedAt, 'updated', problems), publishedAt);
  const title = cleanLine(fullHeadline(article));
  if (cleanLine(article.headline) === '') problems.push('the headline is empty');
  const image =
    article.image === null
      ? null
      : checkedMedia({ ...article.image, title: null, description: article.image.alt }, 'the image', problems);
  const enclosures = article.enclosures.map((enclosure) =>
    checkedMedia(
      { ...enclosure, credit: null, description: null, width: null, height: null },
      'an enclosure',
      problems,
    ),
  );
  const section = sectionTitle(config, article.section);
  const people = article.bylines.flatMap(({ role, name, email }) => {
    const clean = cleanLine(name);
    return clean === '' ? [] : [{ role, name: clean, email: email !== null && EMAIL.test(email) ? email : null }];
  });
  const reporters = people.filter(({ role }) => role === 'reporter');
  const authors = reporters.length > 0 ? reporters : [{ name: cleanLine(publication.name), email: null }];
  return {
    id: article.tagUri,
    url: url ?? '',
    // A list of items has one direction.
    title: textDirection(language) === locale.dir ? title : isolate(title, locale.dir),
    summary: summaryOf(article),
    html: cleanText(itemBody(article, image, language, locale)),
    publishedAt,
    updatedAt,
    language,
    report: reportOf(article),
    categories: [...new Set([...(section === null ? [] : [section]), ...article.tags].map(cleanLine))].filter(Boolean),
    authors,
    // Readers show one dc:creator of several.
    byline: locale.list(
      authors.map(({ name }) => name),
      'plain',
    ),
    editors: people.filter(({ role }) => role === 'editor'),
    image,
    thumbnail: image === null ? null : thumbnailOf(image, config),
    media: image === null ? enclosures : [image, ...enclosures],
  };
}

function reportOf({ outlet }: Article): FeedItem['report'] {
  if (outlet === null) return null;
  const [url, name] = [strictUrl(outlet.url ?? ''), cleanLine(outlet.name)];
  return url === null || name === '' ? null : { url, outlet: name };
}

/** Null for a picture on another server, and for SVG. */
function thumbnailOf({ url, width }: FeedMedia, config: ItemConfig): FeedItem['thumbnail'] {
  const small = thumbnailUrl(url, config);
  return small === url ? null : { url: small, width: Math.min(width ?? THUMBNAIL_WIDTH, THUMBNAIL_WIDTH) };
}

type GivenMedia = Omit<FeedMedia, 'medium' | 'duration'> & Pick<SourceEnclosure, 'duration'>;

function checkedMedia(media: GivenMedia, what: string, problems: string[]): FeedMedia {
  const url = strictUrl(media.url);
  if (url === null)
    problems.push(`${what} has the address "${media.url}": it must be an absolute http or https address`);
  if (media.type !== null && !MIME_TYPE.test(media.type))
    problems.push(`${what} has the type "${media.type}": it must be a MIME type such as image/jpeg`);
  if (media.length !== null && (!Number.isSafeInteger(media.length) || media.length < 0)) {
    problems.push(`${what} has the length ${media.length}: it must be its size in bytes`);
  }
  return {
    url: url ?? '',
    type: media.type,
    length: media.length,
    medium: media.type === null ? 'image' : mediumOf(media.type),
    width: positive(media.width),
    height: positive(media.height),
    duration: positive(media.duration ?? null),
    title: lineOrNull(media.title),
    credit: lineOrNull(media.credit),
    description: lineOrNull(media.description),
  };
}

function mediumOf(type: string): FeedMedia['medium'] {
  const kind = type.split('/', 1)[0];
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'document';
}

function positive(number: number | null): number | null {
  return number !== null && Number.isSafeInteger(number) && number > 0 ? number : null;
}

function lineOrNull(text: string | null): string | null {
  return text === null ? null : cleanLine(text) || null;
}

function instant(value: number, name: string, problems: string[]): number {
  // RFC 3339 and RFC 822 have years of four digits.
  if (Number.isSafeInteger(value) && value >= 0 && value < Date.UTC(10_000, 0)) return value;
  problems.push(`${name} is ${value}: it must be an instant between 1970 and 9999`);
  return 0;
}

const SUMMARY_LENGTH = 280;

/** RSS requires a description before content:encoded (RSS profile): without a dek, the beginning of the body. */
function summaryOf(article: Article): string {
  const dek = cleanLine(article.dek ?? '');
  if (dek !== '') return dek;
  const text = beginningOfText(article.bodyHtml, SUMMARY_LENGTH);
  if (text === '') return cleanLine(article.headline);
  return shorten(text, SUMMARY_LENGTH);
}

/** Bytes of tombstones: a quarter of a document. With usual notes, more than 600. */
const MAX_TOMBSTONE_BYTES = 250_000;
/** Bytes of the elements of a tombstone, rounded up. */
const TOMBSTONE_OVERHEAD = 250;

/** The tombstones of the retracted articles, the newest as far as they fit. @param feedLanguage BCP 47 */
export function tombstonesOf(articles: Article[], feedLanguage: string): Tombstone[] {
  let left = MAX_TOMBSTONE_BYTES;
  return articles.flatMap(({ tagUri, status, language }) => {
    if (status.state !== 'retracted' || !isTagUri(tagUri)) return [];
    const note = cleanLine(status.note);
    left -= tagUri.length + Buffer.byteLength(note) + TOMBSTONE_OVERHEAD;
    if (left < 0) return [];
    return [{ id: tagUri, retractedAt: status.at, note, language: parseLanguageTag(language) ?? feedLanguage }];
  });
}
