import { expect } from 'vitest';
import { parseFeed } from '../../../src/sources/feed/parse-feed.ts';
import type { ParsedFeed, ParsedItem } from '../../../src/sources/feed/parsed-feed.ts';

export const NOW = Date.parse('2026-11-27T08:00:00Z');
export const FEED_URL = 'https://news.example.com/feeds/all.xml';

interface Options {
  contentType?: string;
  url?: string;
}

/** The feed in a document, which must be one. */
export function readFeed(document: string | Uint8Array, { contentType, url = FEED_URL }: Options = {}): ParsedFeed {
  const bytes = typeof document === 'string' ? Buffer.from(document) : document;
  const result = parseFeed({ bytes, contentType: contentType ?? null, url }, NOW);
  expect(result.kind === 'unreadable' ? result.reason : 'a feed').toBe('a feed');
  return (result as Extract<typeof result, { kind: 'feed' }>).feed;
}

/** The only item of a feed. */
export function readItem(document: string | Uint8Array, options?: Options): ParsedItem {
  const { items } = readFeed(document, options);
  expect(items).toHaveLength(1);
  return items[0] as ParsedItem;
}

/** An RSS 2.0 feed with one item. */
export function rssItem(content: string, attributes = ''): string {
  return `<rss version="2.0"${attributes}><channel><title>Times</title><item>${content}</item></channel></rss>`;
}

/** An Atom 1.0 feed with one entry. */
export function atomEntry(content: string, attributes = ''): string {
  return `<feed xmlns="http://www.w3.org/2005/Atom"${attributes}><title>Times</title><entry>${content}</entry></feed>`;
}
