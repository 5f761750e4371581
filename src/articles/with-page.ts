/** The public articles whose page is on this site, for sitemaps: without those with an address elsewhere. */
import { sql } from 'kysely';
import type { Db } from '../core/store/store.ts';
import { articlePageUrl } from './article.ts';
import { findMonths, type Month } from './months.ts';
import { PUBLIC_STATES } from './selection.ts';
import { toArticle } from './stored-document.ts';

/**
 * The months with such articles, newest first: their number, and when one of them was last updated. Reads an index of
 * all articles: give it `store.reports`.
 */
export async function findMonthsWithPages(db: Db, now: number, zone: string) {
  const found: { id: string; count: number; updatedAt: number }[] = [];
  for (const month of await findMonths(db, now, zone)) {
    const columns = [sql<number>`count(*)`.as('count'), sql<number>`max(updated_at)`.as('updatedAt')] as const;
    const row = await withPage(db, month, now).select(columns).executeTakeFirstOrThrow();
    if (row.count > 0) found.push({ id: month.id, ...row });
  }
  return found;
}

/** The pages of such articles of a month, oldest first: those that are added later are at the end. */
export async function findUpdatedPages(db: Db, month: Month, now: number, part: { limit: number; offset: number }) {
  // Only the document of a roundup says which edition has its page.
  const document = sql<Uint8Array | null>`case when kind = 'roundup' then document end`.as('document');
  const query = withPage(db, month, now).orderBy('published_at').orderBy('id').limit(part.limit).offset(part.offset);
  const rows = await query.select(['slug', 'updated_at as updatedAt', document]).execute();
  return rows.map(({ slug, updatedAt, document }) => {
    const page = document === null ? null : toArticle({ document }).page;
    return { path: articlePageUrl({ slug, page }, ''), updatedAt };
  });
}

function withPage(db: Db, { from, until }: Month, now: number) {
  const articles = db.selectFrom('articles').where('published_at', '>=', from).where('state', 'in', PUBLIC_STATES);
  // A literal, as in the condition of the index `articles_with_page`.
  return articles.where('published_at', '<=', Math.min(now, until - 1)).where('has_url', '=', sql.lit(0));
}
