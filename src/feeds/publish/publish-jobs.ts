/**
 * The jobs that publish feeds.
 */
import type { AppContext } from '../../core/app-context.ts';
import type { ScheduleConfig } from '../../core/config/config.ts';
import { type Job, jobSchedule } from '../../core/schedule/job.ts';
import { publish } from './publish.ts';

/** `publish` for all feeds without a schedule of their own, and `publish:FEED`. */
export function publishJobs(app: AppContext): Job[] {
  const { feeds } = app.config;
  const common = feeds.filter(({ schedule }) => schedule === undefined).map(({ id }) => id);
  return [
    ...(common.length === 0 ? [] : [publishJob(app, 'publish', app.config.publish.schedule, common)]),
    ...feeds.flatMap(({ id, schedule }) =>
      schedule === undefined ? [] : [publishJob(app, `publish:${id}`, schedule, [id])],
    ),
  ];
}

function publishJob(app: AppContext, id: string, schedule: ScheduleConfig, feeds: string[]): Job {
  const isAll = feeds.length === app.config.feeds.length;
  return {
    id,
    schedule: jobSchedule(schedule, app.config.publication),
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
