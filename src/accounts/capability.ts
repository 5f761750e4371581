import type { Capability } from '../core/capability.ts';
import { deleteEndedSessions } from './retention.ts';

export const accounts: Capability = {
  runRetention: async ({ store }, now) => ({ deskSessions: await deleteEndedSessions(store.db, now) }),
};
