import type { Capability } from '../core/capability.ts';
import { roundupSources } from '../core/config/sources.ts';
import { OUTLET_ALERT_KINDS } from './alert-kinds.ts';
import { deleteForgottenItems } from './items/item-retention.ts';
import { startPollingOutlets } from './polling/poll-outlets.ts';
import { deleteOldGroupViews } from './story-groups/group-views.ts';
import { startGrouping } from './story-groups/regroup.ts';

export const outletsCapability: Capability = {
  startTasks: (app) => [startPollingOutlets(app), startGrouping(app)],
  async runRetention({ store, config }, now) {
    const configured = roundupSources(config).map(({ id }) => id);
    return {
      roundupViews: await deleteOldGroupViews(store.db, now),
      outletItems: await deleteForgottenItems(store.db, configured, now),
    };
  },
  alertKinds: OUTLET_ALERT_KINDS,
};
