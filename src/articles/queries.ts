/**
 * Reads articles. Every list is ordered by a unique key, so that both databases answer alike.
 */
import type { SelectQueryBuilder } from 'kysely';
import type { Selection } from '../config.ts';
import type { Db } from '../store/store.ts';
import type { Tables } from '../store/tables.ts';
import type { Article } from './article.ts';

/** States that readers may see once `published_at` has come; see `isPublic`. */
export const PUBLIC_STATES = ['scheduled', 'published', 'corrected'] as const;

export interface ArticleQuery {
  select?: Selection;
  /** Published at or after this instant. */
  from?: number | undefined;
  /** Published before or at this instant; readers never see later ones. */
  now: number;
  /** Published before this instant: the open end of a window. */
  until?: number | undefined;
  limit: number;
  /** Skips so many of the newest. */
  offset?: number | undefined;
}

/** The public articles that match, newest first. */
export async function findPublicArticles(db: Db, query: ArticleQuery): Promise<Article[]> {
  const { from, now, until, limit, offset } = query;
  const rows = await matching(db, query.select ?? {})
    .where('articles.state', 'in', PUBLIC_STATES)
    .where('articles.published_at', '<=', now)
    .$if(from !== undefined, (q) => q.where('articles.published_at', '>=', from as number))
    .$if(until !== undefined, (q) => q.where('articles.published_at', '<', until as number))
    .select('articles.document')
    .orderBy('articles.published_at', 'desc')
    .orderBy('articles.id', 'desc')
    .limit(limit)
    .$if(offset !== undefined, (q) => q.offset(offset as number))
    .execute();
  return rows.map((row) => toArticle(row.document));
}

/** The articles that match, were public and have been retracted since `since`; newest retraction first. */
export async function findRetractedArticles(
  db: Db,
  select: Selection,
  since: number,
  limit: number,
): Promise<Article[]> {
  const rows = await matching(db, select)
    .where('articles.state', '=', 'retracted')
    .where('articles.noted_at', '>=', since)
    .whereRef('articles.published_at', '<=', 'articles.noted_at')
    .select('articles.document')
    .orderBy('articles.noted_at', 'desc')
    .orderBy('articles.id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => toArticle(row.document));
}

/** The article of that id, in whatever state, or null. */
export async function findArticle(db: Db, id: string): Promise<Article | null> {
  const row = await db.selectFrom('articles').select('document').where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : toArticle(row.document);
}

/** The articles of those ids, in whatever state, in no order. */
export async function findArticles(db: Db, ids: string[]): Promise<Article[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('articles').select('document').where('id', 'in', ids).execute();
  return rows.map((row) => toArticle(row.document));
}

/** The article that has or once had that slug, in whatever state, or null. */
export async function findArticleBySlug(db: Db, slug: string): Promise<Article | null> {
  const row = await db
    .selectFrom('article_slugs')
    .innerJoin('articles', 'articles.id', 'article_slugs.article_id')
    .select('articles.document')
    .where('article_slugs.slug', '=', slug)
    .executeTakeFirst();
  return row === undefined ? null : toArticle(row.document);
}

/** Whether the store holds no article at all. */
export async function hasNoArticles(db: Db): Promise<boolean> {
  return (await db.selectFrom('articles').select('id').limit(1).executeTakeFirst()) === undefined;
}

/** The article as the store's JSON holds it. */
export function toArticle(document: string): Article {
  return JSON.parse(document) as Article;
}

function matching(db: Db, select: Selection): SelectQueryBuilder<Tables, 'articles', object> {
  const { kinds, sections, kickers, tags } = select;
  return db
    .selectFrom('articles')
    .$if(kinds !== undefined, (q) => q.where('articles.kind', 'in', kinds as string[]))
    .$if(sections !== undefined, (q) => q.where('articles.section', 'in', sections as string[]))
    .$if(kickers !== undefined, (q) => q.where('articles.kicker', 'in', kickers as string[]))
    .$if(tags !== undefined, (q) =>
      q.where('articles.id', 'in', (sub) =>
        sub
          .selectFrom('article_tags')
          .select('article_tags.article_id')
          .where('article_tags.tag', 'in', tags as string[]),
      ),
    );
}
