/**
 * The jobs that close editions. The slots of an alert newsletter are the instants at which alerts were made: no clock
 * brings them.
 */
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { type Job, jobSchedule } from '../../core/schedule/job.ts';
import { listOpenAlertDrafts } from '../../editions/alert-newsletters/alert-drafts.ts';
import { alertEditionDeadline } from '../../editions/alert-newsletters/alert-limits.ts';
import { findClosingObstacle } from '../../editions/draft/closing.ts';
import { readDraft } from '../../editions/draft/draft-store.ts';
import { newsletterJobId } from '../../editions/slot.ts';
import { cutoffOf, slotAtInstant } from '../../editions/slots.ts';
import { MINUTE, rfc3339 } from '../../lib/time.ts';
import { composeSlot } from './compose-slot.ts';

type NewsletterJob = Job & Required<Pick<Job, 'readiness'>>;

/** `newsletter:NEWSLETTER` for each newsletter. */
export function newsletterJobs(app: AppContext): Job[] {
  return app.config.newsletters.map((newsletter) => newsletterJob(app, newsletter));
}

export function newsletterJob(app: AppContext, newsletter: NewsletterConfig): Job {
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
      const outcome = await composeSlot(app, newsletter, slotAt);
      if (outcome.kind === 'skipped') return outcome;
      // An editor has held it, or its approval has become void, since its readiness was asked.
      if (outcome.kind !== 'closed') return { kind: 'waiting', reason: outcome.reason };
      const { edition, queued, isNew } = outcome;
      return isNew
        ? { kind: 'done', note: `edition ${edition.number}, ${queued} deliveries queued` }
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

/**
 * An alert that needs an approval closes by the countdown that its approval starts; any other one at once.
 */
function alertJob(app: AppContext, newsletter: NewsletterConfig): Job {
  const { db } = app.store;
  const { id, approval, lapseMinutes } = newsletter;
  const schedule = { cron: null, zone: app.config.publication.zone, graceMinutes: lapseMinutes };
  const job = closingJob(app, newsletter, schedule);
  return {
    ...job,
    async listSlots() {
      const open = await listOpenAlertDrafts(db, id, app.clock());
      return open.map(({ slot: { slotAt }, state, closeAt }) => {
        const lapsesAt = alertEditionDeadline(slotAt, closeAt, lapseMinutes) + LAPSE_DELAY;
        return { slotAt, waitsUntil: state === 'closed' ? Number.POSITIVE_INFINITY : lapsesAt };
      });
    },
    async readiness(slotAt, now) {
      const { state, closeAt } = await readDraft(db, id, await slotAtInstant(app, newsletter, slotAt));
      if (state.kind === 'closed') return { kind: 'ready' };
      const readiness = await job.readiness(slotAt, now);
      if (readiness.kind === 'waiting' || approval === 'auto') return readiness;
      const countdown = closeAt === null ? 'its countdown was cancelled' : `closes at ${rfc3339(closeAt)}`;
      return { kind: 'waiting', reason: `approved: ${countdown}` };
    },
  };
}
