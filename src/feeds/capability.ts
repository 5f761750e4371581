import type { AppContext } from '../core/app-context.ts';
import type { Capability } from '../core/capability.ts';
import type { Job } from '../core/schedule/job.ts';
import { DAY, localDate } from '../lib/time.ts';
import { cleanHub } from './hub/hub.ts';
import { addFeedMetrics } from './metrics.ts';
import { publish } from './publish/publish.ts';
import { deleteReaderCounts } from './readers/reader-rows.ts';
import { READER_DAYS } from './readers/reader-statistics.ts';
import { startFeedTasks } from './tasks.ts';

export const feedsCapability: Capability = {
  jobs: (app) => [publishJob(app)],
  startTasks: startFeedTasks,
  async runRetention(app, now) {
    const { publication } = app.config;
    const firstDay = localDate(now - READER_DAYS * DAY, publication.zone);
    return {
      readers: await deleteReaderCounts(app.store.db, firstDay),
      hubSubscriptions: await cleanHub(app),
    };
  },
  addMetrics: addFeedMetrics,
  alertKinds: {
    hub: { title: 'The hub', page: () => ({ label: 'Feeds', path: '/feeds#hub', needs: 'editions.read' }) },
  },
};

/**
 * A changed article is published within two seconds by a task. The schedule removes what has left a window of hours,
 * and publishes what a new configuration changes.
 */
const SCHEDULE = { cron: '*/10 * * * *', graceMinutes: 180 };

function publishJob(app: AppContext): Job {
  return {
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
  };
}
