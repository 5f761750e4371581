/**
 * Writes the first revision of a composed edition, inside the transaction that closes it and queues its deliveries. If
 * the content it was composed from has changed since, nothing is written, and the edition must be composed again.
 * record-revision.ts writes the next revisions.
 */
import { SqliteAdapter } from 'kysely';
import { saveArticle } from '../articles/import/save.ts';
import { clearRejection, recordRejection } from '../articles/rejections.ts';
import type { Tx } from '../core/store/store.ts';
import { chunks } from '../lib/chunks.ts';
import { sha256 } from '../lib/sha256.ts';
import { type ComposedEdition, isArticleIdTaken } from './compose.ts';
import { closeDraft } from './draft/draft-store.ts';
import { lastEdition } from './queries.ts';
import { recordAgedOut } from './selection/aged-out.ts';
import type { ArticleVersion } from './selection/candidates.ts';

/** The store has changed since the edition was composed: compose it again. */
export class StaleComposition extends Error {
  override name = 'StaleComposition';
}

/** Parameters per statement are limited to 65,535 in PostgreSQL and 32,766 in SQLite. */
const ROWS_PER_STATEMENT = 1_000;

/**
 * Writes the edition, its articles, the omitted articles with reasons, and the roundup article that represents it in
 * feeds.
 * @param now the closing instant, epoch milliseconds; also the publication time of the roundup article
 * @returns the edition's id
 * @throws StaleComposition if an article has changed since, or the slot or number belongs to another edition: roll back
 *   and compose again
 */
export async function recordEdition(tx: Tx, composed: ComposedEdition, now: number): Promise<number> {
  const { newsletter, select, window, lastEditionId } = composed;
  if (((await lastEdition(tx, newsletter))?.id ?? null) !== lastEditionId) {
    throw new StaleComposition(`another edition of ${newsletter} has been closed since`);
  }
  await closeItsDraft(tx, composed, now);
  await assertUnchanged(tx, [...composed.articles, ...composed.corrections]);
  await insertRoundupArticle(tx, composed, now);
  const editionId = await insertEdition(tx, composed, now);
  await insertArticles(tx, composed, editionId);
  await insertOmissions(tx, editionId, composed.didNotFit, 'did-not-fit');
  await insertOmissions(tx, editionId, composed.dropped, 'dropped');
  await recordAgedOut(tx, { newsletter, select, editionId, window, lastEditionId });
  const notes = [...composed.corrections, ...composed.notesShown];
  if ((await insertNotes(tx, newsletter, editionId, notes)) < notes.length) {
    throw new StaleComposition(`one of its corrections is in another edition of ${newsletter}`);
  }
  await recordRejections(tx, composed, now);
  return editionId;
}

/** The draft's lock comes first, so that an editor's command waits, and learns that the edition is closed. */
export async function closeItsDraft(tx: Tx, composed: ComposedEdition, now: number): Promise<void> {
  const { newsletter, slot, slotAt, draftRevision, revision, articles } = composed;
  const stories = articles.map(({ articleId: id, block, digest }) => ({ id, block, digest }));
  const close = { draftRevision, stories, editionRevision: revision, now };
  if (await closeDraft(tx, newsletter, { label: slot, slotAt }, close)) return;
  throw new StaleComposition(`the draft of ${newsletter}/${slot} has changed since the edition was composed`);
}

/** Leaves out those that are omitted already. */
export async function insertOmissions(
  tx: Tx,
  editionId: number,
  articleIds: readonly string[],
  reason: 'did-not-fit' | 'dropped',
): Promise<void> {
  for (const ids of chunks(articleIds, ROWS_PER_STATEMENT)) {
    const rows = ids.map((id) => ({ edition_id: editionId, article_id: id, reason }));
    await tx
      .insertInto('edition_omissions')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/** @throws StaleComposition if one of the articles has changed */
export async function assertUnchanged(tx: Tx, versions: ArticleVersion[]): Promise<void> {
  const ids = versions.map((version) => version.articleId);
  const rows = await tx
    .selectFrom('articles')
    .select(['id', 'digest', 'state'])
    .where('id', 'in', ids)
    .orderBy('id')
    // An article must not be retracted between this check and the commit. SQLite has one writer: this transaction.
    .$if(!(tx.getExecutor().adapter instanceof SqliteAdapter), (q) => q.forShare())
    .execute();
  const current = new Map(rows.map((row) => [row.id, row]));
  for (const { articleId, digest, state } of versions) {
    const row = current.get(articleId);
    if (row?.digest !== digest || row.state !== state) {
      throw new StaleComposition(`${articleId} has changed since the edition was composed`);
    }
  }
}

async function insertRoundupArticle(tx: Tx, { roundupArticle }: ComposedEdition, now: number): Promise<void> {
  const article = { ...roundupArticle, publishedAt: now, updatedAt: now };
  if (await isArticleIdTaken(tx, article.id)) {
    throw new StaleComposition(`the id ${article.id} has been taken by an article since`);
  }
  await saveArticle(tx, article, sha256(JSON.stringify(article)), now);
}

/** @returns its id @throws StaleComposition if the revision exists */
export async function insertEdition(tx: Tx, composed: ComposedEdition, now: number): Promise<number> {
  const inserted = await tx
    .insertInto('editions')
    .values({
      newsletter: composed.newsletter,
      slot: composed.slot,
      slot_at: composed.slotAt,
      cutoff_at: composed.cutoffAt,
      number: composed.number,
      revision: composed.revision,
      headline: composed.headline,
      subject: composed.subject,
      preheader: composed.preheader,
      nonce: composed.nonce,
      html: composed.html,
      text: composed.text,
      archive_html: composed.archiveHtml,
      segments: composed.segments === null ? null : JSON.stringify(composed.segments),
      article_id: composed.roundupArticle.id,
      closed_at: now,
    })
    // The unique keys of slot, number and revision decide between two processes that close at the same time.
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) {
    const { newsletter, slot, number, revision } = composed;
    const what = revision === 1 ? 'an edition' : `revision ${revision}`;
    throw new StaleComposition(`${newsletter} already has ${what} of slot ${slot} or number ${number}`);
  }
  return inserted.id;
}

/** @throws StaleComposition if one of its articles is in another edition of the newsletter */
export async function insertArticles(tx: Tx, composed: ComposedEdition, editionId: number): Promise<void> {
  const { newsletter, articles } = composed;
  const result = await tx
    .insertInto('edition_articles')
    .values(
      articles.map(({ articleId, block, position }) => {
        return { edition_id: editionId, newsletter, article_id: articleId, block, position };
      }),
    )
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (Number(result.numInsertedOrUpdatedRows) !== articles.length) {
    throw new StaleComposition(`one of its articles is in another edition of ${newsletter}`);
  }
}

/**
 * Correction notes that an edition shows, in its list or with the story itself, are not listed again.
 * @returns the number of those that no edition had shown
 */
export async function insertNotes(
  tx: Tx,
  newsletter: string,
  editionId: number,
  notes: ComposedEdition['notesShown'],
): Promise<number> {
  const rows = notes.map(({ articleId, notedAt }) => {
    return { newsletter, article_id: articleId, noted_at: notedAt, edition_id: editionId };
  });
  if (rows.length === 0) return 0;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('edition_corrections')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return Number(numInsertedOrUpdatedRows);
}

/** Articles that could not be shown are rejected; those of the edition are rejected no longer. */
export async function recordRejections(
  tx: Tx,
  { newsletter, rejected, articles }: ComposedEdition,
  now: number,
): Promise<void> {
  for (const entry of rejected) await recordRejection(tx, entry, now);
  for (const { articleId } of articles) {
    await clearRejection(tx, { stage: 'edition', source: newsletter, line: null, articleId });
  }
}
