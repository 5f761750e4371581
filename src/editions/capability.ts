import type { Capability } from '../core/capability.ts';
import { repeat } from '../lib/repeat.ts';
import { DAY, localDate, MINUTE, SECOND } from '../lib/time.ts';
import { EDITION_ALERT_KINDS } from './alert-kinds.ts';
import { remindOfApprovals } from './draft/approval-reminders.ts';
import { deleteOldDraftViews } from './draft/draft-views.ts';
import { checkDrafts, updateStrandedAlerts } from './draft/stranded-drafts.ts';
import { deleteOldLinkStates } from './links/link-cache.ts';
import { foldVisits } from './visits/visit-rows.ts';

/** More than a year: a season is compared with the one before. */
const COUNTS_KEPT_FOR = 400 * DAY;

export const editionsCapability: Capability = {
  startTasks: (app) => [
    repeat(15 * SECOND, 'reminding of approvals', app.log, () => remindOfApprovals(app)),
    repeat(MINUTE, 'looking for drafts without a slot', app.log, () => updateStrandedAlerts(app)),
  ],
  async runRetention({ store: { db }, config: { publication } }, now) {
    return {
      visits: await foldVisits(db, localDate(now - COUNTS_KEPT_FOR, publication.zone)),
      links: await deleteOldLinkStates(db, now),
      draftViews: await deleteOldDraftViews(db, now),
    };
  },
  checks: { content: checkDrafts },
  alertKinds: EDITION_ALERT_KINDS,
};
