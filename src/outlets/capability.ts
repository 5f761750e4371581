import type { Capability } from '../core/capability.ts';
import { roundupSources } from '../core/config/sources.ts';
import { startPolling } from '../sources/polling/poller.ts';
import { checkOutlets } from './checks.ts';
import { deleteOldItems } from './items/item-retention.ts';
import { OUTLETS } from './polling/outlets.ts';
import { startGrouping } from './story-groups/regroup.ts';

export const outletsCapability: Capability = {
  startTasks: (app) => [startPolling(app, OUTLETS), startGrouping(app)],
  async runRetention({ store, config }, now) {
    const configured = roundupSources(config).map(({ id }) => id);
    return { outletItems: await deleteOldItems(store.db, configured, now) };
  },
  checks: { content: checkOutlets },
  alertKinds: {
    grouping: {
      title: 'Reports cannot be grouped',
      hint: 'It is tried again by itself.',
      page: () => ({ label: 'Roundup', path: '/roundup', needs: 'editions.read' }),
    },
  },
};
