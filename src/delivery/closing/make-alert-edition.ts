/**
 * Makes an alert: the edition of an alert newsletter with one article.
 */
import { isPublic } from '../../articles/article.ts';
import { findArticle } from '../../articles/queries.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { type Run, recordWaitingRun } from '../../core/schedule/run-ledger.ts';
import { runSlot } from '../../core/schedule/run-slot.ts';
import { inTransaction } from '../../core/store/store.ts';
import { AlertEditionError, createAlertDraft } from '../../editions/alert-newsletters/alert-drafts.ts';
import { closingObstacle } from '../../editions/draft/closing.ts';
import { type EditionSlot, newsletterJobId } from '../../editions/slot.ts';
import { rfc3339 } from '../../lib/time.ts';
import { newsletterJob } from './newsletter-jobs.ts';

export interface MadeAlertEdition {
  slot: EditionSlot;
  /** Its run; null while it waits for an approval. */
  run: Run | null;
}

/**
 * Makes the draft of an alert; closes it at once if the newsletter needs no approval.
 * @param editor their name
 * @throws AlertEditionError if the article cannot be sent, or the newsletter is no alert newsletter
 */
export async function makeAlertEdition(
  app: AppContext,
  newsletter: NewsletterConfig,
  articleId: string,
  editor: string,
): Promise<MadeAlertEdition> {
  const { store, config, clock, log } = app;
  const { id, kind, approval, maxPerDay } = newsletter;
  if (kind !== 'alert') throw new AlertEditionError(`${id} is a roundup: an alert needs a newsletter of kind alert`);
  const now = clock();
  const publishedAt = await publicationOf(app, articleId, now);
  const { zone } = config.publication;
  const schedule = newsletterJobId(id);
  const obstacle = closingObstacle({ kind: 'automatic' }, approval, null);
  const slot = await inTransaction(store.db, async (tx) => {
    const slot = await createAlertDraft(tx, { newsletter: id, articleId, publishedAt, editor, maxPerDay, zone, now });
    // Closing the alert ends this run, also where no process runs the schedule.
    if (obstacle !== null) {
      await recordWaitingRun(tx, { schedule, slotAt: slot.slotAt, covers: 1 }, obstacle.reason, now);
    }
    return slot;
  });
  if (obstacle !== null) return { slot, run: null };
  const job = newsletterJob(app, newsletter);
  const run = await runSlot(store, job, { slotAt: slot.slotAt, covers: 1 }, { clock, log });
  return { slot, run };
}

/** When the article was published, epoch milliseconds. @throws AlertEditionError if an alert cannot have it */
async function publicationOf({ store }: AppContext, articleId: string, now: number): Promise<number> {
  const article = await findArticle(store.db, articleId);
  if (article === null) throw new AlertEditionError(`there is no article ${articleId}`);
  if (article.kind === 'roundup' || article.kind === 'roundup-item') {
    throw new AlertEditionError(`${articleId} is of kind ${article.kind}: an alert has a story of the newsroom's own`);
  }
  if (isPublic(article, now)) return article.publishedAt;
  const { state } = article.status;
  const why =
    state === 'draft' || state === 'retracted' ? `is ${state}` : `is public on ${rfc3339(article.publishedAt)}`;
  throw new AlertEditionError(`${articleId} ${why}: an alert has an article that is public`);
}
