/**
 * What has been retracted must not go on being mailed: the editions that hold it are paused, for the operator to resume or cancel.
 */
import { sql } from 'kysely';
import { fullHeadline } from '../../articles/article.ts';
import { toArticle } from '../../articles/queries.ts';
import type { Db, Store } from '../../store/store.ts';

export interface RetractionPause {
  editionId: number;
  /** The retracted articles that it holds. */
  articleIds: string[];
}

/**
 * Pauses the editions under delivery that hold an article which is retracted, or whose own roundup is; of one that stands paused for
 * another reason, the reason grows. An edition is paused once for a retraction: where the operator resumes it, it goes on. Where there is
 * nothing to pause, it costs a look by index.
 * @param onPause called with each edition, in the transaction that pauses it
 * @returns what it paused, or gave another reason to stay so
 */
export async function pauseEditionsWithRetracted(
  { db }: Pick<Store, 'db'>,
  onPause: (tx: Db, pause: RetractionPause) => Promise<void>,
): Promise<RetractionPause[]> {
  if ((await findRetractions(db)).length === 0) return [];
  return db.transaction().execute(async (tx) => {
    const paused: RetractionPause[] = [];
    const found = await findRetractions(tx);
    for (const [editionId, retractions] of Map.groupBy(found, (retraction) => retraction.editionId)) {
      if (!(await pause(tx, editionId, retractions))) continue;
      const what = { editionId, articleIds: retractions.map(({ articleId }) => articleId) };
      await onPause(tx, what);
      paused.push(what);
    }
    return paused;
  });
}

interface Retraction {
  editionId: number;
  articleId: string;
  notedAt: number;
  document: string;
}

/** The retractions that editions with open deliveries have not been paused for. */
async function findRetractions(db: Db): Promise<Retraction[]> {
  // One by one, and literals: only then do the partial indexes answer.
  const { rows } = await sql<Retraction>`
    with standing as (
      select id, article_id from editions where delivery_state = 'delivering'
      union all
      select id, article_id from editions where delivery_state = 'paused'
    ), held as (
      select standing.id as edition_id, edition_articles.article_id
      from standing inner join edition_articles on edition_articles.edition_id = standing.id
      union all
      select id, article_id from standing
    )
    select held.edition_id as "editionId", articles.id as "articleId",
      articles.noted_at as "notedAt", articles.document
    from held inner join articles on articles.id = held.article_id
    where articles.state = 'retracted'
      and not exists (
        select 1 from edition_retractions as known
        where known.edition_id = held.edition_id and known.article_id = held.article_id
          and known.noted_at = articles.noted_at
      )
      and exists (
        select 1 from deliveries
        where deliveries.edition_id = held.edition_id and deliveries.state in ('pending', 'submitting')
      )
    order by held.edition_id, articles.noted_at, articles.id`.execute(db);
  return rows;
}

/** @returns false where it was done with or cancelled meanwhile, or another process has paused it for these */
async function pause(tx: Db, editionId: number, retractions: Retraction[]): Promise<boolean> {
  const noted = await tx
    .insertInto('edition_retractions')
    .values(
      retractions.map(({ articleId, notedAt }) => ({
        edition_id: editionId,
        article_id: articleId,
        noted_at: notedAt,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('article_id')
    .execute();
  if (noted.length === 0) return false;
  const reason = reasonOf(retractions);
  const { numUpdatedRows } = await tx
    .updateTable('editions')
    .set({
      delivery_state: 'paused',
      delivery_reason: sql<string>`case when delivery_state = 'paused' and delivery_reason is not null
        then delivery_reason || '; ' else '' end || cast(${reason} as text)`,
    })
    .where('id', '=', editionId)
    .where('delivery_state', 'in', ['delivering', 'paused'])
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

function reasonOf(retractions: Retraction[]): string {
  const stories = retractions.map(({ articleId, document }) => `${articleId} ("${fullHeadline(toArticle(document))}")`);
  return `retracted since it closed: ${stories.join(', ')}`;
}
