import type { Capability } from '../core/capability.ts';
import { deleteEndedSessions } from './retention.ts';
import { countFailures } from './sign-in-failures.ts';

export const accountsCapability: Capability = {
  runRetention: async ({ store }, now) => ({ deskSessions: await deleteEndedSessions(store.db, now) }),
  async addMetrics({ db, gauge, now }) {
    gauge('sign_in_failures', 'Failed sign-ins to the desk in the last 15 minutes.').set(await countFailures(db, now));
  },
};
