/** An article as page templates show it: lines composed, URLs checked. */
import { sectionTitle } from '../../core/config/config.ts';
import { textDirection } from '../../lib/locale/direction.ts';
import type { Locale } from '../../lib/locale/locale.ts';
import { cleanUrl } from '../../lib/text/clean-text.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import { shorten } from '../../lib/text/shorten.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import {
  type Article,
  creditLine,
  type FirstOutlet,
  type Image,
  kickerColon,
  type Link,
  type Outlet,
} from '../article.ts';
import { articleLink, signedBy, urlElsewhere } from '../article-link.ts';
import { beginningOfText } from '../beginning.ts';
import { contactLine } from '../contact-line.ts';
import { otherOutlets } from '../outlets.ts';
import { type PageImage, pageImage, THUMBNAIL_WIDTH, thumbnailUrl, withRenditions } from '../pictures/renditions.ts';
import { isWide } from './page-body.ts';

export interface StoryView {
  /** Path of its page on this site, or its address elsewhere. */
  path: string;
  /** Its address on another site, or null. */
  url: string | null;
  language: string;
  dir: 'ltr' | 'rtl';
  kicker: string | null;
  /** Between kicker and headline. */
  colon: string;
  headline: string;
  dek: string | null;
  /** Sanitised. */
  bodyHtml: string;
  publishedAt: number;
  /** Null if it did not change after it was published. */
  updatedAt: number | null;
  /** The reporters, or else all who are named. */
  by: string[];
  /** The same as HTML, linked to the pages of reporters. */
  byLinks: string[];
  section: { id: string; title: string } | null;
  /** `srcset`: its versions, from which browsers choose; null if it has only one. `thumbnail`: the smallest of all. */
  image:
    | (PageImage & Pick<Image, 'alt' | 'credit' | 'width' | 'height'> & { thumbnail: string; isWide: boolean })
    | null;
  fullStory: Link | null;
  related: Link[];
  outlet: FirstOutlet | null;
  /** Other outlets that reported the same event, each once. */
  also: Outlet[];
  /** The addresses of reporters and editors, as HTML. */
  contact: string | null;
  enclosures: { url: string; title: string; type: string; size: string }[];
  tags: string[];
  correction: { note: string; at: number } | null;
  isRoundup: boolean;
}

/** @param place on its own page, a picture that may be animated is the original */
export function storyView(article: Article, web: WebContext, place: 'list' | 'page' = 'list'): StoryView {
  const { status } = article;
  const title = sectionTitle(web.config, article.section);
  const signers = signedBy(article);
  return {
    path: articleLink(article, web),
    url: urlElsewhere(article, web),
    language: article.language,
    dir: textDirection(article.language),
    kicker: article.kicker,
    colon: kickerColon(article),
    headline: article.headline,
    dek: article.dek,
    bodyHtml: withRenditions(article.bodyHtml, web.config, place === 'list'),
    publishedAt: article.publishedAt,
    updatedAt: article.updatedAt > article.publishedAt ? article.updatedAt : null,
    by: signers.map(({ name }) => name),
    byLinks: signers.map(({ name, path }) => {
      const text = web.locale.value(name);
      return path === null ? text : `<a href="${escapeHtml(web.base + path)}">${text}</a>`;
    }),
    section: article.section === null || title === null ? null : { id: article.section, title },
    image: imageView(article, web, place === 'list'),
    fullStory: safeLink(article.fullStory),
    related: article.related.flatMap((link) => safeLink(link) ?? []),
    outlet: article.outlet && { ...article.outlet, url: cleanUrl(article.outlet.url ?? '') },
    also: otherOutlets([article]).map(({ name, url }) => ({ name, url: cleanUrl(url ?? '') })),
    contact: contactLine(article.bylines, web.locale),
    enclosures: article.enclosures.flatMap((enclosure) => {
      const url = cleanUrl(enclosure.url);
      if (url === null) return [];
      const title = enclosure.title ?? decodeName(url);
      return [{ url, title, type: enclosure.type, size: fileSize(enclosure.length, web.locale) }];
    }),
    tags: article.tags,
    correction: status.state === 'corrected' ? { note: status.note, at: status.at } : null,
    isRoundup: article.kind === 'roundup',
  };
}

/** Pictures of the site itself by their paths: shorter, and right under each name of the host. */
function imageView({ image }: Article, { config, base, locale }: WebContext, isStill: boolean): StoryView['image'] {
  const url = image === null ? null : cleanUrl(image.url);
  if (image === null || url === null) return null;
  const { width, height, alt, credit } = image;
  const own = (addresses: string): string => addresses.replaceAll(`${config.publication.url}/media/`, `${base}/media/`);
  const shown = pageImage({ url, width }, config, isStill);
  return {
    ...{ url: own(shown.url), srcset: shown.srcset && own(shown.srcset), width, height, alt, isWide: isWide(image) },
    thumbnail: own(`${thumbnailUrl(url, config)} ${THUMBNAIL_WIDTH}w`),
    credit: credit && creditLine(credit, locale),
  };
}

/**
 * The story with the headings of its body below a headline of that level, for pages of several stories. Sanitised
 * headings are `h2` to `h4` and have no attributes.
 */
export function withLowerHeadings(story: StoryView, level: 2 | 3): StoryView {
  const lower = (_: string, tag: string, own: string): string => `${tag}${Number(own) + level - 1}>`;
  const bodyHtml = story.bodyHtml.replace(/(<\/?h)([2-4])>/g, lower);
  return { ...story, bodyHtml };
}

/** Plain text for a page's description: the dek, or the beginning of the body up to the end of a word. */
export function summaryOf(article: Article): string {
  if (article.dek !== null) return article.dek;
  return shorten(beginningOfText(article.bodyHtml, 200), 200);
}

function safeLink(link: Link | null): Link | null {
  if (link === null) return null;
  const url = cleanUrl(link.url);
  return url === null ? null : { url, title: link.title };
}

function decodeName(url: string): string {
  const name = new URL(url).pathname.split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(name) || url;
  } catch {
    return name;
  }
}

/** Empty for an unknown size. */
function fileSize(bytes: number, locale: Locale): string {
  if (bytes === 0) return '';
  if (bytes < 1_000) return locale.text('article.bytes', { size: bytes });
  if (bytes < 1_000_000) return locale.text('article.kilobytes', { size: Math.round(bytes / 1_000) });
  return locale.text('article.megabytes', { size: bytes / 1_000_000 });
}
