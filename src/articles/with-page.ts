/** The public articles whose page is on this site, for sitemaps: without those with an address elsewhere. */
import { sql } from 'kysely';
import type { Db } from '../core/store/store.ts';
import { articlePageUrl } from './article.ts';
import { findMonths, type Month, spansOf } from './months.ts';
import { isOneOf, PUBLIC_STATES } from './selection.ts';
import { toArticle } from './stored-document.ts';

/** A month with such articles. */
export interface MonthWithPages {
  id: string;
  /** Number of articles. */
  count: number;
  /** When one of them was last updated, epoch milliseconds. */
  updatedAt: number;
}

/** Finds the months with such articles, newest first. Reads an index of all of them: give it `store.reports`. */
export async function findMonthsWithPages(db: Db, now: number, zone: string): Promise<MonthWithPages[]> {
  const months = await findMonths(db, now, zone);
  if (months.length === 0) return [];
  const { rows } = await sql<MonthWithPages>`
    with ${spansOf(months, now)}
    select months.id, count(*) as count, max(articles.updated_at) as "updatedAt"
    from months cross join articles
    where published_at >= from_at and published_at < until_at and ${isOneOf('state', PUBLIC_STATES)} and has_url = 0
    group by months.id order by months.id desc`.execute(db);
  return rows;
}

/** The page of an article. */
export interface UpdatedPage {
  /** Below the address of the site. */
  path: string;
  /** Epoch milliseconds. */
  updatedAt: number;
}

/** Finds such articles of a month, oldest first: those that are added later are at the end. */
export async function findArticlePages(
  db: Db,
  month: Month,
  now: number,
  { limit, offset }: { limit: number; offset: number },
): Promise<UpdatedPage[]> {
  // Only the document of a roundup says which edition has its page.
  const { rows } = await sql<{ slug: string; updatedAt: number; document: Uint8Array | null }>`
    select slug, updated_at as "updatedAt", case when kind = 'roundup' then document end as document
    from articles
    where published_at >= ${month.from} and published_at <= ${Math.min(now, month.until - 1)}
      and ${isOneOf('state', PUBLIC_STATES)} and has_url = 0
    order by published_at, id limit ${limit} offset ${offset}`.execute(db);
  return rows.map(({ slug, updatedAt, document }) => {
    const page = document === null ? null : toArticle({ document }).page;
    return { path: articlePageUrl({ slug, page }, ''), updatedAt };
  });
}
