/** The article, as the store holds it. */
import type { KINDS } from '../core/config/config.ts';
import type { Locale } from '../lib/locale/locale.ts';
import type { SourceEnclosure, SourceImage } from '../sources/source-item.ts';

export type Kind = (typeof KINDS)[number];

/** `at` and `until` are epoch milliseconds. */
export type ArticleStatus =
  | { state: 'draft' }
  /** Embargoed: public from `until` on, without another import. */
  | { state: 'scheduled'; until: number }
  | { state: 'published' }
  | { state: 'corrected'; note: string; at: number }
  | { state: 'retracted'; note: string; at: number };

export interface Byline {
  role: 'reporter' | 'editor';
  name: string;
  email: string | null;
}

export interface Link {
  url: string;
  title: string;
}

export interface Outlet {
  name: string;
  /** Its report; null for an outlet without a link. */
  url: string | null;
}

export interface FirstOutlet extends Outlet {
  /** When it published its report, by its own account; null if that is not known. */
  publishedAt: number | null;
}

/** Its type and length are null while they are not known. */
export interface Image extends SourceImage {
  alt: string;
  /** It is on another server, and was written without type or length: they are looked up there, not edited. */
  isLookedUp?: true;
}

export interface Enclosure extends SourceEnclosure {
  type: string;
  /** Bytes; 0 where the feed that it came from does not say. */
  length: number;
}

/** Text holds no character that XML 1.0 or PostgreSQL cannot hold; URLs are absolute http or https. */
export interface Article {
  id: string;
  /** RFC 4151. Made once, from the id and the publication's tag authority; no edit changes it. */
  tagUri: string;
  slug: string;
  /** Its canonical address on another site; null where its page on this one is. */
  url: string | null;
  kind: Kind;
  kicker: string | null;
  topic: string | null;
  /** Plain text, without the kicker. */
  headline: string;
  shortHeadline: string | null;
  /** Leads the next edition, and enters it regardless of its age. */
  pinned: boolean;
  /** Plain text, one sentence. */
  dek: string | null;
  body: { format: 'markdown' | 'html'; source: string };
  /** The sanitised body, with absolute URLs. */
  bodyHtml: string;
  /** Not before the end of an embargo. Does not move once the article is public. */
  publishedAt: number;
  /** Moves only with an editorial change. */
  updatedAt: number;
  /** A section id of the config. */
  section: string | null;
  tags: string[];
  bylines: Byline[];
  fullStory: Link | null;
  related: Link[];
  /** The publication that first reported a roundup item. */
  outlet: FirstOutlet | null;
  /** Other outlets that reported the event of a roundup item; at most `MAX_ALSO`. */
  also: Outlet[];
  /** A rule of the configuration let the roundup item in, not an editor: for newsletters with such a rule alone. */
  isByRule?: true;
  /** Nobody wrote its date: it is that of its import or first poll. The next date that is written replaces it. */
  isDateInvented?: true;
  /** Roundup items about the same event have the same key. */
  eventKey: string | null;
  image: Image | null;
  enclosures: Enclosure[];
  /** BCP 47. */
  language: string;
  status: ArticleStatus;
  /** Site path of its page: of the archive page for the roundup of a closed edition; null for `/articles/<slug>`. */
  page: string | null;
}

/** Outlets below one roundup item: more would be a list of names that nobody reads. */
export const MAX_ALSO = 20;

/** Whether the article is public at `now`. */
export function isPublic(article: Article, now: number): boolean {
  const { state } = article.status;
  return state !== 'draft' && state !== 'retracted' && article.publishedAt <= now;
}

/** `Kicker: Headline`, with the colon of the article's language. */
export function fullHeadline(article: Pick<Article, 'kicker' | 'headline' | 'language'>): string {
  return article.kicker === null ? article.headline : article.kicker + kickerColon(article) + article.headline;
}

/** Full width in Chinese and Japanese, between blanks in French. */
export function kickerColon({ language }: Pick<Article, 'language'>): string {
  if (/^(?:zh|ja)\b/i.test(language)) return '：';
  return /^fr\b/i.test(language) ? '\u00a0: ' : ': ';
}

/** The credit below an image: `VCG` becomes `Photo: VCG`; `Graphic: Ann Lee` stays. */
export function creditLine(credit: string, locale: Locale): string {
  const [word = ''] = locale.text('edition.photo', { name: '' }).match(/\p{L}+/u) ?? [];
  const isLabelled = /^photo\b|[:：]/i.test(credit) || credit.toLowerCase().startsWith(`${word.toLowerCase()} `);
  return isLabelled ? credit : locale.text('edition.photo', { name: credit });
}

/** The canonical URL of the article, to which feeds and emails link. @param publicUrl without a trailing slash */
export function articleUrl(article: Pick<Article, 'url' | 'slug' | 'page'>, publicUrl: string): string {
  return article.url ?? articlePageUrl(article, publicUrl);
}

/** The URL of the article's page on this site. @param publicUrl without a trailing slash */
export function articlePageUrl(article: Pick<Article, 'slug' | 'page'>, publicUrl: string): string {
  return publicUrl + (article.page ?? `/articles/${encodeURIComponent(article.slug)}`);
}

/** `tag:example.com,2026:articles/ID` (RFC 4151 §2.1). @param authority such as `example.com,2026` */
export function tagUri(authority: string, id: string): string {
  return `tag:${authority}:articles/${id}`;
}

/** The note of an article that was retracted after it was public; otherwise null. */
export function retractionOf(article: Article, now: number): { note: string; at: number } | null {
  const { status, publishedAt } = article;
  return status.state === 'retracted' && publishedAt <= status.at && publishedAt <= now
    ? { note: status.note, at: status.at }
    : null;
}
