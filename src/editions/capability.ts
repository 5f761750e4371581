import type { Capability } from '../core/capability.ts';
import { repeat } from '../lib/repeat.ts';
import { DAY, localDate, MINUTE, SECOND } from '../lib/time.ts';
import { EDITION_ALERT_KINDS } from './alert-kinds.ts';
import { remindOfApprovals } from './draft/approval-reminders.ts';
import { checkDrafts, updateStrandedAlerts } from './draft/stranded-drafts.ts';
import { deleteOldLinkStates } from './links/link-cache.ts';
import { foldVisits } from './visits/visit-rows.ts';

export const editionsCapability: Capability = {
  startTasks: (app) => [
    repeat(15 * SECOND, 'reminding of approvals', app.log, () => remindOfApprovals(app)),
    repeat(MINUTE, 'looking for drafts without a slot', app.log, () => updateStrandedAlerts(app)),
  ],
  async runRetention({ store: { db }, config: { retention, publication } }, now) {
    return {
      visits: await foldVisits(db, localDate(now - retention.readersDays * DAY, publication.zone)),
      links: await deleteOldLinkStates(db, now),
    };
  },
  checks: { content: checkDrafts },
  alertKinds: EDITION_ALERT_KINDS,
};
