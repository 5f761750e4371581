/** The job that publishes feeds. */
import type { AppContext } from '../../core/app-context.ts';
import type { Job } from '../../core/schedule/job.ts';
import { publish } from './publish.ts';

/**
 * A changed article is published within two seconds by a task. The schedule removes what has left a window of hours,
 * and publishes what a new configuration changes.
 */
const SCHEDULE = { cron: '*/10 * * * *', graceMinutes: 180 };

export function publishJobs(app: AppContext): Job[] {
  return [
    {
      id: 'publish',
      schedule: { ...SCHEDULE, zone: app.config.publication.zone },
      coalesce: true,
      run: async () => {
        const { documents, rejected } = await publish(app);
        const changed = documents.filter((document) => document.changed).length;
        const note = `${changed} of ${documents.length} documents changed`;
        const isFine = rejected.length === 0;
        return {
          kind: 'done',
          note: isFine ? note : `${note}; ${rejected.length} articles rejected`,
          unchanged: changed === 0 && isFine,
        };
      },
    },
  ];
}
