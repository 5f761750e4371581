/**
 * The article: what a newsroom publishes, as it stands in the store.
 */

import type { KINDS } from '../config/config.ts';

export type Kind = (typeof KINDS)[number];

/** What the newsroom says of an article's standing. `at` and `until` are epoch milliseconds. */
export type ArticleStatus =
  | { state: 'draft' }
  /** Embargoed: public from `until` on, with nothing more to do. */
  | { state: 'scheduled'; until: number }
  | { state: 'published' }
  | { state: 'corrected'; note: string; at: number }
  | { state: 'retracted'; note: string; at: number };

export interface Byline {
  role: 'reporter' | 'editor';
  name: string;
  email: string | null;
}

/** A link with the words that stand for it. */
export interface Link {
  url: string;
  title: string;
}

export interface Image {
  url: string;
  alt: string;
  credit: string | null;
  /** MIME type, such as `image/jpeg`. */
  type: string;
  /** Size in bytes. */
  length: number;
  /** Pixels. */
  width: number | null;
  height: number | null;
}

export interface Enclosure {
  url: string;
  type: string;
  /** Size in bytes. */
  length: number;
  title: string | null;
}

/** All text is clean of what XML 1.0 and PostgreSQL cannot hold; all URLs are absolute http or https. */
export interface Article {
  id: string;
  /** RFC 4151. Made once from the id and the publication's tag authority; no edit changes it. */
  tagUri: string;
  slug: string;
  kind: Kind;
  kicker: string | null;
  topic: string | null;
  /** Plain text, without the kicker. */
  headline: string;
  shortHeadline: string | null;
  /** Leads the next edition, and enters it whatever its age. */
  pinned: boolean;
  /** Plain text, one sentence. */
  dek: string | null;
  body: { format: 'markdown' | 'html'; source: string };
  /** The sanitised body, with absolute URLs. */
  bodyHtml: string;
  /** For an embargoed article no earlier than the end of its embargo. Never moves once the article is public. */
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
  outlet: { name: string; url: string } | null;
  /** Roundup items of the same event carry the same key. */
  eventKey: string | null;
  image: Image | null;
  enclosures: Enclosure[];
  /** BCP 47. */
  language: string;
  status: ArticleStatus;
  /** The site path of the page that holds it, where that is not `/articles/<slug>`: a closed edition's archive page. */
  page: string | null;
}

/** Whether readers may see the article at `now`. */
export function isPublic(article: Article, now: number): boolean {
  const { state } = article.status;
  return state !== 'draft' && state !== 'retracted' && article.publishedAt <= now;
}

/** The headline as readers see it: `Kicker: Headline`. */
export function fullHeadline(article: Pick<Article, 'kicker' | 'headline'>): string {
  return article.kicker === null ? article.headline : `${article.kicker}: ${article.headline}`;
}

/** The credit under a picture: `VCG` becomes `Photo: VCG`; `Graphic: Ann Lee` says itself what it is. */
export function creditLine(credit: string): string {
  return /^photo\b|:/i.test(credit) ? credit : `Photo: ${credit}`;
}

/** The absolute address of the article's page. @param publicUrl without a slash at its end */
export function articleUrl(article: Pick<Article, 'slug' | 'page'>, publicUrl: string): string {
  return publicUrl + (article.page ?? `/articles/${encodeURIComponent(article.slug)}`);
}

/** `tag:example.com,2026:articles/ID` (RFC 4151 §2.1). @param authority such as `example.com,2026` */
export function tagUri(authority: string, id: string): string {
  return `tag:${authority}:articles/${id}`;
}

const RIGHT_TO_LEFT_SCRIPTS = ['Adlm', 'Arab', 'Hebr', 'Nkoo', 'Rohg', 'Syrc', 'Thaa'];

/** Which way a language is written: `rtl` for Arabic, Hebrew and the like. @param language BCP 47 */
export function textDirection(language: string): 'ltr' | 'rtl' {
  try {
    return RIGHT_TO_LEFT_SCRIPTS.includes(new Intl.Locale(language).maximize().script ?? '') ? 'rtl' : 'ltr';
  } catch {
    return 'ltr';
  }
}
