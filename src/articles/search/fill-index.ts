/** Adds to the index of headlines the articles that an earlier version stored without it, newest first. */
import { readMeta, UNINDEXED_BEFORE, writeMeta } from '../../core/store/meta.ts';
import { type Db, dialectOf, inTransaction } from '../../core/store/store.ts';
import { fullHeadline } from '../article.ts';
import { DOCUMENT_COLUMNS, toArticle } from '../stored-document.ts';
import { isAfterPlace } from './find-by-title.ts';
import { addTitleTerms } from './word-index.ts';

/** Articles of one transaction: about 50 ms. */
const BATCH = 200;

/** @returns the time of publication before which articles are not indexed yet, epoch milliseconds; null if all are */
export async function unindexedBefore(db: Db): Promise<number | null> {
  const stored = await readMeta(db, UNINDEXED_BEFORE);
  return stored === undefined ? null : Number.parseInt(stored, 10);
}

/** Indexes a batch. @returns whether articles are left */
export async function fillTitleIndex(db: Db, batch = BATCH): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const stored = await readMeta(tx, UNINDEXED_BEFORE);
    if (stored === undefined) return false;
    // The id follows the time, unless nothing is done yet.
    const [, publishedAt = '', id = ''] = /^(-?\d+) ?(.*)$/.exec(stored) ?? [];
    const place = { publishedAt: Number(publishedAt), id };
    const rows = await tx
      .selectFrom('articles')
      .select(['id', 'published_at', ...DOCUMENT_COLUMNS])
      .where(isAfterPlace('published_at', 'id', place))
      .orderBy('published_at', 'desc')
      .orderBy('id', 'desc')
      .limit(batch)
      .$if(dialectOf(tx) === 'postgres', (query) => query.forShare())
      .execute();
    const titles = rows.map((row) => ({
      id: row.id,
      publishedAt: row.published_at,
      title: fullHeadline(toArticle(row)),
    }));
    await addTitleTerms(tx, titles);
    const last = rows.at(-1);
    const isDone = last === undefined || rows.length < batch;
    await writeMeta(tx, UNINDEXED_BEFORE, isDone ? null : `${last.published_at} ${last.id}`);
    return !isDone;
  });
}
