/**
 * Headlines of articles, for texts that name stories.
 */
import { toArticle } from '../articles/stored-document.ts';
import type { Db, Tx } from '../core/store/store.ts';
import { findUnparsedArticles } from './selection/candidates.ts';

/** Headlines by article id; articles that do not exist, or cannot be read, are omitted. */
export async function findHeadlines(db: Db | Tx, ids: readonly string[]): Promise<Map<string, string>> {
  const headlines = new Map<string, string>();
  for (const [id, stored] of await findUnparsedArticles(db, [...ids])) {
    try {
      headlines.set(id, toArticle(stored).headline);
    } catch {}
  }
  return headlines;
}
