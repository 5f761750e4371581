/** A digest of an article's editorial content, which tells an edit from a repeated import. */
import { hash } from 'node:crypto';
import { withoutTracking } from '../../sources/canonical-link.ts';
import type { Article, Image, Outlet } from '../article.ts';

/**
 * SHA-256, in hex, of what an editor wrote. It excludes what daywire decides (the time of the update, the time of a
 * note, the sanitised body) and the publication's own URL: neither a new version of the sanitiser nor a move to another
 * domain counts as an edit. Nor does what was looked up of an image on another server, or who let a roundup item in.
 * @param publicUrl without a trailing slash
 */
export function articleDigest(article: DigestedArticle, publicUrl: string): string {
  return hash('sha256', contentOf(article, publicUrl));
}

type DigestedArticle = Omit<Article, 'updatedAt' | 'tagUri' | 'bodyHtml'>;

/**
 * Whether two versions of an article say the same, at another address, on another host with all that is there, or with
 * other tracking parameters. None of these is an edit.
 * @param publicUrl without a trailing slash
 */
export function saysTheSame(one: DigestedArticle, other: DigestedArticle, publicUrl: string): boolean {
  const [first, second] = [one, other].map((article) => {
    const host = article.url === null ? null : new URL(article.url).host.replace(/^www\./, '');
    const content = contentOf({ ...article, url: null }, publicUrl).replaceAll('&amp;', '&');
    return content.replace(ADDRESS, (address) => {
      const [, itsHost, rest] = /^https?:\/\/(?:www\.)?([^/?#]*)(.*)$/s.exec(address) ?? [];
      return withoutTracking(itsHost === host ? (rest ?? '') : address);
    });
  });
  return first === second;
}

/** In JSON. A text without spaces may follow the query. */
const ADDRESS = /https?:\/\/[^\s"'<>\\()?]+(?:\?[^\s"'<>\\()\P{ASCII}]*)?/gu;

function contentOf(article: DigestedArticle, publicUrl: string): string {
  const { status, image } = article;
  const local = (url: string): string => (url.startsWith(`${publicUrl}/`) ? url.slice(publicUrl.length) : url);
  const credit = ({ name, url }: Outlet): (string | null)[] => [name, url === null ? null : local(url)];
  const link = ({ url, title }: { url: string; title: string }): string[] => [local(url), title];
  const content = [
    article.id,
    article.slug,
    article.kind,
    article.kicker,
    article.topic,
    article.headline,
    article.shortHeadline,
    article.pinned,
    article.dek,
    [article.body.format, article.body.source],
    article.publishedAt,
    article.section,
    article.tags,
    article.bylines.map(({ role, name, email }) => [role, name, email]),
    article.fullStory && link(article.fullStory),
    article.related.map(link),
    article.outlet && [
      ...credit(article.outlet),
      ...(article.outlet.publishedAt === null ? [] : [article.outlet.publishedAt]),
    ],
    article.eventKey,
    image && [local(image.url), image.alt, image.credit, ...(image.isLookedUp ? [] : factsOf(image))],
    article.enclosures.map(({ url, type, length, title, duration = [] }) => {
      return [local(url), type, length, title, duration].flat();
    }),
    article.language,
    [status.state, 'note' in status ? status.note : null, 'until' in status ? status.until : null],
    // Left out where there is none: the digests of earlier versions stay the same.
    ...(article.url === null ? [] : [{ url: local(article.url) }]),
    ...(article.also.length === 0 ? [] : [{ also: article.also.map(credit) }]),
  ];
  return JSON.stringify(content);
}

function factsOf({ type, length, width, height }: Image): (string | number | null)[] {
  return [type, length, width, height];
}
