/** Whether a document is a feed, and what is in it. It runs in a thread. */
import { parseFeed } from './feed/parse-feed.ts';

export interface FeedInspection {
  title: string | null;
  items: number;
  /** Whether at least one item has its whole text. */
  hasWholeArticles: boolean;
}

/** @returns null for a document that is no feed */
export function inspectFeed({
  document,
  now,
}: {
  document: Parameters<typeof parseFeed>[0];
  now: number;
}): FeedInspection | null {
  const result = parseFeed(document, now);
  if (result.kind === 'unreadable') return null;
  const { title, items } = result.feed;
  return { title, items: items.length, hasWholeArticles: items.some(({ content }) => content !== null) };
}
