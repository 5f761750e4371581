import type { Capability } from '../core/capability.ts';
import { warning } from '../core/finding.ts';
import { hasAccounts } from './account.ts';
import { deleteEndedSessions } from './retention.ts';
import { insecureSiteMessage, keepsSessions } from './secure-site.ts';
import { countFailures } from './sign-in-failures.ts';

export const accountsCapability: Capability = {
  runRetention: async ({ store }, now) => ({ deskSessions: await deleteEndedSessions(store.db, now) }),
  checks: {
    async content({ db }, { publication }, now) {
      if (keepsSessions(publication.url) || !(await hasAccounts(db, now))) return [];
      return [warning(insecureSiteMessage(publication.url))];
    },
  },
  async addMetrics({ db, gauge, now }) {
    gauge('sign_in_failures', 'Failed sign-ins to the desk in the last 15 minutes.').set(await countFailures(db, now));
  },
};
