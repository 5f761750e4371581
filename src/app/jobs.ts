/**
 * The jobs of the schedule.
 */

import type { AppContext } from '../core/app-context.ts';
import { type NewsletterConfig, type ScheduleConfig, scheduleZone } from '../core/config/config.ts';
import type { Job } from '../core/schedule/job.ts';
import { alertJob, type NewsletterJob } from '../editions/alerts/alert-job.ts';
import { findClosingObstacle } from '../editions/closing-obstacle.ts';
import { composeSlot, cutoffOf, slotAtInstant } from '../editions/compose-slot.ts';
import { newsletterJobId } from '../editions/draft/newsletter-job-id.ts';
import { publish } from '../feeds/publish/publish.ts';
import { rfc3339 } from '../lib/time.ts';

/** `publish` for all feeds without a schedule of their own, `publish:FEED`, and `newsletter:NEWSLETTER`. */
export function jobsOf(app: AppContext): Job[] {
  const { feeds, newsletters } = app.config;
  const common = feeds.filter(({ schedule }) => schedule === undefined).map(({ id }) => id);
  return [
    ...(common.length === 0 ? [] : [publishJob(app, 'publish', app.config.publish.schedule, common)]),
    ...feeds.flatMap(({ id, schedule }) =>
      schedule === undefined ? [] : [publishJob(app, `publish:${id}`, schedule, [id])],
    ),
    ...newsletters.map((newsletter) => {
      const { schedule } = newsletter;
      return schedule === null
        ? alertJob(app, newsletter, newsletterJob)
        : newsletterJob(app, newsletter, withZone(app, schedule));
    }),
  ];
}

function publishJob(app: AppContext, id: string, schedule: ScheduleConfig, feeds: string[]): Job {
  const isAll = feeds.length === app.config.feeds.length;
  return {
    id,
    schedule: withZone(app, schedule),
    coalesce: true,
    run: async () => {
      const { documents, rejected } = await publish(app, { feeds: isAll ? undefined : feeds });
      const changed = documents.filter((document) => document.changed).length;
      const note = `${changed} of ${documents.length} documents changed`;
      const isFine = rejected.length === 0;
      return {
        kind: 'done',
        note: isFine ? note : `${note}; ${rejected.length} articles rejected`,
        unchanged: changed === 0 && isFine,
      };
    },
  };
}

function newsletterJob(app: AppContext, newsletter: NewsletterConfig, schedule: Job['schedule']): NewsletterJob {
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

function withZone({ config }: AppContext, schedule: ScheduleConfig): Job['schedule'] {
  const { cron, graceMinutes } = schedule;
  return { cron, graceMinutes, zone: scheduleZone(schedule, config.publication) };
}
