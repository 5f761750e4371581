import type { Capability } from '../core/capability.ts';
import { afterCommits } from '../core/commit-watch.ts';
import { warning } from '../core/finding.ts';
import type { Db } from '../core/store/store.ts';
import { repeat } from '../lib/repeat.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../lib/time.ts';
import { hasAccounts } from './account.ts';
import { insecureSiteMessage, keepsSessions } from './secure-site.ts';
import { shipSecurityLog } from './security-log.ts';
import { SESSION_IDLE, SESSION_LIFETIME } from './sessions.ts';
import { countFailures, FAILURE_LIMIT } from './sign-in.ts';

export const accountsCapability: Capability = {
  runRetention: async ({ store }, now) => ({ deskSessions: await deleteEndedSessions(store.db, now) }),
  startTasks: (app) => [
    repeat(afterCommits(app.store, 5 * SECOND, MINUTE), 'shipping the security log', app.log, () =>
      shipSecurityLog(app),
    ),
  ],
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

/** How long it remains known who was invited and did not accept. The audit log has who did. */
const INVITATIONS_KEPT_FOR = 30 * DAY;

/** Auditors ask for three months of sign-ins. */
const SECURITY_LOG_KEPT_FOR = 90 * DAY;

/** The desk shows open pages for less than a minute; pages delete older rows while any is open. */
const PRESENCE_KEPT_FOR = HOUR;

/** @returns number of deleted rows */
export async function deleteEndedSessions(db: Db, now: number): Promise<number> {
  const deleted = [
    await db
      .deleteFrom('account_sessions')
      .where((e) => e.or([e('created_at', '<=', now - SESSION_LIFETIME), e('seen_at', '<=', now - SESSION_IDLE)]))
      .executeTakeFirstOrThrow(),
    await db
      .deleteFrom('account_invitations')
      .where('expires_at', '<', now - INVITATIONS_KEPT_FOR)
      .executeTakeFirstOrThrow(),
    await db
      .deleteFrom('sign_in_failures')
      .where('at', '<=', now - FAILURE_LIMIT.period)
      .executeTakeFirstOrThrow(),
    await db
      .deleteFrom('security_log')
      .where('at', '<', now - SECURITY_LOG_KEPT_FOR)
      .executeTakeFirstOrThrow(),
    await db
      .deleteFrom('desk_presence')
      .where('seen_at', '<', now - PRESENCE_KEPT_FOR)
      .executeTakeFirstOrThrow(),
  ];
  return deleted.reduce((sum, { numDeletedRows }) => sum + Number(numDeletedRows), 0);
}
