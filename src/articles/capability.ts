import type { Capability } from '../core/capability.ts';
import { afterCommits } from '../core/commit-watch.ts';
import { secondsSince } from '../core/metrics.ts';
import { repeat } from '../lib/repeat.ts';
import { MINUTE, SECOND } from '../lib/time.ts';
import { startImporting } from './import/watched/watched-folders.ts';
import { countDueChanges } from './pending-changes.ts';
import { checkMetadata } from './pictures/check-metadata.ts';
import { countRejectionsByStage } from './rejections.ts';
import { lookingUpImages } from './remote-images/look-up.ts';
import { indexing } from './search/search-index.ts';

export const articlesCapability: Capability = {
  startTasks: (app) => [
    startImporting(app),
    repeat(afterCommits(app.store, 2 * SECOND, MINUTE), 'looking up pictures', app.log, lookingUpImages(app)),
    repeat(afterCommits(app.store, 10 * SECOND, MINUTE), 'indexing articles', app.log, indexing(app.store.db)),
  ],
  checks: { connections: checkMetadata },
  alertKinds: {
    'import-held': { title: 'Articles of a first import wait for a decision' },
  },
  async addMetrics({ db, gauge, now }) {
    const rejected = gauge('rejections', 'Rejected input that waits for an editor.', ['stage']);
    for (const [stage, count] of Object.entries(await countRejectionsByStage(db))) rejected.set({ stage }, count);
    const due = await countDueChanges(db, now);
    gauge('pending_changes', 'Changed articles whose feeds are due to be published.').set(due?.count ?? 0);
    gauge('oldest_pending_change_seconds', 'How long the longest due change is due.').set(
      secondsSince(due?.oldestDueAt ?? null, now),
    );
  },
};
