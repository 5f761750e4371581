import type { Capability } from '../core/capability.ts';
import { roundupSources } from '../core/config/sources.ts';
import { repeat } from '../lib/repeat.ts';
import { SECOND } from '../lib/time.ts';
import { countOutletItems } from './items/item-counts.ts';
import { deleteForgottenItems } from './items/item-retention.ts';
import { startPollingOutlets } from './polling/poll-outlets.ts';
import { deleteOldGroupViews } from './story-groups/group-views.ts';
import { groupingReports } from './story-groups/regroup.ts';

/** Reports of outlets that are polled at the same time are grouped together. */
const GROUP_EVERY = 5 * SECOND;

export const outlets: Capability = {
  startTasks: (app) => [
    startPollingOutlets(app),
    repeat(GROUP_EVERY, 'grouping reports', app.log, groupingReports(app)),
  ],
  async runRetention({ store, config }, now) {
    const configured = roundupSources(config).map(({ id }) => id);
    return {
      roundupViews: await deleteOldGroupViews(store.db, now),
      outletItems: await deleteForgottenItems(store.db, configured, now),
    };
  },
  async addMetrics({ db, gauge, now }) {
    const reports = gauge('outlet_items', 'Items of other outlets that are kept.', ['source']);
    const held = gauge('outlet_held_items', 'Items of other outlets that wait for the operator.', ['source']);
    for (const { source, items: count, held: waitingItems } of await countOutletItems(db, now)) {
      reports.set({ source }, count);
      held.set({ source }, waitingItems);
    }
  },
};
