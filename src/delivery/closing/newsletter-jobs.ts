/**
 * The jobs that close editions, and the making of alerts. The slots of an alert newsletter are the instants at which
 * alerts were made: no clock brings them.
 */
import { isPublic } from '../../articles/article.ts';
import { findArticle } from '../../articles/queries.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/schema.ts';
import { type Job, jobSchedule } from '../../core/schedule/job.ts';
import { type Run, recordWaitingRun } from '../../core/schedule/run-ledger.ts';
import { runSlot } from '../../core/schedule/run-slot.ts';
import { inTransaction } from '../../core/store/store.ts';
import {
  AlertEditionError,
  createAlertDraft,
  listOpenAlertDrafts,
} from '../../editions/alert-newsletters/alert-drafts.ts';
import { ALERT_LAPSE, alertEditionDeadline } from '../../editions/alert-newsletters/alert-limits.ts';
import { closingObstacle, findClosingObstacle } from '../../editions/draft/closing.ts';
import { readDraft } from '../../editions/draft/draft-store.ts';
import { type EditionSlot, newsletterJobId } from '../../editions/slot.ts';
import { cutoffOf, slotAtInstant } from '../../editions/slots.ts';
import { MINUTE, rfc3339 } from '../../lib/time.ts';
import { tooFewWords } from '../status/format-editions.ts';
import { composeSlot } from './close.ts';

type NewsletterJob = Job & Required<Pick<Job, 'readiness'>>;

/** `newsletter:NEWSLETTER` for each newsletter. */
export function newsletterJobs(app: AppContext): Job[] {
  return app.config.newsletters.map((newsletter) => newsletterJob(app, newsletter));
}

function newsletterJob(app: AppContext, newsletter: NewsletterConfig): Job {
  const { schedule } = newsletter;
  return schedule === null
    ? alertJob(app, newsletter)
    : closingJob(app, newsletter, jobSchedule(schedule, app.config.publication));
}

function closingJob(app: AppContext, newsletter: NewsletterConfig, schedule: Job['schedule']): NewsletterJob {
  return {
    id: newsletterJobId(newsletter.id),
    schedule,
    coalesce: false,
    async readiness(slotAt, now) {
      const slot = await slotAtInstant(app, newsletter, slotAt);
      const options = { slot, cutoffAt: await cutoffOf(app, newsletter, slot), now };
      const obstacle = await findClosingObstacle(app.store.db, app.config, newsletter, options);
      return obstacle === null ? { kind: 'ready' } : { kind: 'waiting', reason: obstacle.reason };
    },
    run: async (slotAt) => {
      const outcome = await composeSlot(app, newsletter, await slotAtInstant(app, newsletter, slotAt));
      if (outcome.kind === 'skipped') return outcome;
      // An editor has held it, or its approval has become void, since its readiness was asked.
      if (outcome.kind !== 'closed') return { kind: 'waiting', reason: outcome.reason };
      const { edition, queued, tooFew, isNew } = outcome;
      return isNew
        ? { kind: 'done', note: `edition ${edition.number}, ${queued} deliveries queued${tooFewWords(tooFew)}` }
        : {
            kind: 'done',
            note: `edition ${edition.number} had been closed at ${rfc3339(edition.closedAt)}`,
            unchanged: true,
          };
    },
  };
}

/** After its deadline no alert closes. It lapses a little later, so that one which closes just then is not skipped. */
const LAPSE_DELAY = MINUTE;

/** An alert that needs an approval closes when an editor sends it; any other one at once. */
function alertJob(app: AppContext, newsletter: NewsletterConfig): Job {
  const { db } = app.store;
  const { id, approval } = newsletter;
  const schedule = { cron: null, zone: app.config.publication.zone, graceMinutes: ALERT_LAPSE / MINUTE };
  const job = closingJob(app, newsletter, schedule);
  return {
    ...job,
    async listSlots() {
      const open = await listOpenAlertDrafts(db, id, app.clock());
      return open.map(({ slot: { slotAt }, state, closeAt }) => {
        const lapsesAt = alertEditionDeadline(slotAt, closeAt) + LAPSE_DELAY;
        return { slotAt, waitsUntil: state === 'closed' ? Number.POSITIVE_INFINITY : lapsesAt };
      });
    },
    async readiness(slotAt, now) {
      const { state, closeAt } = await readDraft(db, id, await slotAtInstant(app, newsletter, slotAt));
      if (state.kind === 'closed') return { kind: 'ready' };
      const readiness = await job.readiness(slotAt, now);
      if (readiness.kind === 'waiting' || approval === 'auto') return readiness;
      const when = closeAt === null ? 'nobody has sent it' : `closes at ${rfc3339(closeAt)}`;
      return { kind: 'waiting', reason: `approved: ${when}` };
    },
  };
}

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
