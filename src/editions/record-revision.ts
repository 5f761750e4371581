/**
 * Writes the next revision of a closed edition, inside the transaction that cancels the revision before it and queues
 * its own deliveries. It has the same number and roundup article. A story counts once, in the newest revision that has
 * it: one that only an earlier revision had stays there, and no later edition gets it.
 */
import type { Article } from '../articles/article.ts';
import { saveArticle } from '../articles/import/save.ts';
import { findArticles } from '../articles/queries.ts';
import type { Tx } from '../core/store/store.ts';
import { sha256 } from '../lib/sha256.ts';
import type { ComposedEdition } from './compose.ts';
import type { EditionSummary } from './queries.ts';
import {
  assertUnchanged,
  closeItsDraft,
  insertArticles,
  insertEdition,
  insertNotes,
  insertOmissions,
  recordRejections,
  StaleComposition,
} from './record.ts';

/**
 * Writes the revision, and moves what belongs to both to it: stories, omitted articles, and corrections that were
 * listed. Correction notes that it shows with a story count as shown only if every subscriber gets it: those who have
 * the earlier revision find them in the next edition.
 * @param previous the revision before it; its row is locked
 * @param isForAll whether all subscribers get it, also those who got the earlier revision
 * @param now the closing instant, epoch milliseconds; also the instant at which the roundup article was updated
 * @returns the revision's id
 * @throws StaleComposition if an article has changed since it was composed, or the revision exists: roll back
 */
export async function recordRevision(
  tx: Tx,
  composed: ComposedEdition,
  previous: Pick<EditionSummary, 'id' | 'articleId'>,
  isForAll: boolean,
  now: number,
): Promise<number> {
  const { newsletter, slot } = composed;
  await closeItsDraft(tx, composed, now);
  await assertUnchanged(tx, [...composed.articles, ...composed.corrections]);
  const roundupArticle = await updateRoundupArticle(tx, composed, previous.articleId, now);
  const id = await insertEdition(tx, { ...composed, roundupArticle }, now);
  const { numUpdatedRows } = await tx
    .updateTable('editions')
    .set({ superseded_by: id })
    .where('id', '=', previous.id)
    .where('superseded_by', 'is', null)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw new StaleComposition(`${newsletter}/${slot} has been reissued since`);
  await moveArticles(tx, composed, id);
  await moveOmissions(tx, composed, previous.id, id);
  await tx.updateTable('edition_corrections').set({ edition_id: id }).where('edition_id', '=', previous.id).execute();
  if (isForAll) await insertNotes(tx, newsletter, id, composed.notesShown);
  await recordRejections(tx, composed, now);
  return id;
}

/** Its id, tag URI and time of publication stay; it counts as updated. */
async function updateRoundupArticle(
  tx: Tx,
  { roundupArticle }: ComposedEdition,
  articleId: string,
  now: number,
): Promise<Article> {
  const [stored] = await findArticles(tx, [articleId]);
  if (stored === undefined || stored.status.state === 'retracted') {
    throw new StaleComposition(`the roundup article ${articleId} has been retracted since the edition was composed`);
  }
  const { id, tagUri, slug, publishedAt, status } = stored;
  const updatedAt = Math.max(now, publishedAt);
  const article = { ...roundupArticle, id, tagUri, slug, publishedAt, updatedAt, status };
  await saveArticle(tx, article, sha256(JSON.stringify(article)), now);
  return article;
}

async function moveArticles(tx: Tx, composed: ComposedEdition, id: number): Promise<void> {
  const { newsletter, slot, articles } = composed;
  const ids = articles.map(({ articleId }) => articleId);
  await tx
    .deleteFrom('edition_articles')
    .where('newsletter', '=', newsletter)
    .where('article_id', 'in', ids)
    .where('edition_id', 'in', (e) =>
      e.selectFrom('editions').select('id').where('newsletter', '=', newsletter).where('slot', '=', slot),
    )
    .execute();
  await insertArticles(tx, composed, id);
}

/** The next edition looks for them at the newest revision. Not those that have entered it. */
async function moveOmissions(tx: Tx, composed: ComposedEdition, previousId: number, id: number): Promise<void> {
  const entered = tx.selectFrom('edition_articles').select('article_id').where('edition_id', '=', id);
  await tx
    .deleteFrom('edition_omissions')
    .where('edition_id', '=', previousId)
    .where('article_id', 'in', entered)
    .execute();
  await tx.updateTable('edition_omissions').set({ edition_id: id }).where('edition_id', '=', previousId).execute();
  await insertOmissions(tx, id, composed.didNotFit, 'did-not-fit');
  await insertOmissions(tx, id, composed.dropped, 'dropped');
}
