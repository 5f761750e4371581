import type { Capability } from '../core/capability.ts';
import { roundupSources } from '../core/config/sources.ts';
import { sourcePage } from '../sources/source-action.ts';
import { checkOutlets } from './checks.ts';
import { deleteOldItems } from './items/item-retention.ts';
import { startPollingOutlets } from './polling/poll-outlets.ts';
import { startGrouping } from './story-groups/regroup.ts';

export const outletsCapability: Capability = {
  startTasks: (app) => [startPollingOutlets(app), startGrouping(app)],
  async runRetention({ store, config }, now) {
    const configured = roundupSources(config).map(({ id }) => id);
    return { outletItems: await deleteOldItems(store.db, configured, now) };
  },
  checks: { content: checkOutlets },
  alertKinds: {
    'outlet-held': { title: 'Items of an outlet wait for a decision', page: sourcePage },
    'outlet-feed': { title: 'The feed of an outlet cannot be read', page: sourcePage },
    grouping: {
      title: 'Reports cannot be grouped',
      hint: 'It is tried again by itself.',
      page: () => ({ label: 'Roundup', path: '/roundup', needs: 'editions.read' }),
    },
  },
};
