/** Pauses editions that contain a retracted article, so that the operator can resume or cancel them. */
import { sql } from 'kysely';
import { fullHeadline } from '../../articles/article.ts';
import { type StoredDocument, toArticle } from '../../articles/stored-document.ts';
import { raiseAlert } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import type { Db, Store, Tx } from '../../core/store/store.ts';
import { editionAction } from '../../editions/edition-action.ts';
import { retractionAlert } from '../alerts.ts';
import { editionName } from '../status/edition-status.ts';

export interface RetractionPause {
  editionId: number;
  /** The retracted articles that it contains. */
  articleIds: string[];
}

/**
 * Pauses the editions with open deliveries that contain a retracted article, or whose own roundup article is retracted.
 * If an edition is paused already, the reason is extended. An edition is paused once for a retraction: if the operator
 * resumes it, it continues. Without retractions this costs one query by index.
 * @param onPause called in the transaction that pauses an edition
 * @returns the editions that were paused, or whose reason was extended
 */
export async function pauseEditionsWithRetracted(
  { db }: Pick<Store, 'db'>,
  onPause: (tx: Tx, pause: RetractionPause) => Promise<void>,
): Promise<RetractionPause[]> {
  if ((await findRetractions(db)).length === 0) return [];
  return db.transaction().execute(async (tx) => {
    const paused: RetractionPause[] = [];
    const found = await findRetractions(tx);
    for (const [editionId, retractions] of Map.groupBy(found, (retraction) => retraction.editionId)) {
      if (!(await pause(tx, editionId, retractions))) continue;
      const entry = { editionId, articleIds: retractions.map(({ articleId }) => articleId) };
      await onPause(tx, entry);
      paused.push(entry);
    }
    return paused;
  });
}

interface Retraction extends StoredDocument {
  editionId: number;
  articleId: string;
  notedAt: number;
}

/** The retractions for which editions with open deliveries have not been paused yet. */
async function findRetractions(db: Db): Promise<Retraction[]> {
  // Separate queries with literals, so that the partial indexes are used.
  const { rows } = await sql<Retraction>`
    with unfinished as (
      select id, article_id from editions where delivery_state = 'delivering'
      union all
      select id, article_id from editions where delivery_state = 'paused'
    ), held as (
      select unfinished.id as edition_id, edition_articles.article_id
      from unfinished inner join edition_articles on edition_articles.edition_id = unfinished.id
      union all
      select id, article_id from unfinished
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
        where deliveries.edition_id = held.edition_id and ${isInOpenState('deliveries')}
      )
    order by held.edition_id, articles.noted_at, articles.id`.execute(db);
  return rows;
}

/**
 * @returns false if it was finished or cancelled in the meantime, or another process paused it for the same articles
 */
async function pause(tx: Tx, editionId: number, retractions: Retraction[]): Promise<boolean> {
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
  const reason = describe(retractions);
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

function describe(retractions: Retraction[]): string {
  const articles = retractions.map(
    (retraction) => `${retraction.articleId} ("${fullHeadline(toArticle(retraction))}")`,
  );
  return `retracted since it closed: ${articles.join(', ')}`;
}

/** Pauses the pending deliveries of editions that hold an article retracted since they closed, and raises alerts. */
export async function pauseRetracted({ store, clock, log }: AppContext): Promise<void> {
  const paused = await pauseEditionsWithRetracted(store, async (tx, { editionId, articleIds }) => {
    const name = await editionName(tx, editionId);
    const message = `Delivery of ${name} is paused: retracted since it closed: ${articleIds.join(', ')}.`;
    const actions = [editionAction('resume', 'resume it', name), editionAction('cancel', 'cancel it', name)];
    // Not the kind of other pauses: the webhook fires once per alert, and that alert may be open already.
    await raiseAlert(tx, { ...retractionAlert(editionId), message, actions }, clock());
  });
  for (const { editionId, articleIds } of paused) {
    log.warn({ edition: editionId, articles: articleIds }, 'paused an edition that holds retracted articles');
  }
}
