/**
 * What the desk did to articles, and what imports replaced of it, each act with what was there before: nothing that
 * somebody wrote is lost.
 */
import type { Db, Tx } from '../../core/store/store.ts';
import type { Tables } from '../../core/store/tables.ts';
import type { Article } from '../article.ts';
import { type DeskBase, type DeskField, serialiseDeskBase } from './desk-base.ts';

export type ArticleAct = Tables['article_edits']['act'];

/** The fields of an article that an act changed, as they were before it. */
export type FormerFields = Partial<
  Pick<Article, 'headline' | 'kicker' | 'dek' | 'section' | 'body' | 'bodyHtml' | 'pinned' | 'status' | 'publishedAt'>
>;

export interface LoggedEdit {
  /** From 1, for each article. */
  number: number;
  at: number;
  /** The name of an account, or for `import` the file or source. */
  author: string;
  act: ArticleAct;
  before: FormerFields;
  /** Digest of the article after the act. */
  digest: string;
}

/** @returns the number of the act */
export async function logEdit(
  tx: Tx,
  articleId: string,
  { author, act, before, digest }: Omit<LoggedEdit, 'number' | 'at'>,
  now: number,
): Promise<number> {
  const { last } = await tx
    .selectFrom('article_edits')
    .select((e) => e.fn.coalesce(e.fn.max('number'), e.lit(0)).as('last'))
    .where('article_id', '=', articleId)
    .executeTakeFirstOrThrow();
  const number = last + 1;
  await tx
    .insertInto('article_edits')
    .values({ article_id: articleId, number, at: now, author, act, before: JSON.stringify(before), digest })
    .execute();
  return number;
}

/** The act that created an article at the desk. @returns null for an article that came otherwise */
export async function findCreation(db: Db, articleId: string): Promise<Pick<LoggedEdit, 'at' | 'digest'> | null> {
  const row = await db
    .selectFrom('article_edits')
    .select(['at', 'digest'])
    .where('article_id', '=', articleId)
    .where('act', '=', 'create')
    .executeTakeFirst();
  return row ?? null;
}

/** Stores which fields the desk decides. */
export async function saveDeskBase(tx: Tx, articleId: string, base: DeskBase): Promise<void> {
  await tx
    .updateTable('articles')
    .set({ desk_base: serialiseDeskBase(base) })
    .where('id', '=', articleId)
    .execute();
}

/** The last acts, newest first. */
export async function listEdits(db: Db, articleId: string, limit: number): Promise<LoggedEdit[]> {
  const rows = await db
    .selectFrom('article_edits')
    .selectAll()
    .where('article_id', '=', articleId)
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ number, at, author, act, before, digest }) => {
    return { number, at, author, act, before: JSON.parse(before) as FormerFields, digest };
  });
}

/** The values of fields, for the log. */
export function formerFields(article: Article, fields: readonly DeskField[]): FormerFields {
  const entries = fields.map((field): FormerFields => {
    switch (field) {
      case 'body':
        return { body: article.body, bodyHtml: article.bodyHtml };
      case 'status':
        return { status: article.status, publishedAt: article.publishedAt };
      default:
        return { [field]: article[field] };
    }
  });
  return Object.assign({}, ...entries) as FormerFields;
}
