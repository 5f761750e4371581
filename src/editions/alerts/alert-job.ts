/**
 * The job of an alert newsletter. Its slots are the instants at which alerts were made: no clock brings them.
 */

import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import type { Job } from '../../core/schedule/job.ts';
import { MINUTE, rfc3339 } from '../../lib/time.ts';
import { slotAtInstant } from '../compose-slot.ts';
import { readDraft } from '../draft/draft-store.ts';
import { listOpenAlerts } from './alert-drafts.ts';
import { alertDeadline } from './alert-limits.ts';

export type NewsletterJob = Job & Required<Pick<Job, 'readiness'>>;

/** After its deadline no alert closes. It lapses a little later, so that one which closes just then is not skipped. */
const LAPSE_DELAY = MINUTE;

/**
 * An alert that needs an approval closes by the countdown that its approval starts; any other one at once.
 * @param newsletterJob makes the job of any newsletter with that schedule
 */
export function alertJob(
  app: AppContext,
  newsletter: NewsletterConfig,
  newsletterJob: (app: AppContext, newsletter: NewsletterConfig, schedule: Job['schedule']) => NewsletterJob,
): Job {
  const { db } = app.store;
  const { id, approval, lapseMinutes } = newsletter;
  const schedule = { cron: null, zone: app.config.publication.zone, graceMinutes: lapseMinutes };
  const job = newsletterJob(app, newsletter, schedule);
  return {
    ...job,
    async listSlots() {
      const open = await listOpenAlerts(db, id, app.clock());
      return open.map(({ slot: { slotAt }, state, closeAt }) => {
        const lapsesAt = alertDeadline(slotAt, closeAt, lapseMinutes) + LAPSE_DELAY;
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
