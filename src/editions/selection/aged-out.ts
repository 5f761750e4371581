/**
 * Records the articles that passed a newsletter's age limit without appearing in an edition of it: in one statement
 * for any number of them, and once per newsletter and article.
 */
import { type SqlBool, sql } from 'kysely';
import { matchesSelection } from '../../articles/selection.ts';
import type { Selection } from '../../core/config/config.ts';
import type { Tx } from '../../core/store/store.ts';
import { DAY, HOUR } from '../../lib/time.ts';
import { firstClosedAt, lastEditions } from '../queries.ts';
import { isInEditionOf, wasOmittedFrom } from './candidates.ts';
import { type EditionWindow, editionWindow } from './window.ts';

/** How much older than the window, in milliseconds, the articles of an archive are. */
const ARCHIVE_AGE = 30 * DAY;
/** Up to as many old articles may have been stored late, or have a wrong date. More are an archive. */
const LATE_ARTICLES = 100;

export interface AgedOutOptions {
  newsletter: string;
  select: Selection;
  /** The edition that is being closed. Its articles, and those that did not fit, are already recorded. */
  editionId: number;
  window: EditionWindow;
  lastEditionId: number | null;
}

/**
 * A newsletter's first edition considers every older article. Later editions consider only articles that can have
 * passed the age limit since the last one, each group by its own index:
 * - articles that the window has moved past: `articles_by_time`
 * - articles stored since: `articles_by_creation`
 * - articles that did not fit into the last edition: the primary key of `edition_omissions`
 *
 * An imported archive was never news, and is left out: more than a hundred articles that are more than 30 days older
 * than the window.
 *
 * Drafts age by their own date; retracted and pinned articles do not age.
 */
export async function recordAgedOut(tx: Tx, options: AgedOutOptions): Promise<void> {
  const { newsletter, select, editionId, window, lastEditionId } = options;
  const scope = await scopeSince(tx, options);
  await sql`
    insert into edition_omissions (edition_id, article_id, reason)
    select ${sql.lit(editionId)}, articles.id, 'aged-out' from articles
    where ${scope} and published_at < ${window.from} and kind <> 'roundup' and pinned = 0 and state <> 'retracted'
      and (published_at < ${window.unseenFrom} or ${wasOmittedFrom(lastEditionId)})
      and ${matchesSelection(select)} and not ${isInEditionOf(newsletter)}
      and not exists (
        select 1 from edition_omissions omitted join editions on editions.id = omitted.edition_id
        where omitted.article_id = articles.id and editions.newsletter = ${newsletter}
          and (omitted.reason = 'aged-out' or omitted.edition_id = ${editionId}))
  `.execute(tx);
}

/** The articles that can have passed the age limit since the last edition. */
async function scopeSince(tx: Tx, { newsletter, lastEditionId, window, editionId }: AgedOutOptions) {
  const [, last, beforeLast] = await lastEditions(tx, newsletter, 3);
  if (last === undefined) return sql<SqlBool>`published_at >= ${await oldestConsidered(tx, window, 0)}`;
  const { unseenFrom } = editionWindow(last.cutoffAt, beforeLast?.cutoffAt ?? null, window);
  // An import that was running when the last edition closed has given its articles an earlier instant of creation.
  const storedFrom = (await firstClosedAt(tx, last)) - HOUR;
  const from = await oldestConsidered(tx, window, storedFrom);
  // "union all": for "union" SQLite would merge by id, reading every article in the order of ids.
  return sql<SqlBool>`articles.id in (
    select id from articles where published_at >= ${unseenFrom} and published_at < ${window.from}
    union all select id from articles where created_at >= ${storedFrom} and published_at >= ${from}
    union all select article_id from edition_omissions
      where edition_id = ${lastEditionId ?? editionId} and reason = 'did-not-fit')`;
}

/** @returns the instant of publication from which articles stored since `storedFrom` are considered */
async function oldestConsidered(tx: Tx, { unseenFrom }: EditionWindow, storedFrom: number): Promise<number> {
  const archiveUntil = unseenFrom - ARCHIVE_AGE;
  const { rows } = await sql`
    select 1 from articles where created_at >= ${storedFrom} and published_at < ${archiveUntil}
    limit ${LATE_ARTICLES + 1}`.execute(tx);
  return rows.length > LATE_ARTICLES ? archiveUntil : 0;
}
