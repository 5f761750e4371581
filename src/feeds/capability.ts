import type { Capability } from '../core/capability.ts';
import { DAY, localDate } from '../lib/time.ts';
import { cleanHub } from './hub/hub.ts';
import { addFeedMetrics } from './metrics.ts';
import { publishJobs } from './publish/publish-jobs.ts';
import { deleteReaderCounts } from './readers/reader-rows.ts';
import { startFeedTasks } from './tasks.ts';

/** More than a year: a season is compared with the one before. */
const COUNTS_KEPT_FOR = 400 * DAY;

export const feedsCapability: Capability = {
  jobs: publishJobs,
  startTasks: startFeedTasks,
  async runRetention(app, now) {
    const { publication } = app.config;
    const firstDay = localDate(now - COUNTS_KEPT_FOR, publication.zone);
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
