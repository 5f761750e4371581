/**
 * The articles that a feed went out without, for `status` to name. A feed's list is rewritten with each publish, so that an
 * article that is good again, or has left the feed, is forgotten.
 */
import type { Article } from '../articles/article.ts';
import { clearRejection, recordRejection } from '../articles/rejections.ts';
import type { Db } from '../store/store.ts';

export interface FailedItem {
  article: Article;
  problems: string[];
}

/** @param db a transaction */
export async function recordFailedItems(db: Db, feed: string, failed: FailedItem[], now: number): Promise<void> {
  const source = `feeds/${feed}`;
  const known = await db
    .selectFrom('rejections')
    .select(['article_id', 'problems'])
    .where('stage', '=', 'feed')
    .where('source', '=', source)
    .execute();
  const before = new Map(known.map((row) => [row.article_id, row.problems]));
  for (const { article, problems } of failed) {
    if (before.get(article.id) === JSON.stringify(problems)) continue;
    const raw = JSON.stringify(article);
    await recordRejection(db, { stage: 'feed', source, line: null, articleId: article.id, problems, raw }, now);
  }
  const failing = new Set<string | null>(failed.map(({ article }) => article.id));
  for (const articleId of before.keys()) {
    if (!failing.has(articleId)) await clearRejection(db, { stage: 'feed', source, line: null, articleId });
  }
}

/** Forgets what was rejected for feeds that are no longer configured. */
export async function deleteRejectionsOfOtherFeeds(db: Db, feeds: string[]): Promise<void> {
  await db
    .deleteFrom('rejections')
    .where('stage', '=', 'feed')
    .where(
      'source',
      'not in',
      feeds.map((feed) => `feeds/${feed}`),
    )
    .execute();
}
