/** Writes prepared articles: each table gets all its rows in one request, and nothing is read. */
import { insertRows } from '../../../core/store/rows/insert-rows.ts';
import type { Tx } from '../../../core/store/store.ts';
import { saveFacetNames } from '../../facets/facets.ts';
import { queueImageUses } from '../../remote-images/image-queue.ts';
import { ARTICLE_COLUMNS } from './article-row.ts';
import type { PreparedArticle } from './prepare.ts';

const TABLES = {
  articles: ARTICLE_COLUMNS,
  article_words: { month: 'int', word: 'each', published_at: 'int', article_id: 'text' },
  article_slugs: { slug: 'text', article_id: 'text' },
  article_tags: { article_id: 'text', tag: 'text', published_at: 'int' },
  article_reporters: { article_id: 'text', reporter: 'text', published_at: 'int' },
} as const;

/**
 * Inserts articles that the store has neither by id nor by slug.
 * @param now when they are written, epoch milliseconds
 * @throws the error of the database if it has one of them
 */
export async function savePrepared(tx: Tx, articles: readonly PreparedArticle[], now: number): Promise<void> {
  if (articles.length === 0) return;
  for (const [name, columns] of Object.entries(TABLES)) {
    const table = name as keyof typeof TABLES;
    const rows = articles.map((article) => article.rows[table]).filter((row) => row !== '');
    if (rows.length === 0) continue;
    const shared = table === 'articles' ? { shared: { created_at: now } } : {};
    await insertRows(tx, { table, columns, json: toJson(rows), ...shared });
  }
  await saveFacetNames(
    tx,
    articles.flatMap(({ names }) => names),
  );
  await queueImageUses(
    tx,
    articles.flatMap(({ id, imageUrl }) => (imageUrl === null ? [] : { articleId: id, url: imageUrl })),
    now,
  );
  const ids = articles.flatMap(({ id, isPublic }) => (isPublic ? JSON.stringify([id]) : []));
  if (ids.length === 0) return;
  await insertRows(tx, {
    table: 'pending_changes',
    columns: { article_id: 'text' },
    shared: { due_at: now, changed_at: now },
    json: toJson(ids),
  });
}

function toJson(rows: readonly string[]): string {
  return `[${rows.join(',')}]`;
}
