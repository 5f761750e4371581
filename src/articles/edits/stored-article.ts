/** Changes of a stored article, each in one transaction with its log and its pending publication. */
import { isDeepStrictEqual } from 'node:util';
import type { AppContext } from '../../core/app-context.ts';
import { type Db, dialectOf, type InTransaction, inTransaction, type Tx } from '../../core/store/store.ts';
import type { Article } from '../article.ts';
import type { Candidate } from '../import/candidate.ts';
import { ROUNDUP_ORIGIN } from '../import/origin.ts';
import { revise } from '../import/revise.ts';
import { saveArticles } from '../import/save.ts';
import { toArticle } from '../stored-document.ts';
import { baseAfterEdit, DESK_FIELDS, type DeskField, parseDeskBase } from './desk-base.ts';
import { type ArticleAct, formerFields, logEdit, saveDeskBase } from './edit-log.ts';
import { ArticleEditError } from './read-written.ts';

export interface StoredArticle {
  article: Article;
  /** Digest of its editorial content. */
  digest: string;
  /** See articles/import/origin.ts. */
  origin: string | null;
  /** What the desk has changed; see `parseDeskBase`. */
  deskBase: string | null;
}

/** The author of an act, and the further writes of its transaction. */
export interface ArticleActor {
  author: string;
  onCommit?: InTransaction | undefined;
}

export type ArticleOutcome =
  | { kind: 'changed'; article: Article; fields: DeskField[]; number: number }
  | { kind: 'unchanged'; article: Article };

/** Reads articles; in a transaction, locks them. @returns by id */
export async function readStoredArticles(db: Db, ids: string[]): Promise<Map<string, StoredArticle>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('articles')
    .select(['id', 'document', 'digest', 'origin', 'desk_base'])
    .where('id', 'in', ids)
    .orderBy('id')
    // SQLite's transaction holds the only write lock already.
    .$if(db.isTransaction && dialectOf(db) === 'postgres', (query) => query.forUpdate())
    .execute();
  return new Map(
    rows.map(({ id, digest, origin, desk_base: deskBase, ...stored }) => {
      return [id, { article: toArticle(stored), digest, origin, deskBase }];
    }),
  );
}

/** @returns null if there is none of that id */
export async function readStoredArticle(db: Db, id: string): Promise<StoredArticle | null> {
  return (await readStoredArticles(db, [id])).get(id) ?? null;
}

/** Why the desk cannot change an article, or null. */
export function whyNotEditable({ article, origin }: Pick<StoredArticle, 'article' | 'origin'>): string | null {
  if (article.page !== null || article.kind === 'roundup') {
    return 'It is the page of an edition: change the edition, and reissue it.';
  }
  if (origin === ROUNDUP_ORIGIN) return 'It is an item of the roundup, which another outlet reported: change it there.';
  return null;
}

/**
 * Changes an article. What is not changed stays as it is, byte by byte.
 * @param change gets the article as it is stored, and returns the candidate that replaces it, or throws
 * @throws ArticleEditError if there is no such article, it is not for the desk, or it cannot be changed in that way
 */
export async function changeArticle(
  { store, config, clock }: Pick<AppContext, 'store' | 'config' | 'clock'>,
  id: string,
  act: ArticleAct,
  { author, onCommit }: ArticleActor,
  change: (stored: StoredArticle, tx: Tx) => Candidate | Promise<Candidate>,
): Promise<ArticleOutcome> {
  const { tagAuthority, url: publicUrl } = config.publication;
  return inTransaction(store.db, async (tx) => {
    const now = clock();
    const stored = await readStoredArticle(tx, id);
    if (stored === null) throw new ArticleEditError([{ field: null, message: `There is no article ${id}.` }]);
    const reason = whyNotEditable(stored);
    if (reason !== null) throw new ArticleEditError([{ field: null, message: reason }]);
    const before = stored.article;
    const candidate = await change(stored, tx);
    const revision = revise(candidate, before.slug, stored, { now, tagAuthority, publicUrl });
    if (revision.kind === 'rejected') {
      throw new ArticleEditError(revision.problems.map(({ key, message }) => ({ field: key, message })));
    }
    if (!('article' in revision)) return { kind: 'unchanged', article: before };
    const { digest } = revision;
    // What another source says of an article, such as its section, is no edit.
    const article = act === 'import' ? { ...revision.article, updatedAt: before.updatedAt } : revision.article;
    await saveArticles(tx, [{ article, digest }], now);
    const fields = changedFields(before, article);
    await saveDeskBase(tx, id, baseAfterEdit(parseDeskBase(stored.deskBase), before, fields));
    const number = await logEdit(tx, id, { author, act, before: formerFields(before, fields), digest }, now);
    await onCommit?.(tx);
    return { kind: 'changed', article, fields, number };
  });
}

function changedFields(before: Article, after: Article): DeskField[] {
  return DESK_FIELDS.filter((field) =>
    field === 'status'
      ? !isDeepStrictEqual(before.status, after.status) || before.publishedAt !== after.publishedAt
      : !isDeepStrictEqual(before[field], after[field]),
  );
}
