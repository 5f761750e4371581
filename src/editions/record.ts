/**
 * Writes a composed edition, inside the transaction that closes it and queues its deliveries. It counts on the store only for what
 * was true when the edition was composed; where that no longer holds, nothing is written and the edition is composed anew.
 */
import { createHash } from 'node:crypto';
import { SqliteAdapter, type Transaction } from 'kysely';
import type { Article } from '../articles/article.ts';
import { saveArticle } from '../articles/import/save.ts';
import { clearRejections, recordRejection } from '../articles/rejections.ts';
import type { Tables } from '../store/tables.ts';
import { recordAgedOut } from './aged-out.ts';
import type { ArticleVersion } from './candidates.ts';
import type { Composed } from './compose.ts';
import { lastEdition } from './queries.ts';

/** The store has moved on since the edition was composed: compose it again. */
export class StaleComposition extends Error {
  override name = 'StaleComposition';
}

/** PostgreSQL takes at most 65,535 parameters a statement, SQLite 32,766. */
const ROWS_A_STATEMENT = 1_000;

/**
 * Writes the edition, what stands in it, what was passed over and why, and the roundup article that stands for it in feeds.
 * @param now the closing instant, epoch milliseconds; the roundup article is published then
 * @returns the edition's id
 * @throws StaleComposition where an article has changed since, or the slot or number belongs to another edition; the caller rolls
 *   back, and composes again
 */
export async function recordEdition(tx: Transaction<Tables>, composed: Composed, now: number): Promise<number> {
  const { newsletter } = composed;
  if (((await lastEdition(tx, newsletter))?.id ?? null) !== composed.lastEditionId) {
    throw new StaleComposition(`another edition of ${newsletter} has been closed since`);
  }
  await refuseChanged(tx, [...composed.articles, ...composed.corrections]);
  const roundup = { ...composed.roundupArticle, publishedAt: now, updatedAt: now };
  await insertRoundup(tx, roundup, now);
  const editionId = await insertEdition(tx, composed, now);
  await insertArticles(tx, composed, editionId);
  for (const ids of chunks(composed.didNotFit)) {
    const rows = ids.map((id) => ({ edition_id: editionId, article_id: id, reason: 'did-not-fit' as const }));
    await tx.insertInto('edition_omissions').values(rows).execute();
  }
  await recordAgedOut(tx, { newsletter, editionId, window: composed.window, lastEditionId: composed.lastEditionId });
  await insertNotes(tx, composed, editionId);
  for (const entry of composed.rejected) await recordRejection(tx, entry, now);
  for (const { articleId } of composed.articles) {
    await clearRejections(tx, { stage: 'edition', source: newsletter, line: null, articleId });
  }
  return editionId;
}

async function refuseChanged(tx: Transaction<Tables>, versions: ArticleVersion[]): Promise<void> {
  const rows = await tx
    .selectFrom('articles')
    .select(['id', 'digest', 'state'])
    .where(
      'id',
      'in',
      versions.map((version) => version.articleId),
    )
    .orderBy('id')
    // An article must not be retracted between this look and the commit. SQLite has but one writer, and it is us.
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

async function insertRoundup(tx: Transaction<Tables>, article: Article, now: number): Promise<void> {
  const taken = await tx
    .selectFrom('articles')
    .select('id')
    .where('id', '=', article.id)
    .unionAll(tx.selectFrom('article_slugs').select('article_id as id').where('slug', '=', article.slug))
    .executeTakeFirst();
  if (taken !== undefined) throw new StaleComposition(`the id ${article.id} has been taken by an article since`);
  await saveArticle(tx, article, createHash('sha256').update(JSON.stringify(article)).digest('hex'), now);
}

async function insertEdition(tx: Transaction<Tables>, composed: Composed, now: number): Promise<number> {
  const inserted = await tx
    .insertInto('editions')
    .values({
      newsletter: composed.newsletter,
      slot: composed.slot,
      slot_at: composed.slotAt,
      cutoff_at: composed.cutoffAt,
      number: composed.number,
      headline: composed.headline,
      subject: composed.subject,
      preheader: composed.preheader,
      nonce: composed.nonce,
      html: composed.html,
      text: composed.text,
      archive_html: composed.archiveHtml,
      article_id: composed.roundupArticle.id,
      closed_at: now,
    })
    // The unique keys of slot and number decide between two processes that close at once.
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted === undefined) {
    const { newsletter, slot, number } = composed;
    throw new StaleComposition(`${newsletter} has an edition of slot ${slot} or of number ${number} already`);
  }
  return inserted.id;
}

async function insertArticles(tx: Transaction<Tables>, composed: Composed, editionId: number): Promise<void> {
  for (const articles of chunks(composed.articles)) {
    const result = await tx
      .insertInto('edition_articles')
      .values(
        articles.map(({ articleId, block, position }) => ({
          edition_id: editionId,
          newsletter: composed.newsletter,
          article_id: articleId,
          block,
          position,
        })),
      )
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (Number(result.numInsertedOrUpdatedRows) !== articles.length) {
      throw new StaleComposition(`an article of it stands in another edition of ${composed.newsletter}`);
    }
  }
}

/** A note that an edition has shown, in its list of corrections or with the story itself, is not listed again. */
async function insertNotes(tx: Transaction<Tables>, composed: Composed, editionId: number): Promise<void> {
  const notes = [...composed.corrections, ...composed.notesShown];
  for (const some of chunks(notes)) {
    await tx
      .insertInto('edition_corrections')
      .values(
        some.map(({ articleId, notedAt }) => ({
          newsletter: composed.newsletter,
          article_id: articleId,
          noted_at: notedAt,
          edition_id: editionId,
        })),
      )
      .execute();
  }
}

function chunks<T>(list: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (let from = 0; from < list.length; from += ROWS_A_STATEMENT)
    parts.push(list.slice(from, from + ROWS_A_STATEMENT));
  return parts;
}
