/**
 * Records which articles have grown too old for a newsletter without standing in an edition of it: one statement, whatever their
 * number, and each article once a newsletter.
 */
import { type SqlBool, sql, type Transaction } from 'kysely';
import { HOUR } from '../lib/time.ts';
import type { Tables } from '../store/tables.ts';
import { lastEditions } from './queries.ts';
import { type EditionWindow, editionWindow } from './window.ts';

export interface AgedOutOptions {
  newsletter: string;
  /** The edition that is being closed; its articles and what did not fit are recorded already. */
  editionId: number;
  window: EditionWindow;
  lastEditionId: number | null;
}

/**
 * Before a newsletter's first edition every older article is looked at, once. After that only what can have aged since the last
 * one, each part by an index of its own, so that the size of the archive costs nothing:
 * - what the window has left behind since: `articles_by_time`
 * - what was stored since, however old, such as an imported archive: `articles_by_creation`
 * - what did not fit into the last edition: the key of `edition_omissions`
 *
 * A draft ages like the rest, by its own date; what is retracted or pinned does not.
 */
export async function recordAgedOut(tx: Transaction<Tables>, options: AgedOutOptions): Promise<void> {
  const { newsletter, editionId, window, lastEditionId } = options;
  const scope = await scopeSince(tx, options);
  await sql`
    insert into edition_omissions (edition_id, article_id, reason)
    select ${sql.lit(editionId)}, articles.id, 'aged-out' from articles
    where ${scope} and published_at < ${window.from} and kind <> 'roundup' and pinned = 0 and state <> 'retracted'
      and (published_at < ${window.unseenFrom} or exists (
        select 1 from edition_omissions seen
        where seen.edition_id = ${lastEditionId ?? -1} and seen.article_id = articles.id))
      and not exists (
        select 1 from edition_articles shown where shown.newsletter = ${newsletter} and shown.article_id = articles.id)
      and not exists (
        select 1 from edition_omissions passed join editions on editions.id = passed.edition_id
        where passed.article_id = articles.id and editions.newsletter = ${newsletter}
          and (passed.reason = 'aged-out' or passed.edition_id = ${editionId}))
  `.execute(tx);
}

/** The articles that may have aged since the last edition. */
async function scopeSince(tx: Transaction<Tables>, { newsletter, lastEditionId, window, editionId }: AgedOutOptions) {
  const [, last, beforeLast] = await lastEditions(tx, newsletter, 3);
  if (last === undefined) return sql<SqlBool>`1 = 1`;
  const { unseenFrom } = editionWindow(last.cutoffAt, beforeLast?.cutoffAt ?? null);
  // An import that was still writing when the last edition closed has stored its articles under an earlier instant.
  const storedFrom = last.closedAt - HOUR;
  // "union all": for "union" SQLite would merge by id, and read every article in the order of ids.
  return sql<SqlBool>`articles.id in (
    select id from articles where published_at >= ${unseenFrom} and published_at < ${window.from}
    union all select id from articles where created_at >= ${storedFrom}
    union all select article_id from edition_omissions
      where edition_id = ${lastEditionId ?? editionId} and reason = 'did-not-fit')`;
}
