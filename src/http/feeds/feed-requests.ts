/**
 * Tells the counter of readers how a request below /feeds/ was answered.
 */
import type { FeedAnswer, ReaderCounter } from '../../feeds/readers/reader-counts.ts';

const ANSWERS: Record<number, FeedAnswer> = { 200: 'full', 304: 'unchanged' };
const FEED = /\.(?:rss|atom|json)$/;

/**
 * Counts it where a feed was served; pages, OPML and errors are not counted.
 * @param path of a document that exists, below feeds/
 * @param status of the answer
 */
export function countFeedRequest(
  { readers }: { readers?: Pick<ReaderCounter, 'count'> | undefined },
  path: string,
  userAgent: string | undefined,
  status: number,
): void {
  const answer = ANSWERS[status];
  if (answer !== undefined && FEED.test(path)) readers?.count(path, userAgent, answer);
}
