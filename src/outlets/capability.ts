import type { Capability } from '../core/capability.ts';
import { roundupSources } from '../core/config/sources.ts';
import { deleteForgottenItems } from './items/item-retention.ts';
import { deleteOldGroupViews } from './story-groups/group-views.ts';

export const outlets: Capability = {
  async runRetention({ store, config }, now) {
    const configured = roundupSources(config).map(({ id }) => id);
    return {
      roundupViews: await deleteOldGroupViews(store.db, now),
      outletItems: await deleteForgottenItems(store.db, configured, now),
    };
  },
};
