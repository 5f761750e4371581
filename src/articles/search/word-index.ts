/**
 * The index of headlines: a row for each term of each article, by the month of its publication (UTC). A month bounds
 * what a search reads at a time, however many articles have a word in common.
 */
import { sql } from 'kysely';
import { jsonRows } from '../../core/store/json-rows.ts';
import { dialectOf, type Tx } from '../../core/store/store.ts';
import { type Article, fullHeadline } from '../article.ts';
import { toArticle } from '../stored-document.ts';
import { indexedTerms, monthOf } from './title-terms.ts';

/** Fields of an article that the index holds. */
interface IndexedTitle {
  title: string;
  publishedAt: number;
}

/** Reads what the index holds of articles, before they are saved. @returns by id; without those that are new */
export async function readIndexedTitles(tx: Tx, ids: string[]): Promise<Map<string, IndexedTitle>> {
  const rows = await tx.selectFrom('articles').select(['id', 'document']).where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, indexedTitle(toArticle(row))]));
}

/** Replaces the terms of articles. @param former see `readIndexedTitles` */
export async function saveTitleTerms(tx: Tx, articles: Article[], former: Map<string, IndexedTitle>): Promise<void> {
  const added: (readonly [number, string, number, string])[] = [];
  for (const article of articles) {
    const { id } = article;
    const after = indexedTitle(article);
    const before = former.get(id);
    if (before?.title === after.title && before.publishedAt === after.publishedAt) continue;
    const isMoved = before?.publishedAt !== after.publishedAt;
    const terms = indexedTerms(after.title);
    const known = before === undefined ? [] : indexedTerms(before.title);
    const gone = isMoved ? known : known.filter((term) => !terms.includes(term));
    if (before !== undefined) await deleteTerms(tx, id, before.publishedAt, gone);
    const { publishedAt } = after;
    const month = monthOf(publishedAt);
    for (const term of terms) if (isMoved || !known.includes(term)) added.push([month, term, publishedAt, id]);
  }
  await insertTerms(tx, added);
}

/** Deletes the terms of articles that are deleted next. */
export async function deleteTitleTerms(tx: Tx, ids: string[]): Promise<void> {
  for (const [id, { title, publishedAt }] of await readIndexedTitles(tx, ids)) {
    await deleteTerms(tx, id, publishedAt, indexedTerms(title));
  }
}

function indexedTitle(article: Article): IndexedTitle {
  return { title: fullHeadline(article), publishedAt: article.publishedAt };
}

async function deleteTerms(tx: Tx, id: string, publishedAt: number, terms: string[]): Promise<void> {
  if (terms.length === 0) return;
  await tx
    .deleteFrom('article_words')
    .where('month', '=', monthOf(publishedAt))
    .where('word', 'in', terms)
    .where('published_at', '=', publishedAt)
    .where('article_id', '=', id)
    .execute();
}

async function insertTerms(tx: Tx, rows: (readonly [number, string, number, string])[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = { month: 'int', word: 'text', published_at: 'int', article_id: 'text' } as const;
  await sql`insert into article_words (month, word, published_at, article_id)
    select month, word, published_at, article_id from ${jsonRows(dialectOf(tx), rows, columns)} as added
    where true on conflict do nothing`.execute(tx);
}
