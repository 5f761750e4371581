/**
 * Tells an edit from a repetition.
 */
import { createHash } from 'node:crypto';
import type { Article } from '../article.ts';

/**
 * SHA-256, in hex, of what an editor wrote. It leaves out what daywire itself decides (when it was updated, when a note was first
 * seen, the sanitised form of the body), and the publication's own address, so that neither a better sanitiser nor a move to
 * another domain counts as an edit.
 * @param publicUrl without a slash at its end
 */
export function articleDigest(article: Omit<Article, 'updatedAt' | 'tagUri' | 'bodyHtml'>, publicUrl: string): string {
  const { status, image } = article;
  const local = (url: string): string => (url.startsWith(`${publicUrl}/`) ? url.slice(publicUrl.length) : url);
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
    article.outlet && [article.outlet.name, local(article.outlet.url)],
    article.eventKey,
    image && [local(image.url), image.alt, image.credit, image.type, image.length, image.width, image.height],
    article.enclosures.map(({ url, type, length, title }) => [local(url), type, length, title]),
    article.language,
    [status.state, 'note' in status ? status.note : null, 'until' in status ? status.until : null],
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
