/** Finds an article by what identifies it: its id, its slug, its tag: URI, or the address of its page. */
import type { Db } from '../../core/store/store.ts';
import type { Article } from '../article.ts';
import { findArticle, findArticleBySlug } from '../queries.ts';

/** Longer than every id and slug. */
const MAX_NAME = 200;

/** @returns null for a text that identifies none, such as words */
export async function findByReference(db: Db, text: string): Promise<Article | null> {
  const name = nameIn(text.trim());
  // PostgreSQL refuses U+0000.
  if (name === null || name === '' || name.length > MAX_NAME || name.includes('\u0000')) return null;
  return (await findArticle(db, name)) ?? findArticleBySlug(db, name);
}

/** The id or slug in a reference: of a URL, the last part of its path. */
function nameIn(text: string): string | null {
  if (/\s/.test(text)) return null;
  const [, id] = /^tag:[^:]*:articles\/(.+)$/.exec(text) ?? [];
  if (id !== undefined) return id;
  if (!/^https?:/i.test(text)) return text;
  const path = URL.canParse(text) ? new URL(text).pathname : '';
  const last = path.split('/').findLast((part) => part !== '') ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return null;
  }
}
