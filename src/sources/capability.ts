import type { Capability } from '../core/capability.ts';
import { deleteIdleHosts } from './host-gate.ts';

export const sources: Capability = {
  async runRetention({ store }, now) {
    await deleteIdleHosts(store.db, now);
    return {};
  },
};
