/**
 * Records the articles that a feed was published without, for `status`. Each publish replaces the feed's rejections: an
 * article that is valid again, or has left the feed, is cleared.
 */
import { clearRejection, recordRejection } from '../articles/rejections.ts';
import { readableJson } from '../articles/stored-document.ts';
import type { Db, Tx } from '../core/store/store.ts';
import type { FailedArticle } from './formats/item.ts';

export async function recordFailedItems(tx: Tx, feed: string, failed: FailedArticle[], now: number): Promise<void> {
  const source = `feeds/${feed}`;
  const known = await tx
    .selectFrom('rejections')
    .select(['article_id', 'problems'])
    .where('stage', '=', 'feed')
    .where('source', '=', source)
    .execute();
  const before = new Map(known.map((row) => [row.article_id, row.problems]));
  for (const { article, problems } of failed) {
    if (before.get(article.id) === JSON.stringify(problems)) continue;
    const raw = await readJson(tx, article.id);
    await recordRejection(tx, { stage: 'feed', source, line: null, articleId: article.id, problems, raw }, now);
  }
  const failing = new Set<string | null>(failed.map(({ article }) => article.id));
  for (const articleId of before.keys()) {
    if (!failing.has(articleId)) await clearRejection(tx, { stage: 'feed', source, line: null, articleId });
  }
}

/** The JSON of the stored article, or what there is of it. */
async function readJson(db: Db, id: string): Promise<string> {
  const row = await db.selectFrom('articles').select('document').where('id', '=', id).executeTakeFirst();
  return row === undefined ? '' : readableJson(row);
}

/** Deletes the rejections for feeds that are no longer configured. */
export async function deleteRejectionsOfOtherFeeds(db: Db, feeds: string[]): Promise<void> {
  const sources = feeds.map((feed) => `feeds/${feed}`);
  await db.deleteFrom('rejections').where('stage', '=', 'feed').where('source', 'not in', sources).execute();
}
