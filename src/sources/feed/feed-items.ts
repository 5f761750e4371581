/** Maps the items of a feed with whole articles to source items. */
import { sha256 } from '../../lib/sha256.ts';
import { textOfHtml } from '../html-text.ts';
import type { SourceItem } from '../source-item.ts';
import { parseFeed } from './parse-feed.ts';
import type { ParsedFeed, ParsedItem } from './parsed-feed.ts';

export type FeedItems =
  | ({ kind: 'items'; items: SourceItem[] } & Pick<ParsedFeed, 'repaired' | 'problems' | 'deleted' | 'nextPage'>)
  | { kind: 'unreadable'; reason: string };

/** @param now epoch milliseconds: dates far ahead of it count as none */
export function readFeedItems(document: Parameters<typeof parseFeed>[0], now: number): FeedItems {
  const result = parseFeed(document, now);
  if (result.kind === 'unreadable') return result;
  const { feed } = result;
  const items = feed.items.flatMap((item) => toSourceItem(item, feed) ?? []);
  const isLeftOut = items.length < feed.items.length;
  const problems = isLeftOut ? ['an item has neither guid, link nor title, and was left out'] : [];
  const { repaired, deleted, nextPage } = feed;
  return { kind: 'items', items, repaired, deleted, nextPage, problems: [...feed.problems, ...problems] };
}

/** @returns null for an item that nothing identifies */
function toSourceItem(item: ParsedItem, { language }: ParsedFeed): SourceItem | null {
  const { id, link, title, summary, content, authors, categories, enclosures, publishedAt, updatedAt } = item;
  const identity = id ?? link ?? title;
  if (identity === null) return null;
  const url = link ?? (item.isPermaLink ? id : null);
  const html = content ?? summary;
  return {
    key: keyOf(identity),
    guid: id,
    url,
    slug: url === null ? null : slugOf(url),
    headline: title ?? '',
    // The description of a feed without whole articles is all that there is.
    dek: content === null || summary === null ? null : dekOf(summary),
    html,
    baseUrl: url,
    authors,
    categories: categories.map((name) => ({ name, slug: null })),
    tags: categories,
    // The largest one.
    image: item.images.toSorted((one, other) => (other.width ?? 0) - (one.width ?? 0))[0] ?? null,
    enclosures,
    publishedAt: publishedAt ?? updatedAt,
    updatedAt,
    language,
    isForMembers: false,
  };
}

/** What a plugin of WordPress adds to each summary: "The post TITLE appeared first on SITE." */
const LINK = '<a\\b[^<>]{1,3000}>[^<]{0,500}</a>';
const FOOTER = new RegExp(`The post ${LINK} (?:appeared first|first appeared) on\\s+${LINK}\\.?\\s*(?:</p>)?$`);

/** The text of a summary without the footer of a plugin; null if there is none. */
export function dekOf(summary: string): string | null {
  return textOfHtml(summary.replace(FOOTER, '')) || null;
}

/**
 * A hash of what identifies an item within its document: the key of an item that is new. An address counts without its
 * scheme and host, as in the path of a guid; see identity/entry-keys.ts.
 */
function keyOf(identity: string): string {
  const withoutHost = identity.replace(/^https?:\/\/[^/?#]*/i, '');
  return sha256(withoutHost).slice(0, 32);
}

/** The last part of the path, without an extension. */
function slugOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const last = new URL(url).pathname.split('/').findLast((part) => part !== '' && !/^index\.\w+$/i.test(part));
  if (last === undefined) return null;
  try {
    return decodeURIComponent(last).replace(/\.[a-z]{2,5}$/i, '');
  } catch {
    return null;
  }
}
