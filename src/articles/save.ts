/**
 * Writes an article, and in the same transaction what follows from it: its tags, its slug for good, and the note that its feeds
 * must be published anew. What may change, and what counts as a change, is decided before (see revise.ts).
 */
import type { Db } from '../store/store.ts';
import type { Article } from './article.ts';

/**
 * Inserts the article, or replaces the row of the same id.
 * @param db a transaction, so that all of it is written or nothing
 * @param digest of its editorial content
 * @param now when it is written, epoch milliseconds
 */
export async function saveArticle(db: Db, article: Article, digest: string, now: number): Promise<void> {
  const { id, status } = article;
  const row = {
    slug: article.slug,
    kind: article.kind,
    section: article.section,
    kicker: article.kicker,
    event_key: article.eventKey,
    pinned: article.pinned ? 1 : 0,
    state: status.state,
    published_at: article.publishedAt,
    updated_at: article.updatedAt,
    noted_at: status.state === 'corrected' || status.state === 'retracted' ? status.at : null,
    digest,
    document: JSON.stringify(article),
  };
  await db
    .insertInto('articles')
    .values({ id, tag_uri: article.tagUri, created_at: now, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute();
  await db
    .insertInto('article_slugs')
    .values({ slug: article.slug, article_id: id })
    .onConflict((conflict) => conflict.column('slug').doUpdateSet({ article_id: id }))
    .execute();
  await db.deleteFrom('article_tags').where('article_id', '=', id).execute();
  if (article.tags.length > 0) {
    await db
      .insertInto('article_tags')
      .values(article.tags.map((tag) => ({ article_id: id, tag, published_at: article.publishedAt })))
      .execute();
  }
  if (status.state !== 'draft') await notePendingChange(db, id, Math.max(now, article.publishedAt), now);
}

async function notePendingChange(db: Db, articleId: string, dueAt: number, now: number): Promise<void> {
  await db
    .insertInto('pending_changes')
    .values({ article_id: articleId, due_at: dueAt, changed_at: now })
    .onConflict((conflict) => conflict.column('article_id').doUpdateSet({ due_at: dueAt, changed_at: now }))
    .execute();
}
