import type { Capability } from '../core/capability.ts';
import { DAY, localDate } from '../lib/time.ts';
import { cleanHub } from './hub/hub.ts';
import { addFeedMetrics } from './metrics.ts';
import { publishJobs } from './publish/publish-jobs.ts';
import { deleteReaderCounts } from './readers/reader-rows.ts';
import { startFeedTasks } from './tasks.ts';

export const feedsCapability: Capability = {
  jobs: publishJobs,
  startTasks: startFeedTasks,
  async runRetention(app, now) {
    const { retention, publication } = app.config;
    const firstDay = localDate(now - retention.readersDays * DAY, publication.zone);
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
